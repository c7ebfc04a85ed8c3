// What the kernel knows of links, addresses, routes and neighbours: plain values.
//
// PURE. Made by control/kernel/mirror, read by the topology and the planner. Both families.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/addr.h"

namespace keepline::control {

struct Link {
  unsigned ifindex = 0;
  std::string name;
  net::Mac mac;
  unsigned mtu = 1500;
  bool is_up = false;        ///< Administratively up, with carrier.
  bool is_ethernet = false;  ///< Has Ethernet framing and is not the loopback.
  std::string kind;          ///< "veth", "vlan", "bond"...; empty for a plain NIC.
  unsigned lower = 0;        ///< Of a VLAN: the ifindex of the device that its frames go through.
  std::uint16_t vlan = 0;    ///< Its number; 0: its tag is not of 802.1Q.
  unsigned bond = 0;         ///< Of a bond's NIC: the bond's ifindex.
  bool carries = false;      ///< Of a bond's NIC: the bond uses it right now.
  friend bool operator==(const Link&, const Link&) = default;
};

struct Address {
  unsigned ifindex = 0;
  net::Prefix prefix;  ///< The address itself with the length of its network.
  bool is_secondary = false;
  friend bool operator==(const Address&, const Address&) = default;
};

struct KernelRoute {
  net::Prefix destination;
  unsigned ifindex = 0;
  net::IpAddr gateway;  ///< Zero: on the link.
  std::uint32_t metric = 0;
  friend bool operator==(const KernelRoute&, const KernelRoute&) = default;
};

struct KernelNeighbour {
  unsigned ifindex = 0;
  net::IpAddr address;
  net::Mac mac;
  bool is_permanent = false;  ///< Set by the administrator: nobody touches it.
  friend bool operator==(const KernelNeighbour&, const KernelNeighbour&) = default;
};

struct KernelView {
  std::vector<Link> links;
  std::vector<Address> addresses;
  std::vector<KernelRoute> routes;
  std::vector<KernelNeighbour> neighbours;  ///< Only those with a usable MAC.
  bool ip_forward = false;                  ///< The node is a router for IPv4.
  bool ip6_forward = false;                 ///< For IPv6.

  const Link* find_link(const std::string& name) const;
  const Link* find_link(unsigned ifindex) const;
  /// The best route, or nullptr.
  const KernelRoute* find_route(const net::IpAddr& destination) const;
  bool has_address(const net::IpAddr& address) const;
  friend bool operator==(const KernelView&, const KernelView&) = default;
};

}  // namespace keepline::control
