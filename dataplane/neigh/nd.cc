#include "dataplane/neigh/nd.h"

#include <cstring>

#include "dataplane/neigh/discovery_frame.h"
#include "dataplane/net/checksum.h"

namespace keepline::neigh {

namespace {

constexpr net::Mac kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};
constexpr net::Ip6 kAllNodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

// The target is the VIP; it is also the source when nobody had asked for it.
AdvertisementFrame make_frame(const DiscoveryEnds& ends, const net::Ip6& target,
                              std::uint32_t flags) {
  net::NeighbourAdvertisement advertisement{};
  advertisement.type = net::kIcmp6NeighbourAdvertisement;
  advertisement.flags = net::be32(flags);
  advertisement.target = target;
  advertisement.option_type = net::kOptionTargetLinkAddress;
  advertisement.option_length = 1;
  advertisement.target_mac = ends.from_mac;
  return make_discovery_frame(ends, advertisement);
}

std::uint32_t flag_of(Role role) {
  return role == Role::kRouter ? net::kAdvertisementRouter : 0;
}

}  // namespace

AdvertisementFrame make_unsolicited_advertisement(const net::Ip6& vip, const net::Mac& mac,
                                                  Role role) {
  return make_frame({mac, kAllNodesMac, vip, kAllNodes}, vip,
                    net::kAdvertisementOverride | flag_of(role));
}

std::optional<net::Ip6> solicited_target(const net::Packet& packet, const net::Parsed& parsed) {
  const auto* ip = packet.at<net::Ipv6Header>(parsed.l3);
  const auto* asked = packet.at<net::NeighbourSolicitation>(parsed.l4);
  const auto length = static_cast<std::uint16_t>(parsed.l3 + parsed.l3_length - parsed.l4);
  if (ip->hop_limit != kDiscoveryHopLimit || asked->code != 0) return std::nullopt;
  const std::uint64_t pseudo =
      net::pseudo_header_sum(ip->source, ip->destination, net::kIpv6Icmp, length);
  const std::uint64_t sum = net::checksum_add(pseudo, {packet.data + parsed.l4, length});
  if (net::checksum_finish(sum).value() != 0) return std::nullopt;
  return asked->target;
}

// To the frame's sender rather than to an address that an option tells: that is who can be reached.
// One that has no address yet hears of it with all others (RFC 4861 §7.2.4).
bool make_advertisement(net::Packet& packet, const net::Parsed& parsed, const net::Mac& mac,
                        Role role) {
  const net::Ip6 asker = packet.at<net::Ipv6Header>(parsed.l3)->source;
  const net::Ip6 target = packet.at<net::NeighbourSolicitation>(parsed.l4)->target;
  const bool has_address = !asker.is_zero();
  const DiscoveryEnds ends{mac,
                           has_address ? packet.at<net::EthernetHeader>(0)->source : kAllNodesMac,
                           target, has_address ? asker : kAllNodes};
  const std::uint32_t solicited = has_address ? net::kAdvertisementSolicited : 0;
  const AdvertisementFrame frame =
      make_frame(ends, target, net::kAdvertisementOverride | solicited | flag_of(role));
  const std::size_t more = frame.size() > packet.length ? frame.size() - packet.length : 0;
  if (packet.headroom < more) return false;
  packet.data -= more;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom - more);
  packet.length = frame.size();
  std::memcpy(packet.data, frame.data(), frame.size());
  return true;
}

}  // namespace keepline::neigh
