// Byte-order types: a value from the wire is a be16/be32 until somebody says value().
//
// PURE. There is deliberately no implicit conversion, arithmetic or ordering: forgetting a byte
// swap must not compile. Both types have alignment 1, so a header struct may lie anywhere in a
// frame.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
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
  constexpr T value() const { return swapped(raw()); }
  constexpr void set(T host) { *this = from_raw(swapped(host)); }
  /// The number as it lies in memory (network order read as a host integer): for hashing,
  /// comparing and checksum deltas, where the order of bytes does not matter.
  constexpr T raw() const { return std::bit_cast<T>(bytes_); }
  static constexpr BigEndian from_raw(T raw) {
    BigEndian result;
    result.bytes_ = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(raw);
    return result;
  }
  friend constexpr bool operator==(const BigEndian& a, const BigEndian& b) {
    return a.raw() == b.raw();  // one comparison, not one per byte
  }

 private:
  static constexpr T swapped(T value) {
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  }

  std::array<std::uint8_t, sizeof(T)> bytes_{};
};

using be16 = BigEndian<std::uint16_t>;
using be32 = BigEndian<std::uint32_t>;
static_assert(sizeof(be16) == 2 && alignof(be16) == 1);
static_assert(sizeof(be32) == 4 && alignof(be32) == 1);

}  // namespace keepline::net
