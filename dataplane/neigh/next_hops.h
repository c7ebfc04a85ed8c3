// Where a packet goes next: routes (longest prefix first) and neighbours, mirrored from the
// kernel into one immutable value.
//
// PURE. Built off the workers, read by them through the snapshot. Bounded by kMaxRoutes and
// kMaxNeighbours of each family: what does not fit is reported by truncated(), never silently half
// used. A look-up costs one probe per distinct prefix length that is longer than the match.
#pragma once

#include <vector>

#include "dataplane/net/family.h"
#include "dataplane/net/packet.h"

namespace keepline::neigh {

inline constexpr std::size_t kMaxRoutes = 1u << 20;
inline constexpr std::size_t kMaxNeighbours = 65536;

struct Route {
  net::Prefix prefix;
  net::PortId port = net::kNoPort;  ///< kNoPort: a route through something that is no port.
  net::IpAddr gateway;              ///< Zero: the destination itself is on the link.
  std::uint32_t metric = 0;         ///< Lower is better.
  friend bool operator==(const Route&, const Route&) = default;
};

struct Neighbour {
  net::IpAddr address;
  net::PortId port = net::kNoPort;
  net::Mac mac;
  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

enum class Reach : std::uint8_t { kFound, kNoRoute, kNoNeighbour };

struct NextHop {
  Reach reach = Reach::kNoRoute;
  net::PortId port = net::kNoPort;
  net::Mac mac;         ///< Valid when kFound.
  net::IpAddr address;  ///< The gateway or the destination itself; valid unless kNoRoute.
};

/// The routes and neighbours of one family.
template <typename F>
class HopTable {
 public:
  using Address = typename F::Address;

  HopTable() = default;
  /// Takes what belongs to its family.
  HopTable(const std::vector<Route>& routes, const std::vector<Neighbour>& neighbours);

  NextHop resolve(const Address& destination) const;
  bool truncated() const { return truncated_; }

 private:
  struct RouteEntry {
    Address network{};
    Address gateway{};
    std::uint32_t metric = 0;
    net::PortId port = net::kNoPort;
    bool via_gateway = false;
    bool used = false;
  };
  /// All routes of one prefix length: open addressing, at most half full.
  struct Level {
    std::uint8_t length = 0;
    std::vector<RouteEntry> entries;
  };
  struct NeighbourEntry {
    Address address{};
    net::Mac mac;
    net::PortId port = net::kNoPort;  // kNoPort: free
  };

  static Address masked(const Address& address, unsigned length);
  static std::size_t hash_of(const Address& address);
  void add(Level& level, const Route& route);
  void add(const Neighbour& neighbour);
  const RouteEntry* find_route(const Address& destination) const;
  const NeighbourEntry* find_neighbour(const Address& address, net::PortId port) const;

  std::vector<Level> levels_;  // longest prefix first
  std::vector<NeighbourEntry> neighbours_;
  bool truncated_ = false;
};

class NextHops {
 public:
  NextHops() = default;
  NextHops(const std::vector<Route>& routes, const std::vector<Neighbour>& neighbours)
      : v4_(routes, neighbours), v6_(routes, neighbours) {}

  NextHop resolve(net::be32 destination) const { return v4_.resolve(destination); }
  NextHop resolve(const net::Ip6& destination) const { return v6_.resolve(destination); }
  NextHop resolve(const net::IpAddr& destination) const {
    return destination.is_v6() ? resolve(destination.v6()) : resolve(destination.v4().be());
  }
  /// Whether routes or neighbours were left out.
  bool truncated() const { return v4_.truncated() || v6_.truncated(); }

 private:
  HopTable<net::V4> v4_;
  HopTable<net::V6> v6_;
};

}  // namespace keepline::neigh
