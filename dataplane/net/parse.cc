#include "dataplane/net/parse.h"

#include <cstddef>
#include <cstring>

#include "dataplane/net/checksum.h"

namespace keepline::net {

namespace {

constexpr std::uint16_t kHardwareEthernet = 1;
constexpr std::size_t kSctpChunkHeader = 4;

// Results are filled in where they are to be, field by field: handing them through by value costs
// more than parsing.
inline void dropped(Parsed& result, Drop reason) {
  result.kind = Kind::kDropped;
  result.drop = reason;
}

void parse_arp(const Packet& packet, std::uint16_t l3, Parsed& result) {
  if (packet.length < l3 + sizeof(ArpHeader)) return dropped(result, Drop::kTruncated);
  const auto* arp = packet.at<ArpHeader>(l3);
  if (arp->hardware_type.value() != kHardwareEthernet ||
      arp->protocol_type.value() != kEtherTypeIpv4 || arp->hardware_length != 6 ||
      arp->protocol_length != 4) {
    return dropped(result, Drop::kBadArp);
  }
  result.kind = Kind::kArp;
  result.l3 = l3;
}

Kind kind_of_icmp(std::uint8_t type) {
  switch (type) {
    case kIcmpEchoRequest:
      return Kind::kIcmpEcho;
    case kIcmpUnreachable:
    case kIcmpTimeExceeded:
    case kIcmpParameterProblem:
      return Kind::kIcmpError;
    default:
      return Kind::kOther;
  }
}

Kind kind_of_icmp6(std::uint8_t type, std::size_t length) {
  if (type < kIcmp6FirstInformation) return Kind::kIcmpError;
  if (type == kIcmp6EchoRequest) return Kind::kIcmpEcho;
  const bool is_whole = length >= sizeof(NeighbourSolicitation);
  return type == kIcmp6NeighbourSolicitation && is_whole ? Kind::kNeighbourSolicitation
                                                         : Kind::kOther;
}

// Fills in the transport part; `result` has everything of the IP header.
inline void parse_transport(const Packet& packet, Parsed& result) {
  const std::size_t payload = static_cast<std::size_t>(result.l3 + result.l3_length) - result.l4;
  const auto* transport = packet.at<std::uint8_t>(result.l4);
  switch (result.protocol) {
    [[likely]] case Protocol::kTcp
        : if (payload < sizeof(TcpHeader)) return dropped(result, Drop::kTruncated);
    result.kind = Kind::kFlow;
    std::memcpy(&result.ports, transport, sizeof result.ports);
    result.flags = transport[offsetof(TcpHeader, flags)];
    return;
    case Protocol::kUdp:
      if (payload < sizeof(UdpHeader)) return dropped(result, Drop::kTruncated);
      result.kind = Kind::kFlow;
      std::memcpy(&result.ports, transport, sizeof result.ports);
      result.flags = 0;
      return;
    case Protocol::kSctp:
      if (payload < sizeof(SctpHeader) + kSctpChunkHeader) {
        return dropped(result, Drop::kTruncated);
      }
      result.kind = Kind::kFlow;
      std::memcpy(&result.ports, transport, sizeof result.ports);
      result.flags = static_cast<std::uint8_t>(sctp_event(transport[sizeof(SctpHeader)]));
      return;
    case Protocol::kIcmp:
      if (payload < sizeof(IcmpHeader)) return dropped(result, Drop::kTruncated);
      result.kind = kind_of_icmp(transport[offsetof(IcmpHeader, type)]);
      return;
    case Protocol::kIcmp6:
      if (payload < sizeof(IcmpHeader)) return dropped(result, Drop::kTruncated);
      result.kind = kind_of_icmp6(transport[offsetof(IcmpHeader, type)], payload);
      return;
    default:
      result.kind = Kind::kOther;
      return;
  }
}

inline std::uint64_t word(const std::uint8_t* from) {
  std::uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Twenty bytes, the usual, without folding: as 2^16 is 1 modulo 0xffff, the folded sum is all ones
// just when the sum of larger words is a multiple of 0xffff (and not zero, which a version of 4
// excludes). A number is a multiple when its product with the inverse modulo 2^64 is small.
inline bool header_checksum_ok(const std::uint8_t* header, std::size_t length) {
  if (length != sizeof(Ipv4Header)) return checksum({header, length}).value() == 0;
  constexpr std::uint64_t kInverse = 0xfffe'fffe'fffe'ffff;
  constexpr std::uint64_t kMost = 0xffff'ffff'ffff'ffff / 0xffff;
  static_assert(kInverse * 0xffff == 1);
  const std::uint64_t sum =
      word(header) + word(header + 4) + word(header + 8) + word(header + 12) + word(header + 16);
  return sum * kInverse <= kMost;
}

// An authentication header in front of an advert is VRRP's; any other is the kernel's affair.
Kind kind_behind_ah(const Packet& packet, const Parsed& parsed) {
  const bool is_vrrp = parsed.l3_length > parsed.l4 - parsed.l3 &&
                       packet.data[parsed.l4] == static_cast<std::uint8_t>(Protocol::kVrrp);
  return is_vrrp ? Kind::kVrrp : Kind::kOther;
}

// What follows the checks of version and header; `header_length` is a constant where it is inlined.
[[gnu::always_inline]] inline void parse_ipv4_with(const Packet& packet, std::uint16_t l3,
                                                   std::size_t header_length, Parsed& result) {
  const std::size_t available = packet.length - l3;
  const auto* ip = packet.at<Ipv4Header>(l3);
  const std::size_t total_length = ip->total_length.value();
  if (total_length > available) return dropped(result, Drop::kTruncated);
  if (total_length < header_length) return dropped(result, Drop::kBadIpHeader);

  result.family = Family::kV4;
  result.l3 = l3;
  result.l4 = static_cast<std::uint16_t>(l3 + header_length);
  result.l3_length = static_cast<std::uint16_t>(total_length);
  result.protocol = static_cast<Protocol>(ip->protocol);
  // VRRP's own codec checks everything and counts by its own reasons.
  if (result.protocol == Protocol::kVrrp || result.protocol == Protocol::kAh) [[unlikely]] {
    result.kind = result.protocol == Protocol::kVrrp ? Kind::kVrrp : kind_behind_ah(packet, result);
    return;
  }
  if (!header_checksum_ok(packet.data + l3, header_length)) [[unlikely]]
    return dropped(result, Drop::kBadIpHeader);
  constexpr be16 kFragmentBits(kIpv4MoreFragments | kIpv4OffsetMask);
  if ((ip->fragment.raw() & kFragmentBits.raw()) != 0) [[unlikely]] {
    result.kind = Kind::kFragment;
    return;
  }
  parse_transport(packet, result);
}

inline void parse_ipv4(const Packet& packet, std::uint16_t l3, Parsed& result) {
  constexpr std::uint8_t kNoOptions = 0x45;
  if (packet.length < l3 + sizeof(Ipv4Header)) return dropped(result, Drop::kTruncated);
  const auto* ip = packet.at<Ipv4Header>(l3);
  if (ip->version_ihl == kNoOptions) [[likely]]
    return parse_ipv4_with(packet, l3, sizeof(Ipv4Header), result);
  if ((ip->version_ihl >> 4) != 4 || ip->header_length() < sizeof(Ipv4Header)) {
    return dropped(result, Drop::kBadIpHeader);
  }
  if (packet.length < l3 + ip->header_length()) return dropped(result, Drop::kTruncated);
  parse_ipv4_with(packet, l3, ip->header_length(), result);
}

inline void parse_ipv6(const Packet& packet, std::uint16_t l3, Parsed& result) {
  const std::size_t available = packet.length - l3;
  if (available < sizeof(Ipv6Header)) return dropped(result, Drop::kTruncated);
  const auto* ip = packet.at<Ipv6Header>(l3);
  if ((packet.data[l3] >> 4) != 6) return dropped(result, Drop::kBadIpHeader);
  const std::size_t length = sizeof(Ipv6Header) + ip->payload_length.value();
  if (length > available) return dropped(result, Drop::kTruncated);

  result.family = Family::kV6;
  result.l3 = l3;
  result.l3_length = static_cast<std::uint16_t>(length);
  const std::size_t end = l3 + length;
  std::size_t at = l3 + sizeof(Ipv6Header);
  std::uint8_t next = ip->next_header;
  for (int i = 0; i < kMaxExtensionHeaders && is_ipv6_extension(next); ++i) {
    if (at + 8 > end) return dropped(result, Drop::kTruncated);
    next = packet.data[at];
    at += (std::size_t{packet.data[at + 1]} + 1) * 8;
  }
  if (at > end) return dropped(result, Drop::kTruncated);
  result.l4 = static_cast<std::uint16_t>(at);
  result.protocol = static_cast<Protocol>(next);
  if (next == kIpv6Fragment) {
    result.kind = Kind::kFragment;
    return;
  }
  if (result.protocol == Protocol::kVrrp) {
    result.kind = Kind::kVrrp;
    return;
  }
  // Protocol 1 is of IPv4.
  if (result.protocol == Protocol::kIcmp) {
    result.kind = Kind::kOther;
    return;
  }
  parse_transport(packet, result);
}

inline void parse_one(const Packet& packet, Parsed& result) {
  if (packet.length < sizeof(EthernetHeader)) return dropped(result, Drop::kTruncated);
  constexpr std::uint16_t kL3 = sizeof(EthernetHeader);
  switch (packet.at<EthernetHeader>(0)->type.value()) {
    case kEtherTypeArp:
      return parse_arp(packet, kL3, result);
    case kEtherTypeIpv4:
      return parse_ipv4(packet, kL3, result);
    case kEtherTypeIpv6:
      return parse_ipv6(packet, kL3, result);
    default:
      result.kind = Kind::kOther;
  }
}

}  // namespace

Parsed parse(const Packet& packet) {
  Parsed result;
  parse_one(packet, result);
  return result;
}

// Counted in registers: through memory each packet would wait for the one before.
void parse_burst(std::span<const Packet> packets, Parsed* parsed, Sorted& sorted) {
  std::size_t flows4 = 0, flows6 = 0, others = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    parse_one(packets[i], parsed[i]);
    const auto place = static_cast<std::uint16_t>(i);
    if (parsed[i].kind != Kind::kFlow) [[unlikely]] {
      sorted.others.at[others++] = place;
    } else if (parsed[i].family == Family::kV4) {
      sorted.flows4.at[flows4++] = place;
    } else {
      sorted.flows6.at[flows6++] = place;
    }
  }
  sorted.flows4.count = flows4;
  sorted.flows6.count = flows6;
  sorted.others.count = others;
}

}  // namespace keepline::net
