// The probes against small servers on the loopback, one for each way of answering.
#include "checks/probes.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <optional>

#include "tests/unit/checks/test_server.h"

namespace keepline::checks {
namespace {

using namespace std::chrono_literals;

class Probe : public ::testing::Test {
 protected:
  Outcome run(asio::awaitable<Outcome> probe) {
    std::optional<Outcome> result;
    asio::co_spawn(io_, std::move(probe), [&](std::exception_ptr error, Outcome outcome) {
      EXPECT_FALSE(error);
      result = outcome;
    });
    run_until(io_, [&] { return result.has_value(); });
    return result.value_or(Outcome{});
  }

  HttpTarget http(const TestServer& server) {
    HttpTarget target;
    target.connection.remote = server.endpoint();
    target.urls.emplace_back();
    return target;
  }

  /// The outcome of probing "/" on a server that behaves like this.
  Outcome probe(Behaviour behaviour, Duration timeout = 5s) {
    TestServer server(io_, std::move(behaviour));
    HttpTarget target = http(server);
    target.connection.connect_timeout = timeout;
    return run(probe_http(target, 0));
  }

  Outcome probe(const std::string& response) { return probe(answer(response)); }

  asio::io_context io_;
};

TEST_F(Probe, TcpOkWithoutAByte) {
  TestServer server(io_, stay_silent());
  TcpTarget target{server.endpoint()};
  EXPECT_EQ(run(probe_tcp(target)).kind, OutcomeKind::kOk);
}

TEST_F(Probe, TcpRefused) {
  TestServer server(io_, stay_silent());
  server.close();
  TcpTarget target{server.endpoint()};
  EXPECT_EQ(run(probe_tcp(target)).kind, OutcomeKind::kRefused);
}

TEST_F(Probe, TcpTimeoutWhenTheBacklogIsFull) {
  // A listener that nobody accepts from, filled up, leaves further SYNs unanswered.
  tcp::acceptor acceptor(io_);
  acceptor.open(tcp::v4());
  acceptor.bind({asio::ip::address_v4::loopback(), 0});
  acceptor.listen(0);
  std::vector<tcp::socket> fillers;
  TcpTarget target{{*net::parse_ip("127.0.0.1"), acceptor.local_endpoint().port()}};
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(io_);
    fillers.back().async_connect(acceptor.local_endpoint(), [](boost::system::error_code) {});
  }
  io_.poll();
  target.connect_timeout = 100ms;
  EXPECT_EQ(run(probe_tcp(target)).kind, OutcomeKind::kTimeout);
}

TEST_F(Probe, TcpBindto) {
  std::string peer;
  TestServer server(io_, [&](tcp::socket socket) -> asio::awaitable<void> {
    boost::system::error_code error;
    peer = socket.remote_endpoint(error).address().to_string();
    co_return;
  });
  TcpTarget target{server.endpoint()};
  target.bind_address = net::parse_ip("127.0.0.9");
  EXPECT_EQ(run(probe_tcp(target)).kind, OutcomeKind::kOk);
  run_until(io_, [&] { return !peer.empty(); });
  EXPECT_EQ(peer, "127.0.0.9");
}

TEST_F(Probe, BindFailureIsNotAFailureOfTheServer) {
  TestServer server(io_, stay_silent());
  TcpTarget target{server.endpoint()};
  target.bind_address = net::parse_ip("192.0.2.1");
  const Outcome outcome = run(probe_tcp(target));
  EXPECT_EQ(outcome.kind, OutcomeKind::kNotRun);
  EXPECT_EQ(outcome.detail, EADDRNOTAVAIL);
  EXPECT_FALSE(outcome.is_failure());
}

TEST_F(Probe, HttpOkByCloseAndByLength) {
  EXPECT_EQ(probe("HTTP/1.0 200 OK\r\n\r\nbody").kind, OutcomeKind::kOk);
  // A server that never closes: Content-Length ends the probe.
  EXPECT_EQ(probe([](tcp::socket socket) -> asio::awaitable<void> {
              co_await read_request(socket);
              const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
              co_await asio::async_write(socket, asio::buffer(text), kAwait);
              co_await stay_silent()(std::move(socket));
            }).kind,
            OutcomeKind::kOk);
}

TEST_F(Probe, HttpStatusOutsideTheSet) {
  EXPECT_EQ(probe("HTTP/1.1 500 Oops\r\n\r\n"), (Outcome{OutcomeKind::kBadStatus, 500}));
  EXPECT_EQ(probe("HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n"),
            (Outcome{OutcomeKind::kBadStatus, 301}));
}

TEST_F(Probe, HttpStatusRanges) {
  TestServer server(io_, answer("HTTP/1.1 301 Moved\r\n\r\n"));
  HttpTarget target = http(server);
  target.urls[0].statuses = {{200, 200}, {300, 301}};
  EXPECT_EQ(run(probe_http(target, 0)).kind, OutcomeKind::kOk);
  target.urls[0].statuses = {{200, 300}, {302, 599}};
  EXPECT_EQ(run(probe_http(target, 0)).kind, OutcomeKind::kBadStatus);
}

TEST_F(Probe, HttpDigestOfTheBodyAlone) {
  TestServer server(io_, answer("HTTP/1.1 200 OK\r\nX: y\r\n\r\nmessage digest"));
  HttpTarget target = http(server);
  target.urls[0].digest = parse_md5("f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(run(probe_http(target, 0)).kind, OutcomeKind::kOk);
  target.urls[0].digest = parse_md5("f96b697d7cb7938d525a2f31aaf161d1");
  EXPECT_EQ(run(probe_http(target, 0)).kind, OutcomeKind::kDigestMismatch);
}

TEST_F(Probe, HttpRequestAndVirtualHosts) {
  std::string request;
  TestServer server(io_, [&](tcp::socket socket) -> asio::awaitable<void> {
    request = co_await read_request(socket);
    const std::string text = "HTTP/1.0 200 OK\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(text), kAwait);
  });
  HttpTarget target = http(server);
  target.urls[0].path = "/health";
  run(probe_http(target, 0));
  EXPECT_EQ(request, "GET /health HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:" +
                         std::to_string(server.endpoint().port) + "\r\n\r\n");
  target.virtual_host = "check.example";
  run(probe_http(target, 0));
  EXPECT_NE(request.find("Host: check.example\r\n"), std::string::npos);
  target.urls[0].virtual_host = "url.example";
  run(probe_http(target, 0));
  EXPECT_NE(request.find("Host: url.example\r\n"), std::string::npos);
}

TEST_F(Probe, HttpGarbageAndSilence) {
  EXPECT_EQ(probe("SSH-2.0-OpenSSH_9.2\r\n").kind, OutcomeKind::kBadResponse);
  EXPECT_EQ(probe("HTTP/1.1 200 OK\r\nhalf").kind, OutcomeKind::kBadResponse);
  EXPECT_EQ(probe("").kind, OutcomeKind::kNoData);
  EXPECT_EQ(probe(stay_silent(), 100ms).kind, OutcomeKind::kTimeout);
}

TEST_F(Probe, HttpReset) {
  EXPECT_EQ(probe([](tcp::socket socket) -> asio::awaitable<void> {
              co_await read_request(socket);
              const std::string text = "HTTP/1.1 200 OK\r\n\r\npart";
              co_await asio::async_write(socket, asio::buffer(text), kAwait);
              socket.set_option(asio::socket_base::linger(true, 0));
              socket.close();
            }).kind,
            OutcomeKind::kReset);
}

// One byte at a time, each in time, without an end: the total bound ends it.
TEST_F(Probe, HttpSlowDrip) {
  const auto start = Clock::now();
  const auto drip = [](tcp::socket socket) -> asio::awaitable<void> {
    co_await read_request(socket);
    asio::steady_timer timer(socket.get_executor());
    std::string text = "HTTP/1.1 200 OK\r\n\r\n";
    boost::system::error_code broken;
    for (int i = 0; i < 10000 && !broken; ++i) {
      auto [error, bytes] = co_await asio::async_write(socket, asio::buffer(text), kAwait);
      broken = error;
      text = "x";
      timer.expires_after(std::chrono::milliseconds(10));
      co_await timer.async_wait(kAwait);
    }
  };
  EXPECT_EQ(probe(drip, 60ms).kind, OutcomeKind::kTimeout);
  EXPECT_GE(Clock::now() - start, kMaxTimeoutsPerProbe * 60ms);
}

TEST_F(Probe, CancellationEndsItAtOnce) {
  TestServer server(io_, stay_silent());
  const HttpTarget target = http(server);
  asio::cancellation_signal cancel;
  std::optional<Outcome> result;
  const auto body = [&]() -> asio::awaitable<Outcome> {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await probe_http(target, 0);
  };
  asio::co_spawn(
      io_, body(),
      asio::bind_cancellation_slot(cancel.slot(),
                                   [&](std::exception_ptr, Outcome outcome) { result = outcome; }));
  run_until(io_, [&] { return server.accepted() == 1; });
  EXPECT_FALSE(result);
  cancel.emit(asio::cancellation_type::terminal);
  run_until(io_, [&] { return result.has_value(); });
  EXPECT_EQ(result->kind, OutcomeKind::kNotRun);
  EXPECT_EQ(result->detail, ECANCELED);
}

}  // namespace
}  // namespace keepline::checks
