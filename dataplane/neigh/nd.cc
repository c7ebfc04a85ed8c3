#include "dataplane/neigh/nd.h"

#include <cstring>

#include "dataplane/net/checksum.h"

namespace keepline::neigh {

namespace {

constexpr net::Mac kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};
constexpr net::Ip6 kAllNodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
// RFC 4861 §7.1.2: whoever gets it with less takes it for a forgery from beyond a router.
constexpr std::uint8_t kHopLimit = 255;

}  // namespace

AdvertisementFrame make_unsolicited_advertisement(const net::Ip6& vip, const net::Mac& mac,
                                                  Role role) {
  const net::EthernetHeader ethernet{kAllNodesMac, mac, net::be16(net::kEtherTypeIpv6)};
  net::Ipv6Header ip{};
  ip.version_class_label = net::be32(0x60000000);
  ip.payload_length.set(sizeof(net::NeighbourAdvertisement));
  ip.next_header = net::kIpv6Icmp;
  ip.hop_limit = kHopLimit;
  ip.source = vip;
  ip.destination = kAllNodes;
  net::NeighbourAdvertisement advertisement{};
  advertisement.type = net::kIcmp6NeighbourAdvertisement;
  advertisement.flags = net::be32(net::kAdvertisementOverride |
                                  (role == Role::kRouter ? net::kAdvertisementRouter : 0));
  advertisement.target = vip;
  advertisement.option_type = net::kOptionTargetLinkAddress;
  advertisement.option_length = 1;
  advertisement.target_mac = mac;

  AdvertisementFrame frame{};
  std::uint8_t* at = frame.data();
  std::memcpy(at, &ethernet, sizeof ethernet);
  std::memcpy(at += sizeof ethernet, &ip, sizeof ip);
  std::memcpy(at += sizeof ip, &advertisement, sizeof advertisement);
  // RFC 8200 §8.1: both addresses, the length, the protocol.
  const net::be16 pseudo[] = {ip.payload_length, net::be16(ip.next_header)};
  std::uint64_t sum = net::checksum_add(0, {ip.source.bytes.data(), 2 * sizeof ip.source});
  sum = net::checksum_add(sum, {reinterpret_cast<const std::uint8_t*>(pseudo), sizeof pseudo});
  sum = net::checksum_add(sum, {at, sizeof advertisement});
  const net::be16 checksum = net::checksum_finish(sum);
  std::memcpy(at + offsetof(net::NeighbourAdvertisement, checksum), &checksum, sizeof checksum);
  return frame;
}

}  // namespace keepline::neigh
