#include "control/peer_hops.h"

#include <algorithm>

namespace keepline::control {

namespace {

neigh::NextHop look_up(const net::IpAddr& peer, const KernelView& view, const Topology& topology) {
  neigh::NextHop hop;
  const KernelRoute* route = view.find_route(peer);
  const auto port = route == nullptr ? std::nullopt : topology.port_of(route->ifindex);
  if (!port) return hop;
  hop.port = *port;
  hop.address = route->gateway.is_zero() ? peer : route->gateway;
  const auto known = std::ranges::find_if(view.neighbours, [&](const KernelNeighbour& each) {
    return each.ifindex == route->ifindex && each.address == hop.address;
  });
  hop.reach = known == view.neighbours.end() ? neigh::Reach::kNoNeighbour : neigh::Reach::kFound;
  if (known != view.neighbours.end()) hop.mac = known->mac;
  return hop;
}

}  // namespace

void PeerHops::update(const config::Config& config, const KernelView& view,
                      const Topology& topology) {
  hops_.clear();
  for (const config::VrrpInstance& instance : config.vrrp_instances) {
    for (const config::UnicastPeer& peer : instance.unicast_peers) {
      hops_[peer.address] = look_up(peer.address, view, topology);
    }
  }
}

neigh::NextHop PeerHops::to(const net::IpAddr& peer) const {
  const auto found = hops_.find(peer);
  return found == hops_.end() ? neigh::NextHop() : found->second;
}

}  // namespace keepline::control
