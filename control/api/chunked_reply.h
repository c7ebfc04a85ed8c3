// A long answer that is written piece by piece: chunked for HTTP/1.1, so that a client can tell a
// cut one from a whole one; plain until close for 1.0.
//
// Control thread only, in a session's coroutine.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/session.h"

namespace keepline::api {

enum class Sent : std::uint8_t { kOk, kBroken };

class ChunkedReply {
 public:
  ChunkedReply(ClientPtr client, std::chrono::milliseconds timeout, unsigned version)
      : client_(std::move(client)), timeout_(timeout), chunked_(version >= 11) {}

  /// Sends the head and the first piece.
  boost::asio::awaitable<Sent> begin(std::string_view content_type, std::string_view piece);
  boost::asio::awaitable<Sent> write(std::string_view piece);
  /// Sends the last piece and the end.
  boost::asio::awaitable<Sent> end(std::string_view piece);

 private:
  std::string framed(std::string_view text) const;
  boost::asio::awaitable<Sent> send(std::string text);

  ClientPtr client_;
  std::chrono::milliseconds timeout_;
  bool chunked_;
};

}  // namespace keepline::api
