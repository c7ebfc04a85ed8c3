// What the kernel knows of links, addresses, routes and neighbours: plain values.
//
// PURE. Made by control/kernel/mirror, read by the topology and the planner. IPv4 only so far.
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
  friend bool operator==(const Link&, const Link&) = default;
};

struct Address {
  unsigned ifindex = 0;
  net::Prefix4 prefix;  ///< The address itself with the length of its network.
  bool is_secondary = false;
  friend bool operator==(const Address&, const Address&) = default;
};

struct KernelRoute {
  net::Prefix4 destination;
  unsigned ifindex = 0;
  net::Ip4 gateway;  ///< Zero: on the link.
  std::uint32_t metric = 0;
  friend bool operator==(const KernelRoute&, const KernelRoute&) = default;
};

struct KernelNeighbour {
  unsigned ifindex = 0;
  net::Ip4 address;
  net::Mac mac;
  bool is_permanent = false;  ///< Set by the administrator: nobody touches it.
  friend bool operator==(const KernelNeighbour&, const KernelNeighbour&) = default;
};

struct KernelView {
  std::vector<Link> links;
  std::vector<Address> addresses;
  std::vector<KernelRoute> routes;
  std::vector<KernelNeighbour> neighbours;  ///< Only those with a usable MAC.
  bool ip_forward = false;

  const Link* find_link(const std::string& name) const;
  const Link* find_link(unsigned ifindex) const;
  /// The best route, or nullptr.
  const KernelRoute* find_route(net::Ip4 destination) const;
  bool has_address(net::Ip4 address) const;
  friend bool operator==(const KernelView&, const KernelView&) = default;
};

}  // namespace keepline::control
