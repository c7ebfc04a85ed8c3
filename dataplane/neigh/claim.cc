#include "dataplane/neigh/claim.h"

#include <cstring>

#include "dataplane/neigh/nd.h"
#include "dataplane/net/checksum.h"

namespace keepline::neigh {

namespace {

/// RFC 4291 §2.7.1: the group that whoever has the address listens to.
net::Ip6 solicited_node(const net::Ip6& address) {
  net::Ip6 group{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}};
  std::memcpy(&group.bytes[13], &address.bytes[13], 3);
  return group;
}

}  // namespace

ArpFrame make_claim(net::Ip4 vip, const net::Mac& mac, const net::Mac& routers) {
  ArpFrame frame = make_gratuitous_arp(vip, mac);
  const net::be32 nobody{};
  std::memcpy(frame.data() + offsetof(net::EthernetHeader, destination), &routers, sizeof routers);
  std::memcpy(frame.data() + sizeof(net::EthernetHeader) + offsetof(net::ArpHeader, sender_ip),
              &nobody, sizeof nobody);
  return frame;
}

SolicitationFrame make_claim(const net::Ip6& vip, const net::Mac& mac, const net::Mac& routers) {
  const net::EthernetHeader ethernet{routers, mac, net::be16(net::kEtherTypeIpv6)};
  net::Ipv6Header ip{};
  ip.version_class_label = net::be32(0x60000000);
  ip.payload_length.set(sizeof(net::NeighbourSolicitation));
  ip.next_header = net::kIpv6Icmp;
  ip.hop_limit = kDiscoveryHopLimit;
  ip.destination = solicited_node(vip);
  net::NeighbourSolicitation asked{};
  asked.type = net::kIcmp6NeighbourSolicitation;
  asked.target = vip;

  SolicitationFrame frame{};
  std::uint8_t* at = frame.data();
  std::memcpy(at, &ethernet, sizeof ethernet);
  std::memcpy(at += sizeof ethernet, &ip, sizeof ip);
  std::memcpy(at += sizeof ip, &asked, sizeof asked);
  const std::uint64_t pseudo =
      net::pseudo_header_sum(ip.source, ip.destination, ip.next_header, sizeof asked);
  const net::be16 checksum = net::checksum_finish(net::checksum_add(pseudo, {at, sizeof asked}));
  std::memcpy(at + offsetof(net::NeighbourSolicitation, checksum), &checksum, sizeof checksum);
  return frame;
}

}  // namespace keepline::neigh
