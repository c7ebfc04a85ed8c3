#include "control/peer_hops.h"

#include <algorithm>

namespace keepline::control {

namespace {

// A link-local peer is on the instance's own link, whatever the routes say.
neigh::NextHop look_up(const net::IpAddr& peer, net::PortId own, const KernelView& view,
                       const Topology& topology) {
  neigh::NextHop hop;
  hop.port = own;
  hop.address = peer;
  if (!peer.is_v6() || !net::is_link_local(peer.v6())) {
    const KernelRoute* route = view.find_route(peer);
    hop.port =
        route == nullptr ? net::kNoPort : topology.port_of(route->ifindex).value_or(net::kNoPort);
    if (route != nullptr && !route->gateway.is_zero()) hop.address = route->gateway;
  }
  if (hop.port == net::kNoPort) return hop;
  const unsigned ifindex = topology.ports[hop.port].ifindex;
  const auto known = std::ranges::find_if(view.neighbours, [&](const KernelNeighbour& each) {
    return each.ifindex == ifindex && each.address == hop.address;
  });
  hop.reach = known == view.neighbours.end() ? neigh::Reach::kNoNeighbour : neigh::Reach::kFound;
  if (known != view.neighbours.end()) hop.mac = known->mac;
  return hop;
}

}  // namespace

void PeerHops::update(const Running& running, const KernelView& view) {
  hops_.clear();
  const Topology& topology = *running.topology;
  for (std::size_t i = 0; i < topology.instances.size(); ++i) {
    const PlacedInstance& placed = topology.instances[i];
    for (const config::UnicastPeer& peer : running.config->vrrp_instances[i].unicast_peers) {
      hops_[{placed.lease, peer.address}] = look_up(peer.address, placed.port, view, topology);
    }
  }
}

neigh::NextHop PeerHops::to(std::size_t instance, const net::IpAddr& peer) const {
  const auto found = hops_.find({instance, peer});
  return found == hops_.end() ? neigh::NextHop() : found->second;
}

}  // namespace keepline::control
