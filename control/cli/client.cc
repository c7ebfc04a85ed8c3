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

asio::awaitable<Exchange> exchange(Stream& stream, const std::string& socket_path,
                                   const std::string& path, Method method,
                                   std::chrono::milliseconds timeout) {
  Exchange result;
  stream.expires_after(timeout);
  const asio::local::stream_protocol::endpoint endpoint(socket_path);
  std::tie(result.error) = co_await stream.async_connect(endpoint, kAwait);
  if (result.error) co_return result;

  const auto verb = method == Method::kPost ? http::verb::post : http::verb::get;
  http::request<http::empty_body> request(verb, path, 11);
  request.set(http::field::host, "localhost");
  request.keep_alive(false);
  request.prepare_payload();
  std::size_t bytes = 0;
  std::tie(result.error, bytes) = co_await http::async_write(stream, request, kAwait);
  if (result.error) co_return result;

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

}  // namespace

Fetched fetch(const std::string& socket_path, const std::string& path,
              std::chrono::milliseconds timeout, Method method) {
  if (socket_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return {FetchResult::kNotRunning, {}, "socket path too long: " + socket_path};
  }
  asio::io_context io;
  Stream stream(io);
  Exchange result;
  asio::co_spawn(io, exchange(stream, socket_path, path, method, timeout),
                 [&](std::exception_ptr, Exchange done) { result = std::move(done); });
  io.run();
  if (result.error) return explain(socket_path, result.error);
  if (result.status != 200) {
    return {FetchResult::kRefused, {}, "the daemon says: " + error_in(result.body)};
  }
  return {FetchResult::kOk, std::move(result.body), {}};
}

}  // namespace keepline::cli
