#include "dataplane/neigh/next_hops.h"

#include <algorithm>
#include <bit>

namespace keepline::neigh {

NextHops::NextHops(std::vector<Route> routes, const std::vector<Neighbour>& neighbours)
    : routes_(std::move(routes)) {
  truncated_ = routes_.size() > kMaxRoutes || neighbours.size() > kMaxNeighbours;
  std::stable_sort(routes_.begin(), routes_.end(), [](const Route& a, const Route& b) {
    if (a.prefix.length != b.prefix.length) return a.prefix.length > b.prefix.length;
    return a.metric < b.metric;
  });
  routes_.resize(std::min(routes_.size(), kMaxRoutes));

  const std::size_t kept = std::min(neighbours.size(), kMaxNeighbours);
  neighbours_.resize(std::bit_ceil(2 * kept + 2));
  for (std::size_t i = 0; i < kept; ++i) {
    std::size_t slot = bucket_of(neighbours[i].address, neighbours[i].port);
    while (neighbours_[slot].port != net::kNoPort) slot = (slot + 1) & (neighbours_.size() - 1);
    neighbours_[slot] = neighbours[i];
  }
}

std::size_t NextHops::bucket_of(net::Ip4 address, net::PortId port) const {
  const std::uint64_t hash = (std::uint64_t{address.value()} << 8 | port) * 0x9e3779b97f4a7c15;
  return static_cast<std::size_t>(hash >> 32) & (neighbours_.size() - 1);
}

const Route* NextHops::find_route(net::Ip4 destination) const {
  for (const Route& route : routes_) {
    if (route.prefix.contains(destination)) return &route;
  }
  return nullptr;
}

const Neighbour* NextHops::find_neighbour(net::Ip4 address, net::PortId port) const {
  if (neighbours_.empty()) return nullptr;
  for (std::size_t slot = bucket_of(address, port); neighbours_[slot].port != net::kNoPort;
       slot = (slot + 1) & (neighbours_.size() - 1)) {
    if (neighbours_[slot].address == address && neighbours_[slot].port == port) {
      return &neighbours_[slot];
    }
  }
  return nullptr;
}

NextHop NextHops::resolve(net::Ip4 destination) const {
  NextHop hop;
  const Route* route = find_route(destination);
  if (route == nullptr || route->port == net::kNoPort) return hop;
  hop.port = route->port;
  hop.address = route->gateway.is_zero() ? destination : route->gateway;
  const Neighbour* neighbour = find_neighbour(hop.address, hop.port);
  hop.reach = neighbour == nullptr ? Reach::kNoNeighbour : Reach::kFound;
  if (neighbour != nullptr) hop.mac = neighbour->mac;
  return hop;
}

}  // namespace keepline::neigh
