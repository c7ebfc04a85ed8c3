// The internet checksum: whole, pseudo header, and incremental update.
//
// PURE. Sums are kept un-complemented and in wire order (RFC 1071 §2: the sum does not care
// about byte order as long as everybody uses the same).
#pragma once

#include <bit>

#include "dataplane/net/headers.h"

namespace keepline::net {

/// Folds a running sum to 16 bits. Adding a number's halves to each other in both of its halves at
/// once leaves the sum, with its carry, in the upper one.
inline std::uint16_t checksum_fold(std::uint64_t sum) {
  const auto halves = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
  return static_cast<std::uint16_t>((halves + std::rotl(halves, 16)) >> 16);
}

/// Adds `data` to a running one's-complement sum. An odd last byte is padded with zero, so only
/// the last piece of a message may have an odd length.
std::uint64_t checksum_add(std::uint64_t sum, Bytes data);

/// Folds and complements a running sum into the value for a checksum field.
be16 checksum_finish(std::uint64_t sum);

/// RFC 1071 checksum of one piece of memory; zero when `data` includes a correct checksum.
be16 checksum(Bytes data);

/// Running sum of the IPv4 pseudo header (RFC 9293 §3.1), to be continued with checksum_add.
std::uint64_t pseudo_header_sum(be32 source, be32 destination, std::uint8_t protocol,
                                std::uint16_t length);

/// The same of IPv6 (RFC 8200 §8.1).
std::uint64_t pseudo_header_sum(const Ip6& source, const Ip6& destination, std::uint8_t protocol,
                                std::uint16_t length);

/// The change that replacing some fields makes to every checksum that covers them (RFC 1624).
class ChecksumDelta {
 public:
  void replace(be32 from, be32 to) { sum_ += std::uint64_t{~from.raw()} + to.raw(); }
  void replace(be16 from, be16 to) {
    sum_ += static_cast<std::uint64_t>(static_cast<std::uint16_t>(~from.raw())) + to.raw();
  }
  void replace(const Ip6& from, const Ip6& to) {
    for (const std::uint64_t half :
         {~from.raw_high(), ~from.raw_low(), to.raw_high(), to.raw_low()}) {
      sum_ += (half & 0xffffffff) + (half >> 32);
    }
  }
  /// As 16 bits, to be kept and applied with apply_delta().
  std::uint16_t folded() const { return checksum_fold(sum_); }
  /// Applies the change: HC' = ~(~HC + ~m + m'), RFC 1624 eqn. 3.
  void apply(be16& field) const { apply_delta(field, folded()); }

  static void apply_delta(be16& field, std::uint16_t delta) {
    field = be16::from_raw(
        static_cast<std::uint16_t>(~sum(static_cast<std::uint16_t>(~field.raw()), delta)));
  }
  /// Ones' complement sum of two changes.
  static std::uint16_t sum(std::uint16_t a, std::uint16_t b) {
    std::uint16_t result;
    const bool carry = __builtin_add_overflow(a, b, &result);
    return static_cast<std::uint16_t>(result + carry);
  }

 private:
  std::uint64_t sum_ = 0;
};

}  // namespace keepline::net
