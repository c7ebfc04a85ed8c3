// Neighbour discovery for IPv6 VIPs: answering solicitations and announcing.
//
// PURE; workers answer, the control thread announces. RFC 4861 §7.2.4, §7.2.6.
#pragma once

#include <array>
#include <optional>

#include "dataplane/net/headers.h"
#include "dataplane/net/parse.h"

namespace keepline::neigh {

/// RFC 4861 §7.1: whoever gets it with less takes it for a forgery from beyond a router.
inline constexpr std::uint8_t kDiscoveryHopLimit = 255;

using AdvertisementFrame =
    std::array<std::uint8_t, sizeof(net::EthernetHeader) + sizeof(net::Ipv6Header) +
                                 sizeof(net::NeighbourAdvertisement)>;

/// A node that forwards says so: taken for a host, it would be removed from its neighbours' lists
/// of routers.
enum class Role : std::uint8_t { kHost, kRouter };

/// An unsolicited advertisement, to all nodes, that `mac` has the address `vip` from now on.
AdvertisementFrame make_unsolicited_advertisement(const net::Ip6& vip, const net::Mac& mac,
                                                  Role role);

/// Whether an ICMPv6 message of this type belongs to neighbour discovery (RFC 4861 §4).
constexpr bool is_discovery(std::uint8_t type) {
  return type >= net::kIcmp6FirstDiscovery && type <= net::kIcmp6LastDiscovery;
}

/// What a neighbour solicitation asks for, when it is sound (RFC 4861 §7.1.1); else nothing.
std::optional<net::Ip6> solicited_target(const net::Packet& packet, const net::Parsed& parsed);

/// Makes a sound solicitation the advertisement that `mac` has the target. False, and nothing is
/// changed: no room in front of a frame that is shorter.
bool make_advertisement(net::Packet& packet, const net::Parsed& parsed, const net::Mac& mac,
                        Role role);

}  // namespace keepline::neigh
