#include "control/neighbours.h"

namespace keepline::control {

std::set<NeighbourKeeper::Key> NeighbourKeeper::wanted(
    const KernelView& view, const std::vector<PlannedService>& services) const {
  const Topology& topology = *running_.topology;
  const config::Config& config = *running_.config;
  std::set<Key> result;
  const auto want = [&](const net::IpAddr& destination) {
    const KernelRoute* route = view.find_route(destination);
    if (route == nullptr) return;
    const auto port = topology.port_of(route->ifindex);
    if (port) result.emplace(*port, route->gateway.is_zero() ? destination : route->gateway);
  };
  for (std::size_t i = 0; mode_.vrrp && i < topology.instances.size(); ++i) {
    for (const config::UnicastPeer& peer : config.vrrp_instances[i].unicast_peers) {
      const bool is_on_link = peer.address.is_v6() && net::is_link_local(peer.address.v6());
      if (is_on_link) result.emplace(topology.instances[i].port, peer.address);
      if (!is_on_link) want(peer.address);
    }
  }
  for (const config::BfdInstance& bfd : config.bfd_instances) {
    if (mode_.bfd) want(bfd.neighbour);
  }
  if (!mode_.services) return result;
  for (const PlannedService& planned : services) {
    for (const lb::LeavingServer& each : planned.service->leaving) {
      want(each.real.endpoint.address);
    }
  }
  for (const config::VirtualServer& server : config.virtual_servers) {
    for (const config::RealServer& real : server.real_servers) want(real.address);
    if (server.sorry_server) want(server.sorry_server->target.address);
  }
  for (const KernelRoute& route : view.routes) {
    const auto port = topology.port_of(route.ifindex);
    if (port && !route.gateway.is_zero()) result.emplace(*port, route.gateway);
  }
  return result;
}

void NeighbourKeeper::update(const KernelView& view, const std::vector<PlannedService>& services) {
  std::set<Key> next = wanted(view, services);
  for (const KernelNeighbour& known : view.neighbours) {
    const auto port = running_.topology->port_of(known.ifindex);
    if (port && known.is_permanent) next.erase({*port, known.address});
  }
  for (const auto& [port, address] : next) {
    if (!managed_.contains({port, address})) kernel_.manage_neighbour(netdev_of(port), address);
  }
  for (const auto& [port, address] : managed_) {
    if (!next.contains({port, address})) kernel_.forget_neighbour(netdev_of(port), address);
  }
  managed_ = std::move(next);
}

std::vector<net::IpAddr> NeighbourKeeper::missing(const KernelView& view) const {
  std::set<Key> unknown = managed_;
  for (const KernelNeighbour& known : view.neighbours) {
    const auto port = running_.topology->port_of(known.ifindex);
    if (port) unknown.erase({*port, known.address});
  }
  std::vector<net::IpAddr> result;
  for (const auto& [port, address] : unknown) result.push_back(address);
  return result;
}

void NeighbourKeeper::learn(const lb::NeighbourSeen& seen, const KernelView& view) {
  const unsigned ifindex = running_.topology->ports[seen.port].ifindex;
  for (const KernelNeighbour& known : view.neighbours) {
    if (known.ifindex != ifindex || known.address != seen.address) continue;
    if (known.is_permanent || known.mac == seen.mac) return;
  }
  // Only neighbours: a sender outside the interface's networks is not resolved by ARP.
  const KernelRoute* route = view.find_route(seen.address);
  if (route == nullptr || route->ifindex != ifindex || !route->gateway.is_zero()) return;
  if (view.has_address(seen.address)) return;
  kernel_.learn_neighbour(netdev_of(seen.port), seen.address, seen.mac);
}

Netdev NeighbourKeeper::netdev_of(net::PortId port) const {
  return {running_.topology->ports[port].netdev, running_.topology->ports[port].ifindex};
}

}  // namespace keepline::control
