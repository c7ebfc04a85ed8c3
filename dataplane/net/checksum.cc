#include "dataplane/net/checksum.h"

namespace keepline::net {

std::uint64_t checksum_add(std::uint64_t sum, Bytes data) {
  const std::uint8_t* p = data.data();
  std::size_t left = data.size();
  // Whole 32-bit words: 2^32 of them fit before a 64-bit sum could overflow, frames are 64 KiB.
  for (; left >= 4; p += 4, left -= 4) {
    std::uint32_t word;
    std::memcpy(&word, p, 4);
    sum += word;
  }
  if (left >= 2) {
    std::uint16_t word;
    std::memcpy(&word, p, 2);
    sum += word;
    p += 2;
    left -= 2;
  }
  if (left != 0) sum += *p;  // little-endian: the byte is the high byte of a big-endian pair
  return sum;
}

be16 checksum_finish(std::uint64_t sum) {
  return be16::from_raw(static_cast<std::uint16_t>(~checksum_fold(sum)));
}

be16 checksum(Bytes data) {
  return checksum_finish(checksum_add(0, data));
}

std::uint64_t pseudo_header_sum(be32 source, be32 destination, std::uint8_t protocol,
                                std::uint16_t length) {
  return std::uint64_t{source.raw()} + destination.raw() + be16(protocol).raw() +
         be16(length).raw();
}

std::uint64_t pseudo_header_sum(const Ip6& source, const Ip6& destination, std::uint8_t protocol,
                                std::uint16_t length) {
  const std::uint64_t sum = std::uint64_t{be16(protocol).raw()} + be16(length).raw();
  return checksum_add(checksum_add(sum, source.bytes), destination.bytes);
}

}  // namespace keepline::net
