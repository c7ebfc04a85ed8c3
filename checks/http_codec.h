// HTTP as a health check needs it: one request written, one response read piece by piece.
//
// PURE, incremental. The parser never sees more than the headers (at most kMaxHeaderBytes) and
// only points at the body; redirects are not followed and chunks are not decoded, as in
// keepalived. One parser per probe, used by that probe's coroutine only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/net/addr.h"

namespace keepline::checks {

inline constexpr std::size_t kMaxHeaderBytes = 8192;

/// http_protocol: 1.0, 1.0C (1.0 with Connection: close), 1.1 (always with Connection: close).
enum class HttpVersion : std::uint8_t { k10, k10Close, k11 };

/// The Host header of a probe without a virtualhost: always with the port, even port 80.
std::string default_host(const net::IpAddr& address, std::uint16_t port);

/// The request for a path; `host` goes out verbatim.
std::string build_request(HttpVersion version, std::string_view path, std::string_view host);

/// Reads one response.
class ResponseParser {
 public:
  enum class State : std::uint8_t {
    kHeaders,  ///< The headers are not complete.
    kBody,     ///< The body goes on.
    kDone,     ///< Content-Length bytes have come, or there can be no body.
    kBad,      ///< Not HTTP.
    kTooLong,  ///< Headers beyond kMaxHeaderBytes.
  };

  /// Takes the next bytes. Returns the part of `data` that belongs to the body: empty while the
  /// headers last, never anything beyond Content-Length.
  std::string_view feed(std::string_view data);

  /// Tells the parser that the server closed: a body without known end is complete then, one that
  /// is shorter than announced as well (keepalived only logs that). Headers cut short are kBad.
  void close();

  State state() const { return state_; }
  bool is_finished() const { return state_ != State::kHeaders && state_ != State::kBody; }
  /// 100..999 once the headers are complete, else 0.
  int status() const { return status_; }
  std::uint64_t body_bytes() const { return body_bytes_; }
  std::optional<std::uint64_t> content_length() const { return content_length_; }

 private:
  std::size_t take_headers(std::string_view data);
  void parse_headers();
  void parse_field(std::string_view line);

  State state_ = State::kHeaders;
  int status_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::optional<std::uint64_t> content_length_;
  std::size_t line_start_ = 0;  ///< Where the line that is being received begins in headers_.
  std::string headers_;
};

}  // namespace keepline::checks
