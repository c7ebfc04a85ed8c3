// See client.h. An io_context of its own makes the asynchronous reads, which can time out, look
// like one blocking call.
#include "control/cli/client.h"

#include <sys/un.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace keepline::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Stream = beast::basic_stream<asio::local::stream_protocol>;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

struct Exchange {
  error_code error;
  unsigned status = 0;
  std::string body;
};

// Connects and asks.
asio::awaitable<error_code> ask(Stream& stream, const std::string& socket_path,
                                const std::string& path, Method method,
                                std::chrono::milliseconds timeout) {
  stream.expires_after(timeout);
  const asio::local::stream_protocol::endpoint endpoint(socket_path);
  const auto [refused] = co_await stream.async_connect(endpoint, kAwait);
  if (refused) co_return refused;

  const auto verb = method == Method::kPost ? http::verb::post : http::verb::get;
  http::request<http::empty_body> request(verb, path, 11);
  request.set(http::field::host, "localhost");
  request.keep_alive(false);
  request.prepare_payload();
  const auto [error, bytes] = co_await http::async_write(stream, request, kAwait);
  co_return error;
}

asio::awaitable<Exchange> exchange(Stream& stream, const std::string& socket_path,
                                   const std::string& path, Method method,
                                   std::chrono::milliseconds timeout) {
  Exchange result;
  result.error = co_await ask(stream, socket_path, path, method, timeout);
  if (result.error) co_return result;
  std::size_t bytes = 0;
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxReplyBytes);
  // A long list may take long; it must only never stand still.
  while (!parser.is_done()) {
    stream.expires_after(timeout);
    std::tie(result.error, bytes) = co_await http::async_read_some(stream, buffer, parser, kAwait);
    if (result.error) co_return result;
  }
  result.status = parser.get().result_int();
  result.body = std::move(parser.get().body());
  co_return result;
}

// Nothing of a good answer is kept.
asio::awaitable<Exchange> pass_on(Stream& stream, const std::string& socket_path,
                                  const std::string& path,
                                  const std::function<bool(std::string_view)>& sink) {
  Exchange result;
  result.error = co_await ask(stream, socket_path, path, Method::kGet, kReplyTimeout);
  if (result.error) co_return result;
  std::size_t bytes = 0;
  beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  std::tie(result.error, bytes) = co_await http::async_read_header(stream, buffer, parser, kAwait);
  if (result.error) co_return result;
  result.status = parser.get().result_int();
  std::vector<char> piece(65536);
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    stream.expires_after(kReplyTimeout);
    std::tie(result.error, bytes) = co_await http::async_read_some(stream, buffer, parser, kAwait);
    if (result.error == http::error::need_buffer) result.error = {};
    if (result.error) co_return result;
    const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
    if (result.status != 200) {
      result.body += got;
    } else if (!got.empty() && !sink(got)) {
      co_return result;
    }
  }
  co_return result;
}

// The "error" of an error reply, or the reply itself.
std::string error_in(const std::string& body) {
  error_code error;
  const boost::json::value json = boost::json::parse(body, error);
  if (error || !json.is_object()) return body;
  const boost::json::value* text = json.get_object().if_contains("error");
  if (text == nullptr || !text->is_string()) return body;
  return std::string(std::string_view(text->get_string()));
}

Fetched explain(const std::string& socket_path, const error_code& error) {
  const std::string where = " (" + socket_path + ")";
  if (error == beast::error::timeout || error == asio::error::try_again) {
    return {FetchResult::kTimeout,
            {},
            "the daemon does not answer" + where + ": it is stopped or overloaded; see its log"};
  }
  // Only the system's numbers are errnos; HTTP errors count from one as well.
  const int number = error.category() == boost::system::system_category() ? error.value() : 0;
  switch (number) {
    case ENOENT:
    case ECONNREFUSED:
      return {FetchResult::kNotRunning,
              {},
              "keeplined is not running: nobody listens on " + socket_path +
                  "\nStart it (systemctl start keepline), or name the instance with --instance or "
                  "the socket with --socket; a daemon in another network namespace has an instance "
                  "name of its own."};
    case EACCES:
    case EPERM:
      return {FetchResult::kForbidden, {}, "no access to " + socket_path + ": run as root"};
    default:
      return {FetchResult::kBroken, {}, "broken answer of the daemon: " + error.message() + where};
  }
}

// Runs it, and says what became of it.
Fetched run(const std::string& socket_path,
            const std::function<asio::awaitable<Exchange>(Stream&)>& conversation) {
  if (socket_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return {FetchResult::kNotRunning, {}, "socket path too long: " + socket_path};
  }
  asio::io_context io;
  Stream stream(io);
  Exchange result;
  asio::co_spawn(io, conversation(stream),
                 [&](std::exception_ptr, Exchange done) { result = std::move(done); });
  io.run();
  if (result.error) return explain(socket_path, result.error);
  if (result.status != 200) {
    return {FetchResult::kRefused, {}, "the daemon says: " + error_in(result.body)};
  }
  return {FetchResult::kOk, std::move(result.body), {}};
}

}  // namespace

Fetched stream(const std::string& socket_path, const std::string& path,
               const std::function<bool(std::string_view)>& sink) {
  return run(socket_path, [&](Stream& to) { return pass_on(to, socket_path, path, sink); });
}

Fetched fetch(const std::string& socket_path, const std::string& path,
              std::chrono::milliseconds timeout, Method method) {
  return run(socket_path,
             [&](Stream& to) { return exchange(to, socket_path, path, method, timeout); });
}

}  // namespace keepline::cli
