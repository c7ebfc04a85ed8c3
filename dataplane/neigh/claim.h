// Claims: a node that is about to become master of a VIP tells the node that is, before it leads
// anybody to itself.
//
// PURE; the control thread builds them, workers look for them. A claim is the question whether
// somebody has the address that is asked before one takes it, but asked of VRRP routers only: an
// ARP probe (RFC 5227 §2.1.1) or the solicitation of address detection (RFC 4862 §5.4.2) to the
// link address of their group. To who does not know claims it is that question. Whoever else asks
// it asks everybody, or the group that listens for the address.
#pragma once

#include <array>

#include "dataplane/neigh/arp.h"
#include "dataplane/net/headers.h"
#include "dataplane/net/packet.h"

namespace keepline::neigh {

using SolicitationFrame =
    std::array<std::uint8_t, sizeof(net::EthernetHeader) + sizeof(net::Ipv6Header) +
                                 sizeof(net::NeighbourSolicitation)>;

/// `mac` is about to have the address `vip`; to the link address `routers` of a VRRP group.
ArpFrame make_claim(net::Ip4 vip, const net::Mac& mac, const net::Mac& routers);
SolicitationFrame make_claim(const net::Ip6& vip, const net::Mac& mac, const net::Mac& routers);

/// Of a parsed ARP request.
inline bool is_claim(const net::Packet& packet, const net::ArpHeader& arp) {
  const net::Mac& to = packet.at<net::EthernetHeader>(0)->destination;
  return net::Ip4(arp.sender_ip).is_zero() && to.is_multicast() && to != net::kBroadcastMac;
}

/// Of a sound solicitation, asked by `asker`.
inline bool is_claim(const net::Packet& packet, const net::Ip6& asker) {
  // RFC 2464 §7, RFC 4291 §2.7.1: that of a solicited-node group has ff there.
  const net::Mac& to = packet.at<net::EthernetHeader>(0)->destination;
  return asker.is_zero() && to.is_multicast() && to.bytes[2] != 0xff;
}

}  // namespace keepline::neigh
