#include "dataplane/neigh/claim.h"

#include <cstring>

#include "dataplane/neigh/discovery_frame.h"

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
  net::NeighbourSolicitation asked{};
  asked.type = net::kIcmp6NeighbourSolicitation;
  asked.target = vip;
  return make_discovery_frame({mac, routers, net::Ip6(), solicited_node(vip)}, asked);
}

}  // namespace keepline::neigh
