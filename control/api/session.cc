// See session.h. Control thread only.
#include "control/api/session.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/capture_session.h"
#include "control/api/json.h"
#include "control/api/list_writer.h"
#include "control/api/metrics.h"
#include "control/api/reply.h"

namespace keepline::api {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::string_view kNoAnswer = "the dataplane did not answer";
constexpr std::string_view kTooManyQuestions = "the dataplane takes no more questions";

using Request = http::request<http::empty_body>;

std::string error_text(std::string_view message) {
  return serialize(boost::json::value{{"error", message}}) + '\n';
}

asio::awaitable<void> reply(ClientPtr client, std::chrono::milliseconds timeout,
                            http::status status, std::string body,
                            std::string_view content_type = kContentType) {
  http::response<http::string_body> response(status, 11);
  response.set(http::field::content_type, content_type);
  if (status == http::status::method_not_allowed) response.set(http::field::allow, "GET");
  response.keep_alive(false);
  response.body() = std::move(body);
  response.prepare_payload();
  client->stream.expires_after(timeout);
  co_await http::async_write(client->stream, response, kAwait);
}

asio::awaitable<void> send_services(ClientPtr client, const SessionContext& context,
                                    unsigned version) {
  ListWriter writer(client, context.timeout, version);
  std::uint64_t cursor = 0;
  do {
    ServicesReport report = context.backend.services(cursor);
    const std::vector<ServiceReport> services = std::move(report.services);
    report.services.clear();
    if (cursor == 0) {
      // The report without its list ends with "[]}"; the list is written in between.
      std::string opening = serialize(to_json(report));
      opening.resize(opening.size() - 2);
      if (co_await writer.begin(std::move(opening)) != Sent::kOk) co_return;
    }
    for (const ServiceReport& service : services) writer.add(service);
    if (co_await writer.flush() != Sent::kOk) co_return;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    // Without an end the client sees that the list was cut.
    if (context.is_stopped()) co_return;
    cursor = report.next_cursor;
  } while (cursor != 0);
  co_await writer.end();
}

// Gathered and written in pieces, sent as a whole: an exposition that was cut would be believed.
asio::awaitable<void> send_metrics(ClientPtr client, const SessionContext& context) {
  MetricsWriter writer(context.backend.status(), context.backend.lcores(), context.backend.vrrp(),
                       context.backend.bfd());
  std::uint64_t cursor = 0;
  do {
    ServicesReport report = context.backend.services(cursor);
    for (ServiceReport& service : report.services) writer.add(std::move(service));
    cursor = report.next_cursor;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    if (context.is_stopped()) co_return;
  } while (cursor != 0);
  while (writer.write_piece() == MetricsWriter::Piece::kMore) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  co_await reply(client, context.timeout, http::status::ok, writer.take_text(),
                 MetricsWriter::kContentType);
}

/// Waits for what `ask` hands to the callback that it is given; nullopt: it took too long.
template <typename Answer, typename Ask>
asio::awaitable<std::optional<Answer>> answer_of(ClientPtr client, const SessionContext& context,
                                                 Ask ask, std::chrono::milliseconds timeout) {
  if (context.is_stopped()) co_return std::nullopt;
  const auto slot = std::make_shared<std::optional<Answer>>();
  client->answer_timer.expires_after(timeout);
  // The backend may keep its callback for longer than this session lives.
  ask([slot, weak = std::weak_ptr(client)](Answer answer) {
    *slot = std::move(answer);
    if (const auto waiting = weak.lock()) waiting->answer_timer.cancel();
  });
  if (!*slot) co_await client->answer_timer.async_wait(kAwait);
  co_return std::move(*slot);
}

asio::awaitable<std::optional<ConnectionPage>> next_page(ClientPtr client,
                                                         const SessionContext& context,
                                                         const lb::ConnectionFilter& filter,
                                                         std::uint64_t cursor) {
  const auto ask = [&context, &filter, cursor](auto reply) {
    context.backend.connections(filter, cursor, std::move(reply));
  };
  return answer_of<ConnectionPage>(client, context, ask, context.timeout);
}

asio::awaitable<void> send_connections(ClientPtr client, const SessionContext& context,
                                       std::string_view query_text, unsigned version) {
  const auto query = parse_query(query_text);
  const ParsedConnectionFilter parsed =
      query ? parse_connection_filter(*query) : ParsedConnectionFilter{{}, "malformed query"};
  if (!parsed.error.empty()) {
    co_await reply(client, context.timeout, http::status::bad_request, error_text(parsed.error));
    co_return;
  }
  std::optional<ConnectionPage> page = co_await next_page(client, context, parsed.filter, 0);
  if (!page) {
    co_await reply(client, context.timeout, http::status::gateway_timeout, error_text(kNoAnswer));
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
    page = co_await next_page(client, context, parsed.filter, page->next_cursor);
  }
  // Without an end the client sees that the list was cut.
  if (page) co_await writer.end();
}

asio::awaitable<void> send_explanation(ClientPtr client, const SessionContext& context,
                                       std::string_view query_text) {
  const auto send = [&](http::status status, std::string body) {
    return reply(client, context.timeout, status, std::move(body));
  };
  const ParsedExplainQuery parsed = parse_explain_query(parse_query(query_text).value_or(Query()));
  if (!parsed.error.empty()) {
    co_await send(http::status::bad_request, error_text(parsed.error));
    co_return;
  }
  const auto answer = co_await answer_of<std::optional<ExplainReport>>(
      client, context,
      [&](auto callback) { context.backend.explain(parsed.query, std::move(callback)); },
      context.timeout);
  if (!answer) {
    co_await send(http::status::gateway_timeout, error_text(kNoAnswer));
  } else if (!*answer) {
    co_await send(http::status::service_unavailable, error_text(kTooManyQuestions));
  } else {
    co_await send(http::status::ok, serialize(to_json(**answer)) + '\n');
  }
}

asio::awaitable<void> switch_stages(ClientPtr client, const SessionContext& context,
                                    std::string_view query_text) {
  const auto send = [&](http::status status, std::string body) {
    return reply(client, context.timeout, status, std::move(body));
  };
  const Query query = parse_query(query_text).value_or(Query());
  const auto sampling = query.find("sampling");
  if (sampling == query.end() || (sampling->second != "on" && sampling->second != "off")) {
    co_await send(http::status::bad_request, error_text("sampling must be on or off"));
    co_return;
  }
  context.backend.sample_stages(sampling->second == "on");
  co_await send(http::status::ok, serialize(to_json(context.backend.stages())) + '\n');
}

asio::awaitable<void> reload(ClientPtr client, const SessionContext& context) {
  const auto answer = co_await answer_of<ReloadReport>(
      client, context, [&](auto callback) { context.backend.reload(std::move(callback)); },
      kReloadTimeout);
  if (answer) {
    co_await reply(client, context.timeout, http::status::ok, serialize(to_json(*answer)) + '\n');
  } else {
    co_await reply(client, context.timeout, http::status::gateway_timeout,
                   error_text("the reload goes on: see `keepline status`"));
  }
}

asio::awaitable<void> failover(ClientPtr client, const SessionContext& context,
                               std::string_view query_text) {
  const Query given = parse_query(query_text).value_or(Query());
  FailoverQuery query;
  if (const auto name = given.find("instance"); name != given.end()) query.instance = name->second;
  query.is_back = given.contains("back");
  const auto answer = co_await answer_of<FailoverReport>(
      client, context, [&](auto callback) { context.backend.failover(query, std::move(callback)); },
      kReloadTimeout);
  const FailoverReport report = answer.value_or(FailoverReport{"no end within the time", {}});
  co_await reply(client, context.timeout, http::status::ok, serialize(to_json(report)) + '\n');
}

// What is answered at once and in one piece; nullopt: not this path.
std::optional<std::string> text_of(Backend& backend, std::string_view path) {
  if (path == "/v1/status") return serialize(to_json(backend.status()));
  if (path == "/v1/lcores") return serialize(to_json(backend.lcores()));
  if (path == "/v1/vrrp") return serialize(to_json(backend.vrrp()));
  if (path == "/v1/bfd") return serialize(to_json(backend.bfd()));
  if (path == "/v1/stages") return serialize(to_json(backend.stages()));
  return std::nullopt;
}

bool is_known(std::string_view path) {
  constexpr std::string_view kPaths[] = {
      "/v1/status",  "/v1/lcores", "/v1/services", "/v1/vrrp",   "/v1/bfd",      "/v1/connections",
      "/v1/explain", "/v1/stages", "/v1/capture",  "/v1/reload", "/v1/failover", "/metrics"};
  return std::find(std::begin(kPaths), std::end(kPaths), path) != std::end(kPaths);
}

asio::awaitable<void> answer(ClientPtr client, const SessionContext& context,
                             const Request& request) {
  const auto send = [&](http::status status, std::string body) {
    return reply(client, context.timeout, status, std::move(body));
  };
  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query = target.substr(std::min(path.size() + 1, target.size()));
  const bool allowed = context.scope == SessionContext::Scope::kEverything || path == "/metrics";
  if (!is_known(path) || !allowed) {
    co_await send(http::status::not_found, error_text("no such path: " + std::string(path)));
  } else if (request.method() == http::verb::post && path == "/v1/stages") {
    co_await switch_stages(client, context, query);
  } else if (path == "/v1/reload" || path == "/v1/failover") {
    if (request.method() == http::verb::post) {
      if (path == "/v1/reload") co_await reload(client, context);
      if (path == "/v1/failover") co_await failover(client, context, query);
    } else {
      co_await send(http::status::method_not_allowed, error_text("only POST is supported"));
    }
  } else if (request.method() != http::verb::get) {
    co_await send(http::status::method_not_allowed, error_text("only GET is supported"));
  } else if (path == "/metrics") {
    co_await send_metrics(client, context);
  } else if (path == "/v1/services") {
    co_await send_services(client, context, request.version());
  } else if (path == "/v1/connections") {
    co_await send_connections(client, context, query, request.version());
  } else if (path == "/v1/capture") {
    co_await send_capture(client, context, query, request.version());
  } else if (path == "/v1/explain") {
    co_await send_explanation(client, context, query);
  } else if (const auto text = text_of(context.backend, path)) {
    co_await send(http::status::ok, *text + '\n');
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
  stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  stream.close();
}

}  // namespace

asio::awaitable<void> reply_bad_request(ClientPtr client, std::chrono::milliseconds timeout,
                                        std::string_view message) {
  co_await reply(client, timeout, http::status::bad_request, error_text(message));
}

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
