// Byte-order types: a value from the wire is a be16/be32 until somebody says value().
//
// PURE. There is deliberately no implicit conversion, arithmetic or ordering: forgetting a byte
// swap must not compile. Both types have alignment 1, so a header struct may lie anywhere in a
// frame.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace keepline::net {

static_assert(std::endian::native == std::endian::little, "only little-endian hosts are supported");

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

template <typename T>
class BigEndian {
 public:
  BigEndian() = default;
  constexpr explicit BigEndian(T host) { set(host); }

  /// The number in host order.
  constexpr T value() const {
    T result = 0;
    for (std::uint8_t byte : bytes_) result = static_cast<T>((result << 8) | byte);
    return result;
  }
  constexpr void set(T host) {
    for (std::size_t i = sizeof(T); i-- > 0; host = static_cast<T>(host >> 8)) {
      bytes_[i] = static_cast<std::uint8_t>(host);
    }
  }
  /// The number as it lies in memory (network order read as a host integer): for hashing,
  /// comparing and checksum deltas, where the order of bytes does not matter.
  T raw() const { return std::bit_cast<T>(bytes_); }
  static BigEndian from_raw(T raw) {
    BigEndian result;
    std::memcpy(result.bytes_, &raw, sizeof raw);
    return result;
  }
  friend constexpr bool operator==(const BigEndian&, const BigEndian&) = default;

 private:
  std::uint8_t bytes_[sizeof(T)] = {};
};

using be16 = BigEndian<std::uint16_t>;
using be32 = BigEndian<std::uint32_t>;
static_assert(sizeof(be16) == 2 && alignof(be16) == 1);
static_assert(sizeof(be32) == 4 && alignof(be32) == 1);

}  // namespace keepline::net
