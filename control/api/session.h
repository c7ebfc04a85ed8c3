// One client of the API: reads its request, writes its answer, and is gone.
//
// A coroutine on the control thread; at most kMaxClients exist. Bounds: kMaxRequestBytes to read,
// the client timeout for each read, write and backend answer, kItemsPerPiece items of a list turned
// into text at a time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "control/api/server.h"

namespace keepline::api {

/// Of a unix or a TCP socket.
using Stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;

/// The I/O objects of one client.
struct Client {
  explicit Client(boost::asio::generic::stream_protocol::socket socket)
      : stream(std::move(socket)), answer_timer(stream.get_executor()) {}

  /// Ends whatever the session is waiting for.
  void abort() {
    stream.close();
    answer_timer.cancel();
  }

  Stream stream;
  boost::asio::steady_timer answer_timer;  ///< Runs while the backend prepares an answer.
};

using ClientPtr = std::shared_ptr<Client>;

/// What a session needs of the server. `is_stopped` is asked before each call of the backend.
struct SessionContext {
  /// What a client may ask for: anybody who reaches the metrics' address has those, and no more.
  enum class Scope : std::uint8_t { kEverything, kMetrics };
  Scope scope;
  Backend& backend;
  std::chrono::milliseconds timeout;
  std::function<bool()> is_stopped;
};

/// Serves one request. The stream is closed on return.
boost::asio::awaitable<void> serve(ClientPtr client, SessionContext context);

/// Tells a client that there are too many of them, and closes.
boost::asio::awaitable<void> turn_away(ClientPtr client, std::chrono::milliseconds timeout);

}  // namespace keepline::api
