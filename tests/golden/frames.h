// Frames for tests, made and checked by plain code of their own: nothing here uses the product's
// checksums or parser.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/net/headers.h"

namespace keepline::testing {

using FrameBytes = std::vector<std::uint8_t>;

inline net::Ip4 ip(std::string_view text) {
  return net::parse_ip4(text).value();
}

inline net::Mac mac(std::string_view text) {
  return net::parse_mac(text).value();
}

inline net::Endpoint4 endpoint(std::string_view address, std::uint16_t port) {
  return {ip(address), port};
}

/// RFC 1071 by definition: big-endian pairs, folded, complemented. `sum` continues another.
inline std::uint16_t reference_checksum(net::Bytes data, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < data.size(); i += 2) {
    sum += static_cast<std::uint32_t>(data[i] << 8) + (i + 1 < data.size() ? data[i + 1] : 0u);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

inline std::uint16_t u16_at(net::Bytes frame, std::size_t at) {
  return static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]);
}

inline void put16(FrameBytes& frame, std::size_t at, unsigned value) {
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value);
}

/// The pseudo header's part of a transport checksum, of the IP header at `l3`.
inline std::uint32_t pseudo_sum(net::Bytes frame, std::size_t l3, net::Protocol protocol,
                                std::size_t length) {
  const bool v6 = frame[l3] >> 4 == 6;
  std::uint32_t sum = static_cast<std::uint8_t>(protocol) + static_cast<std::uint32_t>(length);
  const std::size_t first = l3 + (v6 ? 8 : 12);
  for (std::size_t at = first; at < first + (v6 ? 32 : 8); at += 2) sum += u16_at(frame, at);
  return (sum & 0xffff) + (sum >> 16);
}

/// CRC32c by definition, bit by bit.
inline std::uint32_t reference_crc32c(net::Bytes data) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : data) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

/// An IPv4 or IPv6 frame in words; bytes_of() makes it real.
struct Datagram {
  net::Mac to;
  net::Mac from;
  net::Endpoint source;
  net::Endpoint destination;
  net::Protocol protocol = net::Protocol::kTcp;
  std::uint8_t flags = net::kTcpSyn;  ///< Of TCP; the type of SCTP's chunk.
  std::string payload = {};
  std::uint8_t ttl = 64;
  std::uint16_t fragment = 0x4000;  ///< DF.
  /// Bytes of IP options (no-operation), a multiple of 4; for IPv6 of a destination options header,
  /// a multiple of 8.
  std::size_t options = 0;
  bool udp_checksum = true;
  std::size_t padding = 0;  ///< Bytes behind the packet.
};

inline constexpr std::size_t kL3 = 14;

inline void append16(FrameBytes& frame, unsigned value) {
  frame.push_back(static_cast<std::uint8_t>(value >> 8));
  frame.push_back(static_cast<std::uint8_t>(value));
}

inline void append_ip(FrameBytes& frame, net::Ip4 address) {
  append16(frame, address.value() >> 16);
  append16(frame, address.value() & 0xffff);
}

inline void append_mac(FrameBytes& frame, const net::Mac& address) {
  frame.insert(frame.end(), address.bytes.begin(), address.bytes.end());
}

/// Makes the IPv4 header checksum right.
inline void fix_ip_checksum(FrameBytes& frame) {
  const std::size_t length = static_cast<std::size_t>(frame[kL3] & 0x0f) * 4;
  put16(frame, kL3 + 10, 0);
  put16(frame, kL3 + 10, reference_checksum(net::Bytes(frame).subspan(kL3, length)));
}

inline void append_ipv6_header(FrameBytes& frame, const Datagram& d, std::size_t l4_length) {
  append_mac(frame, d.to);
  append_mac(frame, d.from);
  append16(frame, net::kEtherTypeIpv6);
  append16(frame, 0x6120);  // traffic class and flow label: must survive
  append16(frame, 0xabcd);
  append16(frame, static_cast<unsigned>(d.options + l4_length));
  const auto protocol = static_cast<std::uint8_t>(d.protocol);
  frame.push_back(d.options == 0 ? protocol : net::kIpv6DestinationOptions);
  frame.push_back(d.ttl);
  for (const net::Endpoint* end : {&d.source, &d.destination}) {
    const auto& bytes = end->address.v6().bytes;
    frame.insert(frame.end(), bytes.begin(), bytes.end());
  }
  if (d.options == 0) return;
  frame.push_back(protocol);
  frame.push_back(static_cast<std::uint8_t>(d.options / 8 - 1));
  frame.insert(frame.end(), d.options - 2, std::uint8_t{0});  // Pad1
}

inline void append_ip_header(FrameBytes& frame, const Datagram& d, std::size_t l4_length) {
  if (d.source.address.is_v6()) return append_ipv6_header(frame, d, l4_length);
  append_mac(frame, d.to);
  append_mac(frame, d.from);
  append16(frame, net::kEtherTypeIpv4);
  frame.push_back(static_cast<std::uint8_t>(0x45 + d.options / 4));
  frame.push_back(0x10);  // TOS: must survive
  append16(frame, static_cast<unsigned>(20 + d.options + l4_length));
  append16(frame, 0xbeef);
  append16(frame, d.fragment);
  frame.push_back(d.ttl);
  frame.push_back(static_cast<std::uint8_t>(d.protocol));
  append16(frame, 0);
  append_ip(frame, d.source.address.v4());
  append_ip(frame, d.destination.address.v4());
  frame.insert(frame.end(), d.options, std::uint8_t{1});
  fix_ip_checksum(frame);
}

/// A packet of one chunk.
inline FrameBytes sctp_bytes_of(const Datagram& d) {
  FrameBytes frame;
  append_ip_header(frame, d, 16 + d.payload.size());
  const std::size_t l4 = frame.size();
  append16(frame, d.source.port);
  append16(frame, d.destination.port);
  append_ip(frame, net::Ip4(0x0a0b0c0d));  // verification tag
  frame.insert(frame.end(), 4, 0);
  frame.push_back(d.flags);
  frame.push_back(0);
  append16(frame, static_cast<unsigned>(4 + d.payload.size()));
  frame.insert(frame.end(), d.payload.begin(), d.payload.end());
  const std::uint32_t crc = reference_crc32c(net::Bytes(frame).subspan(l4));
  for (unsigned i = 0; i < 4; ++i) frame[l4 + 8 + i] = static_cast<std::uint8_t>(crc >> 8 * i);
  frame.insert(frame.end(), d.padding, std::uint8_t{0xdd});
  return frame;
}

inline FrameBytes bytes_of(const Datagram& d) {
  FrameBytes frame;
  if (d.protocol == net::Protocol::kSctp) return sctp_bytes_of(d);
  const bool tcp = d.protocol == net::Protocol::kTcp;
  const std::size_t l4_length = (tcp ? 20 : 8) + d.payload.size();
  append_ip_header(frame, d, l4_length);
  const std::size_t l4 = frame.size();
  append16(frame, d.source.port);
  append16(frame, d.destination.port);
  if (tcp) {
    append_ip(frame, net::Ip4(0x01020304));  // sequence
    append_ip(frame, net::Ip4(0x05060708));  // acknowledgement
    frame.push_back(0x50);
    frame.push_back(d.flags);
    append16(frame, 0xfaf0);
    append16(frame, 0);
    append16(frame, 0);
  } else {
    append16(frame, static_cast<unsigned>(l4_length));
    append16(frame, 0);
  }
  frame.insert(frame.end(), d.payload.begin(), d.payload.end());
  if (tcp || d.udp_checksum) {
    std::uint16_t sum = reference_checksum(net::Bytes(frame).subspan(l4),
                                           pseudo_sum(frame, kL3, d.protocol, l4_length));
    if (!tcp && sum == 0) sum = 0xffff;
    put16(frame, l4 + (tcp ? 16 : 6), sum);
  }
  frame.insert(frame.end(), d.padding, std::uint8_t{0xdd});
  return frame;
}

/// An ICMP echo request (or reply); ports of `d` are not used.
inline FrameBytes echo_of(const Datagram& d, std::uint8_t type) {
  Datagram datagram = d;
  datagram.protocol = net::Protocol::kIcmp;
  FrameBytes frame;
  append_ip_header(frame, datagram, 8 + d.payload.size());
  const std::size_t l4 = frame.size();
  append16(frame, static_cast<unsigned>(type) << 8);
  append16(frame, 0);
  append16(frame, 0x1234);
  append16(frame, 7);
  frame.insert(frame.end(), d.payload.begin(), d.payload.end());
  put16(frame, l4 + 2, reference_checksum(net::Bytes(frame).subspan(l4)));
  frame.insert(frame.end(), d.padding, std::uint8_t{0xdd});
  return frame;
}

/// An ICMP or ICMPv6 error (`rest` are its second four bytes) that quotes `about`, an IP packet;
/// ports and protocol of `d` are not used.
inline FrameBytes error_of(const Datagram& d, std::uint8_t type, std::uint8_t code,
                           std::uint32_t rest, net::Bytes about) {
  Datagram datagram = d;
  const bool v6 = d.source.address.is_v6();
  datagram.protocol = v6 ? net::Protocol::kIcmp6 : net::Protocol::kIcmp;
  FrameBytes frame;
  append_ip_header(frame, datagram, 8 + about.size());
  const std::size_t l4 = frame.size();
  frame.push_back(type);
  frame.push_back(code);
  append16(frame, 0);
  append16(frame, rest >> 16);
  append16(frame, rest & 0xffff);
  frame.insert(frame.end(), about.begin(), about.end());
  const std::uint32_t pseudo =
      v6 ? pseudo_sum(frame, kL3, datagram.protocol, frame.size() - l4) : 0;
  put16(frame, l4 + 2, reference_checksum(net::Bytes(frame).subspan(l4), pseudo));
  return frame;
}

/// As headers of our own making are: no traffic class, label or identification.
inline void make_plain(FrameBytes& frame) {
  if (frame[kL3] >> 4 == 6) {
    put16(frame, kL3, 0x6000);
    put16(frame, kL3 + 2, 0);
  } else {
    put16(frame, kL3, 0x4500);
    put16(frame, kL3 + 4, 0);
    fix_ip_checksum(frame);
  }
}

/// The IP packet of a frame, or its first bytes.
inline FrameBytes packet_of(const FrameBytes& frame, std::size_t most = 65535) {
  const auto end = std::min(frame.size(), kL3 + most);
  return {frame.begin() + kL3, frame.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// The frame's packet in fragments whose payloads have at most `most` bytes (a multiple of 8); of
/// IPv6 without extension headers.
inline std::vector<FrameBytes> fragments_of(const FrameBytes& frame, std::size_t most,
                                            std::uint16_t id = 0xbeef) {
  const bool v6 = frame[kL3] >> 4 == 6;
  const std::size_t header = v6 ? 40 : 20;
  const std::size_t l4 = kL3 + header;
  const std::size_t length = frame.size() - l4;
  std::vector<FrameBytes> fragments;
  for (std::size_t at = 0; at < length; at += most) {
    const std::size_t size = std::min(most, length - at);
    const bool more = at + size < length;
    FrameBytes each(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(l4));
    if (v6) {
      put16(each, kL3 + 4, static_cast<unsigned>(8 + size));
      each.push_back(each[kL3 + 6]);
      each[kL3 + 6] = net::kIpv6Fragment;
      each.push_back(0);
      append16(each, static_cast<unsigned>(at | (more ? 1 : 0)));
      append16(each, 0x1234);
      append16(each, id);
    } else {
      put16(each, kL3 + 2, static_cast<unsigned>(20 + size));
      put16(each, kL3 + 4, id);
      put16(each, kL3 + 6, static_cast<unsigned>(at / 8 | (more ? 0x2000 : 0)));
      fix_ip_checksum(each);
    }
    const auto from = frame.begin() + static_cast<std::ptrdiff_t>(l4 + at);
    each.insert(each.end(), from, from + static_cast<std::ptrdiff_t>(size));
    fragments.push_back(std::move(each));
  }
  return fragments;
}

struct Arp {
  net::Mac to;
  net::Mac from;
  std::uint16_t operation = net::kArpRequest;
  net::Mac sender_mac;
  net::Ip4 sender;
  net::Mac target_mac;
  net::Ip4 target;
};

inline FrameBytes bytes_of(const Arp& arp) {
  FrameBytes frame;
  append_mac(frame, arp.to);
  append_mac(frame, arp.from);
  append16(frame, net::kEtherTypeArp);
  append16(frame, 1);
  append16(frame, net::kEtherTypeIpv4);
  append16(frame, 0x0604);
  append16(frame, arp.operation);
  append_mac(frame, arp.sender_mac);
  append_ip(frame, arp.sender);
  append_mac(frame, arp.target_mac);
  append_ip(frame, arp.target);
  return frame;
}

/// Of SCTP's packet itself: the CRC in it.
inline bool crc32c_ok(net::Bytes packet) {
  FrameBytes copy(packet.begin(), packet.end());
  std::uint32_t sent = 0;
  std::memcpy(&sent, copy.data() + 8, sizeof sent);
  std::fill_n(copy.begin() + 8, sizeof sent, std::uint8_t{0});
  return sent == reference_crc32c(copy);
}

/// checksums_ok() of IPv6 with at most one extension header; a UDP checksum of zero is wrong there.
inline bool checksums_ok_v6(net::Bytes frame) {
  std::size_t l4 = kL3 + 40;
  std::uint8_t next = frame[kL3 + 6];
  if (next == net::kIpv6DestinationOptions) {
    next = frame[l4];
    l4 += (std::size_t{frame[l4 + 1]} + 1) * 8;
  }
  const std::size_t length = kL3 + 40 + u16_at(frame, kL3 + 4) - l4;
  if (next == static_cast<std::uint8_t>(net::Protocol::kSctp)) {
    return crc32c_ok(frame.subspan(l4, length));
  }
  return reference_checksum(frame.subspan(l4, length),
                            pseudo_sum(frame, kL3, static_cast<net::Protocol>(next), length)) == 0;
}

/// Whether the IP header's and the transport checksum are right (a UDP one of zero is, in IPv4).
inline bool checksums_ok(net::Bytes frame) {
  if (u16_at(frame, 12) == net::kEtherTypeIpv6) return checksums_ok_v6(frame);
  const std::size_t header = static_cast<std::size_t>(frame[kL3] & 0x0f) * 4;
  if (reference_checksum(frame.subspan(kL3, header)) != 0) return false;
  const std::size_t length = u16_at(frame, kL3 + 2) - header;
  const std::size_t l4 = kL3 + header;
  const auto transport = frame.subspan(l4, length);
  const auto protocol = static_cast<net::Protocol>(frame[kL3 + 9]);
  if (protocol == net::Protocol::kIcmp) return reference_checksum(transport) == 0;
  if (protocol == net::Protocol::kSctp) return crc32c_ok(transport);
  if (protocol == net::Protocol::kUdp && u16_at(frame, l4 + 6) == 0) return true;
  return reference_checksum(transport, pseudo_sum(frame, kL3, protocol, length)) == 0;
}

/// As hexadecimal with a space every 2 bytes, so that a difference can be read.
inline std::string hex(net::Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0 && i % 2 == 0) text += ' ';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace keepline::testing
