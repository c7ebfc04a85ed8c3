#include "dataplane/net/parse.h"

#include "dataplane/net/checksum.h"

namespace keepline::net {

namespace {

constexpr std::uint16_t kHardwareEthernet = 1;

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

// Fills in the transport part; `result` has everything of the IP header.
inline void parse_transport(const Packet& packet, Parsed& result) {
  const std::size_t payload = static_cast<std::size_t>(result.l3 + result.l3_length) - result.l4;
  switch (result.protocol) {
    case Protocol::kTcp: {
      if (payload < sizeof(TcpHeader)) return dropped(result, Drop::kTruncated);
      const auto* tcp = packet.at<TcpHeader>(result.l4);
      result.kind = Kind::kFlow;
      result.source_port = tcp->source_port;
      result.destination_port = tcp->destination_port;
      result.tcp_flags = tcp->flags;
      return;
    }
    case Protocol::kUdp: {
      if (payload < sizeof(UdpHeader)) return dropped(result, Drop::kTruncated);
      const auto* udp = packet.at<UdpHeader>(result.l4);
      result.kind = Kind::kFlow;
      result.source_port = udp->source_port;
      result.destination_port = udp->destination_port;
      result.tcp_flags = 0;
      return;
    }
    case Protocol::kIcmp:
      if (payload < sizeof(IcmpHeader)) return dropped(result, Drop::kTruncated);
      result.kind = packet.at<IcmpHeader>(result.l4)->type == kIcmpEchoRequest ? Kind::kIcmpEcho
                                                                               : Kind::kOther;
      return;
    default:
      result.kind = Kind::kOther;
      return;
  }
}

// The header checksum. Twenty bytes, the usual, in five additions.
inline bool header_checksum_ok(const std::uint8_t* header, std::size_t length) {
  if (length != sizeof(Ipv4Header)) return checksum({header, length}).value() == 0;
  std::uint64_t words[2];
  std::uint32_t last;
  std::memcpy(words, header, sizeof words);
  std::memcpy(&last, header + sizeof words, sizeof last);
  // Sums with their carry put back in, of 64 bits, then 32, then 16 (RFC 1071 §2).
  std::uint64_t sum = words[0] + words[1];
  sum += sum < words[1];
  sum += last;
  sum += sum < last;
  std::uint32_t half = static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(sum >> 32);
  half += half < static_cast<std::uint32_t>(sum);
  auto folded = static_cast<std::uint32_t>((half & 0xffff) + (half >> 16));
  folded = (folded & 0xffff) + (folded >> 16);
  return folded == 0xffff;
}

inline void parse_ipv4(const Packet& packet, std::uint16_t l3, Parsed& result) {
  const std::size_t available = packet.length - l3;
  if (available < sizeof(Ipv4Header)) return dropped(result, Drop::kTruncated);
  const auto* ip = packet.at<Ipv4Header>(l3);
  const std::size_t header_length = ip->header_length();
  const std::size_t total_length = ip->total_length.value();
  if ((ip->version_ihl >> 4) != 4 || header_length < sizeof(Ipv4Header)) {
    return dropped(result, Drop::kBadIpHeader);
  }
  if (total_length > available || header_length > available)
    return dropped(result, Drop::kTruncated);
  if (total_length < header_length) return dropped(result, Drop::kBadIpHeader);

  result.family = Family::kV4;
  result.l3 = l3;
  result.l4 = static_cast<std::uint16_t>(l3 + header_length);
  result.l3_length = static_cast<std::uint16_t>(total_length);
  result.protocol = static_cast<Protocol>(ip->protocol);
  // VRRP's own codec checks everything and counts by its own reasons.
  if (result.protocol == Protocol::kVrrp) {
    result.kind = Kind::kVrrp;
    return;
  }
  if (!header_checksum_ok(packet.data + l3, header_length))
    return dropped(result, Drop::kBadIpHeader);
  if ((ip->fragment.value() & (kIpv4MoreFragments | kIpv4OffsetMask)) != 0) {
    result.kind = Kind::kFragment;
    return;
  }
  parse_transport(packet, result);
}

bool is_extension(std::uint8_t header) {
  return header == kIpv6HopByHop || header == kIpv6Routing || header == kIpv6DestinationOptions;
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
  for (int i = 0; i < kMaxExtensionHeaders && is_extension(next); ++i) {
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
  // VRRP and ICMP (protocol 1, not ICMPv6) are of IPv4 here.
  if (result.protocol != Protocol::kTcp && result.protocol != Protocol::kUdp) {
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

void parse_burst(std::span<const Packet> packets, Parsed* parsed) {
  for (std::size_t i = 0; i < packets.size(); ++i) parse_one(packets[i], parsed[i]);
}

}  // namespace keepline::net
