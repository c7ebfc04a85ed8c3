// A long list as a reply, written piece by piece: {"services":[...]}.
//
// Control thread only, in a session's coroutine.
#pragma once

#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/chunked_reply.h"
#include "control/api/json.h"

namespace keepline::api {

inline constexpr std::string_view kContentType = "application/json";

class ListWriter {
 public:
  ListWriter(ClientPtr client, std::chrono::milliseconds timeout, unsigned version)
      : reply_(std::move(client), timeout, version) {}

  /// Sends the head and `opening`, the text up to and including '['.
  boost::asio::awaitable<Sent> begin(std::string opening) {
    co_return co_await reply_.begin(kContentType, opening);
  }
  /// Makes the item text, to be sent with the next flush().
  template <typename Item>
  void add(const Item& item) {
    if (!first_) pending_ += ',';
    first_ = false;
    pending_ += serialize(to_json(item));
  }
  boost::asio::awaitable<Sent> flush() {
    const std::string text = std::exchange(pending_, {});
    co_return co_await reply_.write(text);
  }
  boost::asio::awaitable<Sent> end() { co_return co_await reply_.end("]}\n"); }

 private:
  ChunkedReply reply_;
  bool first_ = true;
  std::string pending_;
};

}  // namespace keepline::api
