// Reading and changing a TCP header in place, its options included.
//
// PURE. Whatever the bytes are, nothing outside of the header is touched.
#pragma once

#include <algorithm>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

class TcpSegment {
 public:
  static constexpr std::size_t kMostHeader = 60;

  TcpSegment(const net::Packet& packet, const net::Parsed& parsed)
      : bytes_(packet.data + parsed.l4),
        length_(static_cast<std::size_t>(parsed.l3 + parsed.l3_length - parsed.l4)) {}

  net::TcpHeader& header() const { return *reinterpret_cast<net::TcpHeader*>(bytes_); }
  /// Its length in bytes with the options; what it claims may be wrong.
  std::size_t header_length() const { return static_cast<std::size_t>(bytes_[12] >> 4) * 4; }
  bool is_sound() const {
    return header_length() >= sizeof(net::TcpHeader) && header_length() <= length_;
  }
  std::size_t payload() const { return length_ - header_length(); }

  /// Writes `size` bytes at this place of the header and keeps the checksum right.
  void write(std::size_t at, const void* from, std::size_t size) {
    const std::size_t begin = at & ~std::size_t{1};
    const std::size_t end = (at + size + 1) & ~std::size_t{1};
    const std::uint16_t before =
        net::checksum_fold(net::checksum_add(0, {bytes_ + begin, end - begin}));
    std::memcpy(bytes_ + at, from, size);
    const std::uint16_t after =
        net::checksum_fold(net::checksum_add(0, {bytes_ + begin, end - begin}));
    net::ChecksumDelta::apply_delta(
        header().checksum, net::ChecksumDelta::sum(static_cast<std::uint16_t>(~before), after));
  }
  std::uint32_t read32(std::size_t at) const {
    std::uint32_t value;
    std::memcpy(&value, bytes_ + at, sizeof value);
    return __builtin_bswap32(value);
  }
  void write32(std::size_t at, std::uint32_t value) {
    const std::uint32_t wire = __builtin_bswap32(value);
    write(at, &wire, sizeof wire);
  }

  /// Calls `visit(kind, place of its value, length of its value)` for every option but padding.
  template <typename Visit>
  void for_each_option(Visit&& visit) const {
    const std::size_t end = header_length();
    for (std::size_t at = sizeof(net::TcpHeader); at < end;) {
      const std::uint8_t kind = bytes_[at];
      if (kind == kEnd) return;
      if (kind == kNoOperation) {
        ++at;
        continue;
      }
      if (at + 1 >= end || bytes_[at + 1] < 2 || at + bytes_[at + 1] > end) return;
      visit(kind, at + 2, static_cast<std::size_t>(bytes_[at + 1]) - 2);
      at += bytes_[at + 1];
    }
  }

  /// Makes `map(edge)` of every edge in the value of a SACK option.
  template <typename Map>
  void map_edges(std::size_t at, std::size_t size, Map&& map) {
    for (std::size_t edge = at; edge + 4 <= at + size; edge += 4) {
      write32(edge, map(read32(edge)));
    }
  }

  static constexpr std::uint8_t kEnd = 0;
  static constexpr std::uint8_t kNoOperation = 1;
  static constexpr std::uint8_t kMss = 2;
  static constexpr std::uint8_t kWindowScale = 3;
  static constexpr std::uint8_t kSackPermitted = 4;
  static constexpr std::uint8_t kSack = 5;
  static constexpr std::uint8_t kTimestamps = 8;

 private:
  std::uint8_t* bytes_;
  std::size_t length_;
};

/// The longest segment without options that fits into a packet of `mtu` bytes; zero: none does.
template <typename F>
constexpr std::uint16_t most_segment(std::uint16_t mtu) {
  constexpr std::size_t kHeaders = sizeof(typename F::Header) + sizeof(net::TcpHeader);
  return static_cast<std::uint16_t>(mtu > kHeaders ? mtu - kHeaders : 0);
}

/// Lets a SYN or SYN-ACK promise no longer segments than `most` bytes (RFC 9293 §3.7.1); without
/// the option it promises less anyway.
inline void clamp_mss(const net::Packet& packet, const net::Parsed& parsed, std::uint16_t most) {
  TcpSegment segment(packet, parsed);
  if (!segment.is_sound()) return;
  segment.for_each_option([&](std::uint8_t kind, std::size_t at, std::size_t size) {
    if (kind != TcpSegment::kMss || size != 2) return;
    net::be16 present;
    std::memcpy(&present, packet.data + parsed.l4 + at, sizeof present);
    if (present.value() <= most) return;
    const net::be16 less(most);
    segment.write(at, &less, sizeof less);
  });
}

}  // namespace keepline::lb
