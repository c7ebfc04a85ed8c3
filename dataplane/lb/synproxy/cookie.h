// SYN cookies: a sequence number that says what a SYN asked for, so that nothing has to be kept of
// it until its sender has shown that it hears us (RFC 4987 §3.6).
//
// PURE. 22 bits of a keyed hash of both ends, the client's sequence number and the time; the rest
// are the time (64 s units, two bits), the segment size (one of eight), the window scale and
// whether selective acknowledgements were offered. One guess in four million is right.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/lb/conn/connection.h"

namespace keepline::lb {

/// What survives of a SYN's options, but for the timestamp.
struct SynOptions {
  static constexpr std::uint8_t kNoScale = 15;
  std::uint16_t mss = 536;               ///< RFC 9293 §3.7.1: without the option.
  std::uint8_t window_scale = kNoScale;  ///< 0 to 14 (RFC 7323 §2.2).
  bool selective = false;                ///< SACK permitted.
  friend bool operator==(const SynOptions&, const SynOptions&) = default;
};

class SynCookies {
 public:
  /// Cookies are of use for at least 64 seconds and at most twice that.
  static constexpr std::uint32_t kPeriod_s = 64;

  explicit SynCookies(std::uint64_t key) : key_(key) {}

  /// `sequence` is the SYN's own; the segment size becomes the next lower of the eight.
  template <typename F>
  std::uint32_t make(const FlowKey<F>& flow, std::uint32_t sequence, const SynOptions& options,
                     std::uint32_t now_s) const;
  /// Nothing: it is no cookie of ours for this SYN, or too old.
  template <typename F>
  std::optional<SynOptions> check(const FlowKey<F>& flow, std::uint32_t sequence,
                                  std::uint32_t cookie, std::uint32_t now_s) const;
  /// What a cookie that was checked before says.
  static SynOptions options_in(std::uint32_t cookie);

 private:
  template <typename F>
  std::uint32_t signature(const FlowKey<F>& flow, std::uint32_t sequence, std::uint32_t said,
                          std::uint32_t period) const;

  std::uint64_t key_;
};

}  // namespace keepline::lb
