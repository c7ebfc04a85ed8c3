// Where a packet goes next: routes (longest prefix first) and neighbours, mirrored from the
// kernel into one immutable value.
//
// PURE. Built by the control thread, read by workers through the snapshot. Bounded by
// kMaxRoutes and kMaxNeighbours: what does not fit is reported by the builder, never silently
// half used.
#pragma once

#include <optional>
#include <vector>

#include "dataplane/net/addr.h"
#include "dataplane/net/packet.h"

namespace keepline::neigh {

inline constexpr std::size_t kMaxRoutes = 65536;
inline constexpr std::size_t kMaxNeighbours = 65536;

struct Route {
  net::Prefix4 prefix;
  net::PortId port = net::kNoPort;  ///< kNoPort: a route through something that is no port.
  net::Ip4 gateway;                 ///< Zero: the destination itself is on the link.
  std::uint32_t metric = 0;         ///< Lower is better.
  friend bool operator==(const Route&, const Route&) = default;
};

struct Neighbour {
  net::Ip4 address;
  net::PortId port = net::kNoPort;
  net::Mac mac;
  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

enum class Reach : std::uint8_t { kFound, kNoRoute, kNoNeighbour };

struct NextHop {
  Reach reach = Reach::kNoRoute;
  net::PortId port = net::kNoPort;
  net::Mac mac;      ///< Valid when kFound.
  net::Ip4 address;  ///< The gateway or the destination itself; valid unless kNoRoute.
};

class NextHops {
 public:
  NextHops() = default;
  /// Surplus routes and neighbours beyond the limits are left out; see truncated().
  NextHops(std::vector<Route> routes, const std::vector<Neighbour>& neighbours);

  NextHop resolve(net::Ip4 destination) const;
  bool truncated() const { return truncated_; }

 private:
  const Route* find_route(net::Ip4 destination) const;
  const Neighbour* find_neighbour(net::Ip4 address, net::PortId port) const;
  std::size_t bucket_of(net::Ip4 address, net::PortId port) const;

  std::vector<Route> routes_;          // longest prefix first, then lowest metric
  std::vector<Neighbour> neighbours_;  // open addressing, power of two, at most half full
  bool truncated_ = false;
};

}  // namespace keepline::neigh
