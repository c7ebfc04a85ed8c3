// A long list as a reply, written piece by piece: {"services":[...]}.
//
// Control thread only, in a session's coroutine. Chunked for HTTP/1.1, so that a client can tell a
// cut list from a whole one; plain until close for 1.0.
#pragma once

#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/json.h"
#include "control/api/session.h"

namespace keepline::api {

inline constexpr std::string_view kContentType = "application/json";

enum class Sent : std::uint8_t { kOk, kBroken };

class ListWriter {
 public:
  ListWriter(ClientPtr client, std::chrono::milliseconds timeout, unsigned version)
      : client_(std::move(client)), timeout_(timeout), chunked_(version >= 11) {}

  /// Sends the head and `opening`, the text up to and including '['.
  boost::asio::awaitable<Sent> begin(std::string opening);
  /// Makes the item text, to be sent with the next flush().
  template <typename Item>
  void add(const Item& item) {
    if (!first_) pending_ += ',';
    first_ = false;
    pending_ += serialize(to_json(item));
  }
  boost::asio::awaitable<Sent> flush();
  boost::asio::awaitable<Sent> end();

 private:
  std::string framed(std::string_view text) const;
  boost::asio::awaitable<Sent> send(std::string text);

  ClientPtr client_;
  std::chrono::milliseconds timeout_;
  bool chunked_;
  bool first_ = true;
  std::string pending_;
};

}  // namespace keepline::api
