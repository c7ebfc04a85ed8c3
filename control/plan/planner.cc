#include "control/plan/planner.h"

#include <algorithm>
#include <set>

namespace keepline::control {

namespace {

lb::Method method_of(config::Method method) {
  switch (method) {
    case config::Method::kNat:
      return lb::Method::kNat;
    case config::Method::kDr:
      return lb::Method::kDirectRouting;
    case config::Method::kTun:
      return lb::Method::kTunnel;
    case config::Method::kFullNat:
      return lb::Method::kFullNat;
  }
  return lb::Method::kNat;
}

// Remote checksum offload is for hosts that have not summed up yet: what passes here has its sum.
lb::Tell tell_of(config::ClientAddress how) {
  if (how == config::ClientAddress::kToa) return lb::Tell::kOption;
  return how == config::ClientAddress::kProxyProtocol ? lb::Tell::kProxy : lb::Tell::kNothing;
}

lb::Tunnel tunnel_of(const config::Forwarding& forwarding) {
  lb::Tunnel tunnel;
  if (forwarding.tunnel == config::TunnelType::kGre) tunnel.type = lb::TunnelType::kGre;
  if (forwarding.tunnel == config::TunnelType::kGue) tunnel.type = lb::TunnelType::kGue;
  tunnel.port = forwarding.gue_port;
  tunnel.checksum = forwarding.checksum == config::TunnelChecksum::kAll;
  return tunnel;
}

lb::Scheduler scheduler_of(config::Scheduler scheduler) {
  switch (scheduler) {
    case config::Scheduler::kRr:
      return lb::Scheduler::kRoundRobin;
    case config::Scheduler::kWrr:
      return lb::Scheduler::kWeightedRoundRobin;
    case config::Scheduler::kLc:
      return lb::Scheduler::kLeastConnections;
    case config::Scheduler::kWlc:
      return lb::Scheduler::kWeightedLeastConnections;
    case config::Scheduler::kLblc:
      return lb::Scheduler::kLocality;
    case config::Scheduler::kLblcr:
      return lb::Scheduler::kLocalityReplicated;
    case config::Scheduler::kSh:
      return lb::Scheduler::kSourceHash;
    case config::Scheduler::kMh:
      return lb::Scheduler::kMaglev;
    case config::Scheduler::kDh:
      return lb::Scheduler::kDestinationHash;
    case config::Scheduler::kFo:
      return lb::Scheduler::kFailover;
    case config::Scheduler::kOvf:
      return lb::Scheduler::kOverflow;
    case config::Scheduler::kSed:
      return lb::Scheduler::kShortestExpectedDelay;
    case config::Scheduler::kNq:
      return lb::Scheduler::kNeverQueue;
    case config::Scheduler::kTwos:
      return lb::Scheduler::kTwoChoices;
  }
  return lb::Scheduler::kWeightedLeastConnections;
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
  return std::make_shared<const neigh::NextHops>(routes, neighbours);
}

// A port's tunnels come from the node's first address there that is no VIP (and, of IPv6, has more
// than the link for its scope).
std::vector<lb::PortInfo> ports_of(const PlanInput& input) {
  std::set<net::IpAddr> vips;
  for (const PlacedVip& vip : input.topology->vips) vips.insert(vip.address);
  std::vector<lb::PortInfo> ports;
  for (const PlacedPort& port : input.topology->ports) {
    lb::PortInfo info;
    info.mac = port.mac;
    info.mtu = static_cast<std::uint16_t>(port.mtu);
    const auto id = static_cast<net::PortId>(ports.size());
    const auto& instances = input.topology->instances;
    info.takes_adverts = input.mode.vrrp &&
                         std::ranges::find(instances, id, &PlacedInstance::port) != instances.end();
    if (input.topology->is_owned(port)) info.kernel = input.topology->tap_of(id);
    for (const Address& own : input.kernel->addresses) {
      const net::IpAddr& address = own.prefix.address;
      if (own.ifindex != port.ifindex || vips.contains(address)) continue;
      if (address.is_v4() && info.source4.is_zero()) info.source4 = address.v4();
      if (address.is_v6() && !net::is_link_local(address.v6()) && info.source6.is_zero()) {
        info.source6 = address.v6();
      }
    }
    ports.push_back(info);
  }
  for (net::PortId id = 0; id < input.topology->ports.size(); ++id) {
    if (!input.topology->is_owned(input.topology->ports[id])) continue;
    lb::PortInfo tap = ports[id];
    tap.kernel = net::kNoPort;
    tap.nic = id;
    ports.push_back(tap);
  }
  return ports;
}

// What the node itself may speak as: its addresses, and VIPs, held or not.
std::vector<net::IpAddr> own_addresses(const PlanInput& input) {
  std::vector<net::IpAddr> result;
  for (const Address& own : input.kernel->addresses) result.push_back(own.prefix.address);
  for (const PlacedVip& vip : input.topology->vips) result.push_back(vip.address);
  std::erase_if(result, [&](const net::IpAddr& address) {
    const PlacedVip* vip = input.topology->find_vip(address);
    return vip != nullptr && vip->is_local;
  });
  return result;
}

std::vector<lb::BfdNeighbour> bfd_neighbours(const PlanInput& input) {
  std::vector<lb::BfdNeighbour> result;
  if (!input.mode.bfd) return result;
  for (const config::BfdInstance& bfd : input.config->bfd_instances) {
    result.push_back({bfd.neighbour, bfd.is_multihop});
  }
  return result;
}

lb::ShardWorkers deal_shards(unsigned workers) {
  lb::ShardWorkers result{};
  for (std::size_t shard = 0; shard < result.size(); ++shard) {
    result[shard] = static_cast<std::uint8_t>(shard % workers);
  }
  return result;
}

// What FULLNAT comes from for the services of this VIP: the addresses that come and go with it.
std::vector<net::IpAddr> locals_for(const Topology& topology, const net::IpAddr& vip) {
  std::vector<net::IpAddr> result;
  const PlacedVip* placed = topology.find_vip(vip);
  for (const PlacedVip& each : topology.vips) {
    const bool same_lease = placed != nullptr && placed->lease == each.lease;
    if (each.is_local && same_lease && each.address.is_v6() == vip.is_v6()) {
      result.push_back(each.address);
    }
  }
  return result;
}

}  // namespace

// The service's place among those that are known, or a new one.
Planner::Known& Planner::known(const PlanInput& input, std::size_t index) {
  const config::VirtualServer& server = input.config->virtual_servers[index];
  const ServiceKey key{{server.address, server.port}, server.protocol};
  auto found = known_.find(key);
  if (found == known_.end()) {
    found = known_.emplace(key, Known()).first;
    if (free_services_.empty()) {
      found->second.slot = next_service_++;
    } else {
      found->second.slot = free_services_.back();
      free_services_.pop_back();
    }
    found->second.had_quorum = initial_quorum(server, input.health[index]);
  }
  found->second.plan = plan_;
  return found->second;
}

lb::RealServer Planner::real_of(Known& known, const config::Target& target,
                                const config::Forwarding& forwarding) {
  lb::RealServer real;
  real.endpoint = {target.address, target.port};
  real.method = method_of(forwarding.method);
  if (real.method == lb::Method::kTunnel) real.tunnel = tunnel_of(forwarding);
  if (real.method == lb::Method::kFullNat) real.tell = tell_of(forwarding.client_address);
  const auto [found, is_new] = known.reals.try_emplace(real.endpoint);
  if (is_new && free_reals_.empty()) found->second.slot = next_real_++;
  if (is_new && !free_reals_.empty()) {
    found->second = free_reals_.back();
    free_reals_.pop_back();
  }
  real.slot = found->second.slot;
  real.generation = found->second.generation;
  return real;
}

std::shared_ptr<const lb::AccessList> Planner::access_of(const config::VirtualServer& server) {
  if (server.access.list == nullptr) return nullptr;
  const net::Family family = net::family_of(server.address);
  auto& made = access_[{server.access.list, family}];
  if (made == nullptr) {
    std::vector<lb::AccessRule> rules;
    for (const config::AccessRule& rule : *server.access.list) {
      rules.push_back({rule.network, rule.allow});
    }
    made = std::make_shared<const lb::AccessList>(rules, family);
  }
  return made;
}

PlannedService Planner::plan_service(const PlanInput& input, std::size_t index, Known& known) {
  const config::VirtualServer& server = input.config->virtual_servers[index];
  PlannedService planned;
  planned.health = input.health[index];
  planned.pool = make_pool(server, planned.health, known.had_quorum);
  known.had_quorum = planned.pool.has_quorum;
  for (const config::RealServer& real : server.real_servers) {
    planned.reals.push_back(real_of(known, {real.address, real.port}, real.forwarding()));
    planned.reals.back().weight = real.weight();
    planned.reals.back().upper_threshold = real.upper_threshold;
    planned.reals.back().lower_threshold = real.lower_threshold;
  }
  if (server.sorry_server) {
    planned.sorry = real_of(known, server.sorry_server->target, server.sorry_server->forwarding);
  }

  auto service = std::make_shared<lb::Service>();
  service->slot = known.slot;
  service->vip = {server.address, server.port};
  service->protocol = server.protocol;
  service->scheduler = scheduler_of(server.scheduler);
  service->hash_port = server.hash_port;
  service->hash_fallback = server.hash_fallback;
  service->one_packet = server.one_packet;
  service->syn_proxy = server.syn_proxy;
  if (server.persistence) {
    service->persistence_s = static_cast<std::uint32_t>(server.persistence->timeout_us / 1'000'000);
    service->persistence_bits = server.persistence->granularity;
  }
  service->access = access_of(server);
  service->client_rate = {server.client_rate.per_s, server.client_rate.burst};
  service->locals = locals_for(*input.topology, server.address);
  service->ring_slots = input.config->dataplane.maglev_size;
  for (const PoolMember& member : planned.pool.members) {
    service->pool.push_back(member.real == PoolMember::kSorry ? planned.sorry
                                                              : planned.reals[member.real]);
    service->pool.back().weight = member.weight;
    service->pool.back().failed =
        member.real != PoolMember::kSorry && input.health[index][member.real] == Health::kDown;
    if (member.real != PoolMember::kSorry) planned.reals[member.real].weight = member.weight;
  }
  service->seal();
  note_leaving(input, planned, known, *service);
  const bool same = known.service != nullptr && *known.service == *service;
  if (!same) {
    service->build_ring();
    known.service = std::move(service);
  }
  planned.service = known.service;
  free_reals(known, planned);
  return planned;
}

// A server that was in the pool and is not any more is leaving, until its time is up or it is back.
// One that is still configured has failed; another one was removed, as the sorry server is.
void Planner::note_leaving(const PlanInput& input, const PlannedService& planned, Known& known,
                           lb::Service& service) {
  const auto has = [](const std::vector<lb::RealServer>& list, const lb::RealServer& real) {
    return std::ranges::find(list, real.slot, &lb::RealServer::slot) != list.end();
  };
  std::erase_if(known.leaving, [&](const lb::LeavingServer& each) {
    return each.until_s <= input.now_s || has(service.pool, each.real);
  });
  if (known.service != nullptr) {
    for (const lb::RealServer& real : known.service->pool) {
      if (has(service.pool, real)) continue;
      const bool failed = has(planned.reals, real);
      const config::DataplaneOptions& options = input.config->dataplane;
      const std::uint32_t drain_s =
          (failed ? options.failed_server : options.removed_server).drain_s;
      if (drain_s == 0) continue;
      known.leaving.push_back({real, failed, input.now_s + drain_s});
    }
  }
  service.leaving = known.leaving;
}

Planner::Slot Planner::next_generation(Slot slot) {
  if (++slot.generation == 0) slot.generation = 1;
  return slot;
}

// Who is neither configured nor leaving has nothing any more that a packet could ask for.
void Planner::free_reals(Known& known, const PlannedService& planned) {
  std::erase_if(known.reals, [&](const auto& each) {
    const lb::RealSlot slot = each.second.slot;
    const auto is_it = [slot](const lb::RealServer& real) { return real.slot == slot; };
    if (planned.sorry.slot == slot || std::ranges::any_of(planned.reals, is_it)) return false;
    const auto is_leaving = [&](const lb::LeavingServer& leaving) { return is_it(leaving.real); };
    if (std::ranges::any_of(known.leaving, is_leaving)) return false;
    free_reals_.push_back(next_generation(each.second));
    return true;
  });
}

void Planner::free_gone_services() {
  std::erase_if(known_, [&](const auto& each) {
    const Known& known = each.second;
    if (known.plan == plan_) return false;
    builder_.remove_service(known.slot);
    free_services_.push_back(known.slot);
    for (const auto& [endpoint, slot] : known.reals) free_reals_.push_back(next_generation(slot));
    return true;
  });
}

Plan Planner::make(const PlanInput& input) {
  std::erase_if(access_, [](const auto& made) { return made.first.first.use_count() == 1; });
  const std::size_t count = input.mode.services ? input.config->virtual_servers.size() : 0;
  ++plan_;
  Plan plan;
  for (std::size_t i = 0; i < count; ++i) {
    plan.services.push_back(plan_service(input, i, known(input, i)));
    builder_.set_service(plan.services.back().service);
  }
  free_gone_services();
  builder_.set_ports(ports_of(input));
  builder_.set_own(own_addresses(input));
  builder_.set_bfd_neighbours(bfd_neighbours(input));
  std::vector<lb::Vip> vips;
  for (const PlacedVip& vip : input.topology->vips) {
    vips.push_back({vip.address, vip.port, vip.lease, vip.mac, vip.is_answered(), vip.is_local,
                    vip.is_accepted});
  }
  builder_.set_vips(std::move(vips));
  plan_next_hops(input);
  builder_.set_ip_forward(input.kernel->ip_forward, input.kernel->ip6_forward);
  builder_.set_shard_workers(deal_shards(input.workers));
  plan.steering =
      steering_of(*input.config, *input.topology, *input.kernel, input.mode, plan.services);
  plan.snapshot = builder_.build();
  return plan;
}

// Views are never changed, only replaced: the same one means the same next hops.
void Planner::plan_next_hops(const PlanInput& input) {
  const bool same = kernel_ != nullptr &&
                    (kernel_ == input.kernel || (kernel_->routes == input.kernel->routes &&
                                                 kernel_->neighbours == input.kernel->neighbours));
  kernel_ = input.kernel;
  if (!same) builder_.set_next_hops(next_hops_of(*input.kernel, *input.topology));
}

}  // namespace keepline::control
