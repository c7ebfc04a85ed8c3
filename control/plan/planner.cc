#include "control/plan/planner.h"

#include <algorithm>

namespace keepline::control {

namespace {

lb::Method method_of(config::Method method) {
  return method == config::Method::kDr ? lb::Method::kDirectRouting : lb::Method::kNat;
}

// Schedulers that are not built yet run as wrr; the parser has warned.
lb::Scheduler scheduler_of(config::Scheduler scheduler) {
  return scheduler == config::Scheduler::kRr ? lb::Scheduler::kRoundRobin
                                             : lb::Scheduler::kWeightedRoundRobin;
}

std::shared_ptr<const neigh::NextHops> next_hops_of(const KernelView& kernel,
                                                    const Topology& topology) {
  std::vector<neigh::Route> routes;
  for (const KernelRoute& route : kernel.routes) {
    routes.push_back({route.destination, topology.port_of(route.ifindex).value_or(net::kNoPort),
                      route.gateway, route.metric});
  }
  std::vector<neigh::Neighbour> neighbours;
  for (const KernelNeighbour& neighbour : kernel.neighbours) {
    if (const auto port = topology.port_of(neighbour.ifindex)) {
      neighbours.push_back({neighbour.address, *port, neighbour.mac});
    }
  }
  return std::make_shared<const neigh::NextHops>(std::move(routes), neighbours);
}

// Every port gets the same addresses and services: a client may come in anywhere. MACs differ.
std::vector<PortSteering> steering_of(const PlanInput& input,
                                      const std::vector<PlannedService>& services) {
  PortSteering common;
  for (const Address& own : input.kernel->addresses) {
    common.addresses[own.prefix.address].own = true;
  }
  for (const PlacedVip& vip : input.topology->vips) {
    PortSteering::AddressUse& use = common.addresses[vip.address];
    use.answer = vip.is_ours;
    use.own = !vip.is_ours;
  }
  for (const PlannedService& planned : services) {
    if (planned.service == nullptr) continue;
    const lb::Service& service = *planned.service;
    common.addresses[service.vip.address].service = true;
    common.services.push_back({service.vip, service.protocol});
    for (const lb::RealServer& real : planned.reals) {
      if (real.method == lb::Method::kNat)
        common.reals.push_back({real.endpoint, service.protocol});
    }
    if (planned.sorry.slot != 0 && planned.sorry.method == lb::Method::kNat) {
      common.reals.push_back({planned.sorry.endpoint, service.protocol});
    }
  }
  std::vector<PortSteering> result(input.topology->ports.size(), common);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const PlacedPort& port = input.topology->ports[i];
    result[i].macs = port.virtual_macs;
    result[i].macs.push_back(port.mac);
  }
  if (!input.mode.vrrp) return result;
  for (std::size_t i = 0; i < input.topology->instances.size(); ++i) {
    const net::PortId port = input.topology->instances[i].port;
    if (port == net::kNoPort) continue;
    result[port].addresses[input.config->vrrp_instances[i].mcast_group4].vrrp = true;
  }
  return result;
}

}  // namespace

lb::RealServer Planner::real_of(std::size_t service, const config::Target& target,
                                config::Method method) {
  lb::RealServer real;
  real.endpoint = {target.address.v4(), target.port};
  real.method = method_of(method);
  const auto [found, is_new] = slots_.try_emplace({service, real.endpoint});
  // Slot 0 stays empty: it means "none" in a PlannedService.
  if (is_new) found->second.slot = ++next_slot_;
  real.slot = found->second.slot;
  real.generation = found->second.generation;
  return real;
}

PlannedService Planner::plan_service(const PlanInput& input, std::size_t index) {
  const config::VirtualServer& server = input.config->virtual_servers[index];
  PlannedService planned;
  if (!server.address.is_v4()) return planned;
  planned.pool = make_pool(server, input.health[index], had_quorum_[index]);
  had_quorum_[index] = planned.pool.has_quorum;
  for (const config::RealServer& real : server.real_servers) {
    planned.reals.push_back(real_of(index, {real.address, real.port}, real.method()));
    planned.reals.back().weight = real.weight();
  }
  if (server.sorry_server) {
    planned.sorry = real_of(index, server.sorry_server->target, server.sorry_server->method);
  }

  auto service = std::make_shared<lb::Service>();
  service->slot = static_cast<lb::ServiceSlot>(index);
  service->vip = {server.address.v4(), server.port};
  service->protocol = server.protocol;
  service->scheduler = scheduler_of(server.scheduler);
  for (const PoolMember& member : planned.pool.members) {
    service->pool.push_back(member.real == PoolMember::kSorry ? planned.sorry
                                                              : planned.reals[member.real]);
    service->pool.back().weight = member.weight;
    if (member.real != PoolMember::kSorry) planned.reals[member.real].weight = member.weight;
  }
  service->seal();
  const bool same = previous_[index] != nullptr && *previous_[index] == *service;
  if (!same) previous_[index] = std::move(service);
  planned.service = previous_[index];
  return planned;
}

Plan Planner::make(const PlanInput& input) {
  const std::size_t count = input.mode.services ? input.config->virtual_servers.size() : 0;
  if (previous_.size() != count) {
    previous_.assign(count, nullptr);
    had_quorum_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      had_quorum_.push_back(initial_quorum(input.config->virtual_servers[i], input.health[i]));
    }
  }
  Plan plan;
  lb::Snapshot::Parts parts;
  for (std::size_t i = 0; i < count; ++i) {
    plan.services.push_back(plan_service(input, i));
    if (plan.services.back().service != nullptr) {
      parts.services.push_back(plan.services.back().service);
    }
  }
  for (const PlacedPort& port : input.topology->ports) {
    parts.ports.push_back({port.mac, static_cast<std::uint16_t>(port.mtu)});
  }
  for (const PlacedVip& vip : input.topology->vips) {
    parts.vips.push_back({vip.address, vip.port, vip.lease, vip.mac, vip.is_ours});
  }
  parts.next_hops = next_hops_of(*input.kernel, *input.topology);
  parts.ip_forward = input.kernel->ip_forward;
  plan.steering = steering_of(input, plan.services);
  plan.snapshot = std::make_unique<const lb::Snapshot>(std::move(parts));
  return plan;
}

}  // namespace keepline::control
