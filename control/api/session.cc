// See session.h. Control thread only.
#include "control/api/session.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/json.h"

namespace keepline::api {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kContentType = "application/json";

using Request = http::request<http::empty_body>;

enum class Sent : std::uint8_t { kOk, kBroken };

std::string error_text(std::string_view message) {
  return serialize(boost::json::value{{"error", message}}) + '\n';
}

asio::awaitable<void> reply(ClientPtr client, std::chrono::milliseconds timeout,
                            http::status status, std::string body) {
  http::response<http::string_body> response(status, 11);
  response.set(http::field::content_type, kContentType);
  if (status == http::status::method_not_allowed) response.set(http::field::allow, "GET");
  response.keep_alive(false);
  response.body() = std::move(body);
  response.prepare_payload();
  client->stream.expires_after(timeout);
  co_await http::async_write(client->stream, response, kAwait);
}

/// A list that is written piece by piece: {"services":[...]}. Chunked for HTTP/1.1, so that a
/// client can tell a cut list from a whole one; plain until close for 1.0.
class ListWriter {
 public:
  ListWriter(ClientPtr client, std::chrono::milliseconds timeout, unsigned version)
      : client_(std::move(client)), timeout_(timeout), chunked_(version >= 11) {}

  /// Sends the head and `opening`, the text up to and including '['.
  asio::awaitable<Sent> begin(std::string opening) {
    std::string text = chunked_ ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.0 200 OK\r\n";
    text.append("Content-Type: ").append(kContentType).append("\r\nConnection: close\r\n");
    if (chunked_) text += "Transfer-Encoding: chunked\r\n";
    text += "\r\n";
    co_return co_await send(text + framed(opening));
  }

  template <typename Item>
  void add(const Item& item) {
    if (!first_) pending_ += ',';
    first_ = false;
    pending_ += serialize(to_json(item));
  }

  asio::awaitable<Sent> flush() {
    const std::string text = framed(std::exchange(pending_, {}));
    co_return co_await send(text);
  }

  asio::awaitable<Sent> end() {
    const std::string text = framed("]}\n") + (chunked_ ? "0\r\n\r\n" : "");
    co_return co_await send(text);
  }

 private:
  std::string framed(std::string_view text) const {
    if (!chunked_ || text.empty()) return std::string(text);
    char size[16];
    const auto [end, error] = std::to_chars(size, size + sizeof size, text.size(), 16);
    return std::string(size, end).append("\r\n").append(text).append("\r\n");
  }

  asio::awaitable<Sent> send(std::string text) {
    if (text.empty()) co_return Sent::kOk;
    client_->stream.expires_after(timeout_);
    const auto [error, bytes] =
        co_await asio::async_write(client_->stream, asio::buffer(text), kAwait);
    co_return error ? Sent::kBroken : Sent::kOk;
  }

  ClientPtr client_;
  std::chrono::milliseconds timeout_;
  bool chunked_;
  bool first_ = true;
  std::string pending_;
};

asio::awaitable<void> send_services(ClientPtr client, const SessionContext& context,
                                    unsigned version) {
  ServicesReport report = context.backend.services();
  const std::vector<ServiceReport> services = std::move(report.services);
  report.services.clear();
  ListWriter writer(client, context.timeout, version);
  // The report without its list ends with "[]}"; the list is written in between.
  std::string opening = serialize(to_json(report));
  opening.resize(opening.size() - 2);
  if (co_await writer.begin(std::move(opening)) != Sent::kOk) co_return;
  std::size_t items = 0;
  for (const ServiceReport& service : services) {
    writer.add(service);
    items += 1 + service.reals.size();
    if (items < kItemsPerPiece) continue;
    items = 0;
    if (co_await writer.flush() != Sent::kOk) co_return;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  if (co_await writer.flush() == Sent::kOk) co_await writer.end();
}

/// Where the backend's answer arrives.
using PageSlot = std::optional<ConnectionPage>;

asio::awaitable<PageSlot> next_page(ClientPtr client, const SessionContext& context,
                                    std::uint64_t cursor) {
  if (context.is_stopped()) co_return std::nullopt;
  const auto slot = std::make_shared<PageSlot>();
  client->page_timer.expires_after(context.timeout);
  // The backend may keep its callback for longer than this session lives.
  context.backend.connections(cursor, [slot, weak = std::weak_ptr(client)](ConnectionPage page) {
    *slot = std::move(page);
    if (const auto waiting = weak.lock()) waiting->page_timer.cancel();
  });
  if (!*slot) co_await client->page_timer.async_wait(kAwait);
  co_return std::move(*slot);
}

asio::awaitable<void> send_connections(ClientPtr client, const SessionContext& context,
                                       unsigned version) {
  PageSlot page = co_await next_page(client, context, 0);
  if (!page) {
    co_await reply(client, context.timeout, http::status::gateway_timeout,
                   error_text("the dataplane did not answer"));
    co_return;
  }
  ListWriter writer(client, context.timeout, version);
  if (co_await writer.begin("{\"connections\":[") != Sent::kOk) co_return;
  while (page) {
    std::size_t items = 0;
    for (const ConnectionReport& connection : page->connections) {
      writer.add(connection);
      if (++items % kItemsPerPiece != 0) continue;
      if (co_await writer.flush() != Sent::kOk) co_return;
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
    if (co_await writer.flush() != Sent::kOk) co_return;
    if (page->next_cursor == 0) break;
    page = co_await next_page(client, context, page->next_cursor);
  }
  // Without an end the client sees that the list was cut.
  if (page) co_await writer.end();
}

asio::awaitable<void> answer(ClientPtr client, const SessionContext& context,
                             const Request& request) {
  const auto send = [&](http::status status, std::string body) {
    return reply(client, context.timeout, status, std::move(body));
  };
  std::string_view path(request.target().data(), request.target().size());
  path = path.substr(0, path.find('?'));
  const bool known = path == "/v1/status" || path == "/v1/services" || path == "/v1/vrrp" ||
                     path == "/v1/connections";
  if (!known) {
    co_await send(http::status::not_found, error_text("no such path: " + std::string(path)));
  } else if (request.method() != http::verb::get) {
    co_await send(http::status::method_not_allowed, error_text("only GET is supported"));
  } else if (path == "/v1/status") {
    co_await send(http::status::ok, serialize(to_json(context.backend.status())) + '\n');
  } else if (path == "/v1/vrrp") {
    co_await send(http::status::ok, serialize(to_json(context.backend.vrrp())) + '\n');
  } else if (path == "/v1/services") {
    co_await send_services(client, context, request.version());
  } else {
    co_await send_connections(client, context, request.version());
  }
}

// A status for what the parser refused; nullopt = there is nobody to answer.
std::optional<http::status> status_of(const beast::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return http::status::request_header_fields_too_large;
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  const bool is_http = error.category() == make_error_code(http::error::bad_value).category();
  return is_http ? std::optional(http::status::bad_request) : std::nullopt;
}

void close(Stream& stream) {
  beast::error_code ignored;
  stream.socket().shutdown(asio::local::stream_protocol::socket::shutdown_send, ignored);
  stream.close();
}

}  // namespace

asio::awaitable<void> serve(ClientPtr client, SessionContext context) {
  beast::flat_buffer buffer(kMaxRequestBytes);
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMaxRequestBytes);
  client->stream.expires_after(context.timeout);
  const auto [error, bytes] =
      co_await http::async_read_header(client->stream, buffer, parser, kAwait);
  if (context.is_stopped()) co_return;
  if (!error) {
    co_await answer(client, context, parser.get());
  } else if (const auto status = status_of(error)) {
    co_await reply(client, context.timeout, *status, error_text(error.message()));
  }
  close(client->stream);
}

asio::awaitable<void> turn_away(ClientPtr client, std::chrono::milliseconds timeout) {
  beast::flat_buffer buffer(kMaxRequestBytes);
  http::request_parser<http::empty_body> parser;
  client->stream.expires_after(timeout);
  // Who is closed upon while still writing never gets to read why.
  const auto [error, bytes] =
      co_await http::async_read_header(client->stream, buffer, parser, kAwait);
  if (!error) {
    co_await reply(client, timeout, http::status::service_unavailable,
                   error_text("too many clients"));
  }
  close(client->stream);
}

}  // namespace keepline::api
