#include "dataplane/lb/icmp/tunnelled.h"

#include <algorithm>
#include <cstring>

namespace keepline::lb {

using net::Packet;
using net::Parsed;

namespace {

constexpr std::uint8_t kIpInIp = 4;
constexpr std::uint8_t kIpv6InIp = 41;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kGre = 47;
constexpr std::size_t kGreBytes = 4;
constexpr std::size_t kGueBytes = 4;
constexpr std::uint32_t kGreChecksum = 0x8000;

struct Inside {
  std::size_t at;  // behind the tunnel's own header
  bool is_v6;
};

std::uint16_t word_at(const Packet& packet, std::size_t at) {
  return packet.at<net::be16>(at)->value();
}

// Behind the outer IP header at `at`, whose payload is of this protocol; what is read ends before
// `end`.
std::optional<Inside> inside_of(const Packet& packet, std::uint8_t protocol, std::size_t at,
                                std::size_t end) {
  switch (protocol) {
    case kIpInIp:
    case kIpv6InIp:
      return Inside{at, protocol == kIpv6InIp};
    case kGre: {
      if (at + kGreBytes > end) return std::nullopt;
      const std::uint16_t flags = word_at(packet, at);
      const std::uint16_t type = word_at(packet, at + 2);
      const bool known = flags == 0 || flags == kGreChecksum;
      const bool is_ip = type == net::kEtherTypeIpv4 || type == net::kEtherTypeIpv6;
      if (!known || !is_ip) return std::nullopt;
      return Inside{at + kGreBytes + (flags != 0 ? kGreBytes : 0), type == net::kEtherTypeIpv6};
    }
    case kUdp: {
      const std::size_t gue = at + sizeof(net::UdpHeader);
      if (gue + kGueBytes > end || packet.data[gue] != 0) return std::nullopt;
      const std::uint8_t next = packet.data[gue + 1];
      if (next != kIpInIp && next != kIpv6InIp) return std::nullopt;
      return Inside{gue + kGueBytes, next == kIpv6InIp};
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
