#include "dataplane/lb/icmp/tunnelled.h"

#include <cstring>

#include "dataplane/lb/forward/tunnel_wire.h"

namespace keepline::lb {

using net::Packet;
using net::Parsed;

namespace {

struct Inside {
  std::size_t at;  // behind the tunnel's own header
  bool is_v6;
};

// Behind the outer IP header at `at`, whose payload is of this protocol; what is read ends before
// `end`.
std::optional<Inside> inside_of(const Packet& packet, std::uint8_t protocol, std::size_t at,
                                std::size_t end) {
  switch (protocol) {
    case kIpInIp:
    case kIpv6InIp:
      return Inside{at, protocol == kIpv6InIp};
    case kGre: {
      if (at + sizeof(GreHeader) > end) return std::nullopt;
      const auto* gre = packet.at<GreHeader>(at);
      const std::uint16_t flags = gre->flags.value();
      const std::uint16_t type = gre->protocol.value();
      const bool known = flags == 0 || flags == kGreHasChecksum;
      const bool is_ip = type == net::kEtherTypeIpv4 || type == net::kEtherTypeIpv6;
      if (!known || !is_ip) return std::nullopt;
      const std::size_t more = flags == 0 ? 0 : sizeof(GreChecksum);
      return Inside{at + sizeof(GreHeader) + more, type == net::kEtherTypeIpv6};
    }
    case kUdp: {
      const std::size_t behind_udp = at + sizeof(net::UdpHeader);
      if (behind_udp + sizeof(GueHeader) > end) return std::nullopt;
      const auto* gue = packet.at<GueHeader>(behind_udp);
      const bool is_ip = gue->protocol == kIpInIp || gue->protocol == kIpv6InIp;
      if (gue->version_length != 0 || !is_ip) return std::nullopt;
      return Inside{behind_udp + sizeof(GueHeader), gue->protocol == kIpv6InIp};
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Tunnelled> tunnelled_in(const Packet& packet, const Parsed& error) {
  const std::size_t outer = error.l4 + sizeof(net::IcmpHeader);
  const auto end = static_cast<std::size_t>(error.l3 + error.l3_length);
  Tunnelled result;
  std::optional<Inside> inside;
  if (error.family == net::Family::kV6) {
    if (outer + sizeof(net::Ipv6Header) > end) return std::nullopt;
    const auto* ip = packet.at<net::Ipv6Header>(outer);
    inside = inside_of(packet, ip->next_header, outer + sizeof(net::Ipv6Header), end);
    result.server = net::IpAddr(ip->destination);
  } else {
    if (outer + sizeof(net::Ipv4Header) > end) return std::nullopt;
    const auto* ip = packet.at<net::Ipv4Header>(outer);
    // Ours have no options and are no fragments.
    if (ip->version_ihl != 0x45 || (ip->fragment.value() & ~net::kIpv4DontFragment) != 0) {
      return std::nullopt;
    }
    inside = inside_of(packet, ip->protocol, outer + sizeof(net::Ipv4Header), end);
    result.server = net::IpAddr(net::Ip4(ip->destination));
  }
  if (!inside || inside->at >= end) return std::nullopt;
  result.family = inside->is_v6 ? net::Family::kV6 : net::Family::kV4;
  result.l3 = static_cast<std::uint16_t>(inside->at);
  result.length = static_cast<std::uint16_t>(end - inside->at);
  result.headers = static_cast<std::uint16_t>(inside->at - outer);
  return result;
}

std::optional<Hearing> hearing_of(const Packet& packet, const Parsed& error,
                                  const Tunnelled& tunnelled) {
  const auto* icmp = packet.at<net::IcmpHeader>(error.l4);
  const bool v6 = error.family == net::Family::kV6;
  const bool too_big = v6 ? icmp->type == net::kIcmp6TooBig
                          : icmp->type == net::kIcmpUnreachable && icmp->code == net::kIcmpTooBig;
  if (too_big) {
    const std::uint16_t mtu = icmp->sequence.value();
    if (mtu <= tunnelled.headers) return std::nullopt;
    return Hearing{Refusal::kTooBig, static_cast<std::uint16_t>(mtu - tunnelled.headers)};
  }
  if (icmp->type == (v6 ? net::kIcmp6TimeExceeded : net::kIcmpTimeExceeded)) {
    return Hearing{Refusal::kTtlExpired, 0};
  }
  if (icmp->type == (v6 ? net::kIcmp6Unreachable : net::kIcmpUnreachable)) {
    return Hearing{Refusal::kHostUnreachable, 0};
  }
  return std::nullopt;
}

void unwrap(Packet& packet, const Parsed& error, const Tunnelled& tunnelled) {
  const auto skipped = static_cast<std::uint16_t>(tunnelled.l3 - error.l3);
  std::memmove(packet.data + skipped, packet.data, sizeof(net::EthernetHeader));
  packet.data += skipped;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom + skipped);
  packet.length = static_cast<std::uint16_t>(error.l3 + tunnelled.length);
  const bool v6 = tunnelled.family == net::Family::kV6;
  packet.at<net::EthernetHeader>(0)->type.set(v6 ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4);
}

}  // namespace keepline::lb
