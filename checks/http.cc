// HTTP_GET: one request, one response, judged by its status code and the MD5 of its body.
//
// Control thread. Bounds: connect_timeout per step, kMaxTimeoutsPerProbe of them in all (a server
// that drips one byte now and then is not well), kMaxHeaderBytes, kMaxBodyBytes.
#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <cassert>

#include "checks/connect.h"
#include "checks/deadline.h"
#include "checks/probes.h"

namespace keepline::checks {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kReadBytes = 16384;

/// What has been received, and the judgement on it.
struct Response {
  ResponseParser parser;
  Md5 md5;
  bool any_data = false;
};

std::string request_of(const HttpTarget& target, const UrlCheck& url) {
  const Endpoint& remote = target.connection.remote;
  std::string host = url.virtual_host;
  if (host.empty()) host = target.virtual_host;
  if (host.empty()) host = default_host(remote.address, remote.port);
  return build_request(target.version, url.path, host);
}

bool status_accepted(const UrlCheck& url, int status) {
  const auto contains = [status](const StatusRange& range) {
    return status >= range.first && status <= range.last;
  };
  if (url.statuses.empty()) return contains(StatusRange{});
  return std::any_of(url.statuses.begin(), url.statuses.end(), contains);
}

Outcome judge(const UrlCheck& url, Response& response) {
  const ResponseParser& parser = response.parser;
  if (!response.any_data) return {OutcomeKind::kNoData};
  if (parser.state() != ResponseParser::State::kDone) return {OutcomeKind::kBadResponse};
  if (!status_accepted(url, parser.status())) return {OutcomeKind::kBadStatus, parser.status()};
  if (!url.digest) return {OutcomeKind::kOk};
  const auto digest = response.md5.finish();
  // A library that refuses MD5 says nothing about the server.
  if (!digest) return {OutcomeKind::kNotRun};
  return {*digest == *url.digest ? OutcomeKind::kOk : OutcomeKind::kDigestMismatch};
}

// Reads to the end of the response. kOk = the parser has finished.
asio::awaitable<Outcome> receive(tcp::socket& socket, asio::steady_timer& timer,
                                 Duration read_timeout, TimePoint limit, Response& response) {
  std::array<char, kReadBytes> buffer;
  while (!response.parser.is_finished()) {
    const TimePoint deadline = std::min<TimePoint>(Clock::now() + read_timeout, limit);
    const IoResult read = co_await with_deadline(
        timer, deadline, socket.async_read_some(asio::buffer(buffer), asio::deferred));
    if (read.error == asio::error::eof) {
      response.parser.close();
      break;
    }
    if (read.error) co_return outcome_of(read.error);
    response.any_data = true;
    response.md5.update(response.parser.feed({buffer.data(), read.bytes}));
    if (response.parser.body_bytes() > kMaxBodyBytes) co_return Outcome{OutcomeKind::kTooLarge};
  }
  co_return Outcome{OutcomeKind::kOk};
}

}  // namespace

asio::awaitable<Outcome> probe_http(const HttpTarget& target, std::size_t url_index) {
  assert(url_index < target.urls.size());
  const UrlCheck& url = target.urls[url_index];
  const Duration timeout = target.connection.connect_timeout;
  const TimePoint limit = Clock::now() + kMaxTimeoutsPerProbe * timeout;
  const auto executor = co_await asio::this_coro::executor;
  tcp::socket socket(executor);
  asio::steady_timer timer(executor);

  const Outcome connected = co_await connect(socket, timer, target.connection);
  if (!connected.is_ok()) co_return connected;

  const std::string request = request_of(target, url);
  const IoResult sent =
      co_await with_deadline(timer, Clock::now() + timeout,
                             asio::async_write(socket, asio::buffer(request), asio::deferred));
  if (sent.error) co_return outcome_of(sent.error);

  Response response;
  const Outcome received = co_await receive(socket, timer, timeout, limit, response);
  if (!received.is_ok()) co_return received;
  co_return judge(url, response);
}

}  // namespace keepline::checks
