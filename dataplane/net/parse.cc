#include "dataplane/net/parse.h"

#include "dataplane/net/checksum.h"

namespace keepline::net {

namespace {

constexpr std::uint16_t kHardwareEthernet = 1;

Parsed dropped(Drop reason) {
  Parsed result;
  result.drop = reason;
  return result;
}

Parsed parse_arp(const Packet& packet, std::uint16_t l3) {
  if (packet.length < l3 + sizeof(ArpHeader)) return dropped(Drop::kTruncated);
  const auto* arp = packet.at<ArpHeader>(l3);
  if (arp->hardware_type.value() != kHardwareEthernet ||
      arp->protocol_type.value() != kEtherTypeIpv4 || arp->hardware_length != 6 ||
      arp->protocol_length != 4) {
    return dropped(Drop::kBadArp);
  }
  Parsed result;
  result.kind = Kind::kArp;
  result.l3 = l3;
  result.source = arp->sender_ip;
  result.destination = arp->target_ip;
  return result;
}

// Fills in the transport part; `result` has everything of the IPv4 header.
Parsed parse_transport(const Packet& packet, Parsed result) {
  const std::size_t payload = static_cast<std::size_t>(result.l3 + result.l3_length) - result.l4;
  switch (result.protocol) {
    case Protocol::kTcp: {
      if (payload < sizeof(TcpHeader)) return dropped(Drop::kTruncated);
      const auto* tcp = packet.at<TcpHeader>(result.l4);
      result.kind = Kind::kFlow;
      result.source_port = tcp->source_port;
      result.destination_port = tcp->destination_port;
      result.tcp_flags = tcp->flags;
      return result;
    }
    case Protocol::kUdp: {
      if (payload < sizeof(UdpHeader)) return dropped(Drop::kTruncated);
      const auto* udp = packet.at<UdpHeader>(result.l4);
      result.kind = Kind::kFlow;
      result.source_port = udp->source_port;
      result.destination_port = udp->destination_port;
      return result;
    }
    case Protocol::kIcmp:
      if (payload < sizeof(IcmpHeader)) return dropped(Drop::kTruncated);
      result.kind = packet.at<IcmpHeader>(result.l4)->type == kIcmpEchoRequest ? Kind::kIcmpEcho
                                                                               : Kind::kOther;
      return result;
    default:
      result.kind = Kind::kOther;
      return result;
  }
}

Parsed parse_ipv4(const Packet& packet, std::uint16_t l3) {
  const std::size_t available = packet.length - l3;
  if (available < sizeof(Ipv4Header)) return dropped(Drop::kTruncated);
  const auto* ip = packet.at<Ipv4Header>(l3);
  const std::size_t header_length = ip->header_length();
  const std::size_t total_length = ip->total_length.value();
  if ((ip->version_ihl >> 4) != 4 || header_length < sizeof(Ipv4Header)) {
    return dropped(Drop::kBadIpHeader);
  }
  if (total_length > available || header_length > available) return dropped(Drop::kTruncated);
  if (total_length < header_length) return dropped(Drop::kBadIpHeader);

  Parsed result;
  result.l3 = l3;
  result.l4 = static_cast<std::uint16_t>(l3 + header_length);
  result.l3_length = static_cast<std::uint16_t>(total_length);
  result.protocol = static_cast<Protocol>(ip->protocol);
  result.source = ip->source;
  result.destination = ip->destination;
  // VRRP's own codec checks everything and counts by its own reasons.
  if (result.protocol == Protocol::kVrrp) {
    result.kind = Kind::kVrrp;
    return result;
  }
  if (checksum({packet.data + l3, header_length}).value() != 0) return dropped(Drop::kBadIpHeader);
  if ((ip->fragment.value() & (kIpv4MoreFragments | kIpv4OffsetMask)) != 0) {
    result.kind = Kind::kFragment;
    return result;
  }
  return parse_transport(packet, result);
}

}  // namespace

Parsed parse(const Packet& packet) {
  if (packet.length < sizeof(EthernetHeader)) return dropped(Drop::kTruncated);
  constexpr std::uint16_t kL3 = sizeof(EthernetHeader);
  switch (packet.at<EthernetHeader>(0)->type.value()) {
    case kEtherTypeArp:
      return parse_arp(packet, kL3);
    case kEtherTypeIpv4:
      return parse_ipv4(packet, kL3);
    default: {
      Parsed result;
      result.kind = Kind::kOther;
      return result;
    }
  }
}

}  // namespace keepline::net
