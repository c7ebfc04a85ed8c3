// Claims: a node that is about to become master of a VIP tells the node that is, before it leads
// anybody to itself.
//
// PURE; the control thread builds them, workers look for them. A claim is the question whether
// somebody has the address that is asked before one takes it, but asked of VRRP routers only: an
// ARP probe (RFC 5227 §2.1.1) or the solicitation of address detection (RFC 4862 §5.4.2) to the
// link address of their group. No client hears it, and to who does not know claims it is that
// question.
#pragma once

#include <array>

#include "dataplane/neigh/arp.h"
#include "dataplane/net/headers.h"
#include "dataplane/net/packet.h"

namespace keepline::neigh {

/// Of 224.0.0.18 and ff02::12 (RFC 9568 §7.2).
inline constexpr net::Mac kRoutersMac{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12}};
inline constexpr net::Mac kRouters6Mac{{0x33, 0x33, 0x00, 0x00, 0x00, 0x12}};

using SolicitationFrame =
    std::array<std::uint8_t, sizeof(net::EthernetHeader) + sizeof(net::Ipv6Header) +
                                 sizeof(net::NeighbourSolicitation)>;

/// `mac` is about to have the address `vip`.
ArpFrame make_claim(net::Ip4 vip, const net::Mac& mac);
SolicitationFrame make_claim(const net::Ip6& vip, const net::Mac& mac);

/// Of a parsed ARP request.
inline bool is_claim(const net::Packet& packet, const net::ArpHeader& arp) {
  return net::Ip4(arp.sender_ip).is_zero() &&
         packet.at<net::EthernetHeader>(0)->destination == kRoutersMac;
}

/// Of a sound solicitation, asked by `asker`.
inline bool is_claim(const net::Packet& packet, const net::Ip6& asker) {
  return asker.is_zero() && packet.at<net::EthernetHeader>(0)->destination == kRouters6Mac;
}

}  // namespace keepline::neigh
