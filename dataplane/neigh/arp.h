// ARP for VIPs: answering requests and announcing (gratuitous ARP).
//
// PURE; replies are built by workers in place, announcements by the control thread. RFC 826,
// RFC 5227 §3 (announcements as requests, the form that keepalived sends).
#pragma once

#include <array>

#include "dataplane/net/headers.h"
#include "dataplane/net/packet.h"

namespace keepline::neigh {

/// Without padding: the kernel's drivers pad to the Ethernet minimum.
inline constexpr std::size_t kArpFrameSize = sizeof(net::EthernetHeader) + sizeof(net::ArpHeader);
using ArpFrame = std::array<std::uint8_t, kArpFrameSize>;

/// Rewrites a parsed ARP request into the reply that says `mac` has the requested address.
void make_arp_reply(const net::Packet& packet, const net::Mac& mac);

/// A gratuitous ARP request for `vip` from `mac`, to everybody: sender = target = vip.
ArpFrame make_gratuitous_arp(net::Ip4 vip, const net::Mac& mac);

}  // namespace keepline::neigh
