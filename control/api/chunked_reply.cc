#include "control/api/chunked_reply.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

namespace keepline::api {

namespace asio = boost::asio;

asio::awaitable<Sent> ChunkedReply::begin(std::string_view content_type, std::string_view piece) {
  std::string text = chunked_ ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.0 200 OK\r\n";
  text.append("Content-Type: ").append(content_type).append("\r\nConnection: close\r\n");
  if (chunked_) text += "Transfer-Encoding: chunked\r\n";
  text += "\r\n";
  co_return co_await send(text + framed(piece));
}

asio::awaitable<Sent> ChunkedReply::write(std::string_view piece) {
  co_return co_await send(framed(piece));
}

asio::awaitable<Sent> ChunkedReply::end(std::string_view piece) {
  co_return co_await send(framed(piece) + (chunked_ ? "0\r\n\r\n" : ""));
}

std::string ChunkedReply::framed(std::string_view text) const {
  if (!chunked_ || text.empty()) return std::string(text);
  char size[16];
  const auto [end, error] = std::to_chars(size, size + sizeof size, text.size(), 16);
  return std::string(size, end).append("\r\n").append(text).append("\r\n");
}

asio::awaitable<Sent> ChunkedReply::send(std::string text) {
  if (text.empty()) co_return Sent::kOk;
  client_->stream.expires_after(timeout_);
  const auto [error, bytes] = co_await asio::async_write(client_->stream, asio::buffer(text),
                                                         asio::as_tuple(asio::use_awaitable));
  co_return error ? Sent::kBroken : Sent::kOk;
}

}  // namespace keepline::api
