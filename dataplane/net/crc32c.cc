#include "dataplane/net/crc32c.h"

#include <array>
#include <bit>

namespace keepline::net {

namespace {

// Polynomials over GF(2) modulo Castagnoli's, the highest power in the lowest bit: as the CRC
// register of a little-endian machine has them.
using Polynomial = std::uint32_t;
static_assert(std::endian::native == std::endian::little);

constexpr Polynomial kModulus = 0x82f63b78;
constexpr Polynomial kX = 0x40000000;  // x to the first

constexpr Polynomial product(Polynomial a, Polynomial b) {
  Polynomial sum = 0;
  for (std::uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) sum ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kModulus : 0);  // times x
  }
  return sum;
}

// x to the 8 · 2^i: a byte further, two, four...
constexpr std::array<Polynomial, 16> powers() {
  std::array<Polynomial, 16> result{};
  result[0] =
      product(product(product(kX, kX), product(kX, kX)), product(product(kX, kX), product(kX, kX)));
  for (std::size_t i = 1; i < result.size(); ++i) {
    result[i] = product(result[i - 1], result[i - 1]);
  }
  return result;
}
constexpr auto kPowers = powers();

}  // namespace

std::uint32_t crc32c_change(std::uint32_t change, std::size_t length) {
  Polynomial result = change;
  for (std::size_t i = 0; i < kPowers.size(); ++i) {
    if ((length >> i & 1) != 0) result = product(result, kPowers[i]);
  }
  return result;
}

}  // namespace keepline::net
