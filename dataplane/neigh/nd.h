// Neighbour discovery for IPv6 VIPs: announcing them.
//
// PURE; called by the control thread. RFC 4861 §7.2.6.
#pragma once

#include <array>

#include "dataplane/net/headers.h"

namespace keepline::neigh {

using AdvertisementFrame =
    std::array<std::uint8_t, sizeof(net::EthernetHeader) + sizeof(net::Ipv6Header) +
                                 sizeof(net::NeighbourAdvertisement)>;

/// A node that forwards says so: taken for a host, it would be removed from its neighbours' lists
/// of routers.
enum class Role : std::uint8_t { kHost, kRouter };

/// An unsolicited advertisement, to all nodes, that `mac` has the address `vip` from now on.
AdvertisementFrame make_unsolicited_advertisement(const net::Ip6& vip, const net::Mac& mac,
                                                  Role role);

}  // namespace keepline::neigh
