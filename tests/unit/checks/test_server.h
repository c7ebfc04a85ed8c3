// A TCP server on 127.0.0.1 for the tests, in the same io_context as the probe under test.
//
// Test thread only. Each accepted connection runs one behaviour; everything ends with the
// io_context, which run_until bounds by kTestTimeout.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "checks/spec.h"

namespace keepline::checks {

namespace asio = boost::asio;
using asio::ip::tcp;

inline constexpr std::chrono::seconds kTestTimeout{20};
inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

using Behaviour = std::function<asio::awaitable<void>(tcp::socket)>;

/// Accepts until the io_context ends or close() is called.
class TestServer {
 public:
  TestServer(asio::io_context& io, Behaviour behaviour)
      : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()),
        behaviour_(std::move(behaviour)) {
    asio::co_spawn(io, accept(), asio::detached);
  }

  Endpoint endpoint() const { return {*net::parse_ip("127.0.0.1"), port_}; }
  int accepted() const { return accepted_; }
  /// From now on connections are refused.
  void close() { acceptor_.close(); }
  /// Accepts again on the same port.
  void reopen() {
    const tcp::endpoint local(asio::ip::address_v4::loopback(), port_);
    acceptor_ = tcp::acceptor(acceptor_.get_executor(), local);
    asio::co_spawn(acceptor_.get_executor(), accept(), asio::detached);
  }

 private:
  asio::awaitable<void> accept() {
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(kAwait);
      if (error) co_return;
      ++accepted_;
      asio::co_spawn(acceptor_.get_executor(), behaviour_(std::move(socket)), asio::detached);
    }
  }

  tcp::acceptor acceptor_;
  std::uint16_t port_;
  Behaviour behaviour_;
  int accepted_ = 0;
};

/// Reads a request up to the empty line; returns it.
inline asio::awaitable<std::string> read_request(tcp::socket& socket) {
  std::string text;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(text, 16384), "\r\n\r\n", kAwait);
  co_return text;
}

/// Answers every request with `response` and closes.
inline Behaviour answer(std::string response) {
  return [response](tcp::socket socket) -> asio::awaitable<void> {
    const std::string copy = response;
    co_await read_request(socket);
    co_await asio::async_write(socket, asio::buffer(copy), kAwait);
  };
}

/// Accepts and says nothing until the peer goes away.
inline Behaviour stay_silent() {
  return [](tcp::socket socket) -> asio::awaitable<void> {
    char byte;
    std::size_t bytes = 1;
    while (bytes > 0) {
      auto [error, count] = co_await socket.async_read_some(asio::buffer(&byte, 1), kAwait);
      bytes = error ? 0 : count;
    }
  };
}

/// Runs the loop until `done` says so; a failure of the test when that takes too long.
inline void run_until(asio::io_context& io, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kTestTimeout;
  io.restart();
  while (!done() && std::chrono::steady_clock::now() < deadline) {
    io.run_one_for(std::chrono::milliseconds(50));
    if (io.stopped()) io.restart();
  }
  EXPECT_TRUE(done()) << "gave up waiting";
}

}  // namespace keepline::checks
