#include "dataplane/lb/sched/scheduler.h"

#include <cmath>

#include "dataplane/lb/sched/by_load.h"
#include "dataplane/lb/sched/in_turn.h"
#include "dataplane/net/flow.h"

namespace keepline::lb {

namespace {

std::uint64_t hash_of(const net::IpAddr& address) {
  const std::uint64_t number = address.is_v6()
                                   ? address.v6().raw_high() ^ (address.v6().raw_low() * 31)
                                   : address.v4().value();
  return net::detail::fold(number ^ net::detail::kSecond, net::detail::kFirst);
}

// What the service's ring is asked for.
std::uint64_t ring_hash(const Service& service, const NewFlow& flow) {
  return service.scheduler == Scheduler::kDestinationHash ? hash_of(service.vip.address)
                                                          : flow.source_hash;
}

// Every further try leads elsewhere; then whoever is left, in order.
const RealServer* by_ring(const Service& service, std::uint64_t hash, Loads& loads) {
  const std::uint16_t first = service.ring->at(hash);
  if (first == MaglevRing::kNobody) return nullptr;
  if (loads.takes(service.pool[first])) return &service.pool[first];
  if (!service.hash_fallback) return nullptr;
  for (std::size_t tried = 1; tried < service.pool.size(); ++tried) {
    const std::uint64_t again = net::detail::fold(hash + tried, net::detail::kFirst);
    const RealServer& other = service.pool[service.ring->at(again)];
    if (loads.takes(other)) return &other;
  }
  for (const RealServer& real : service.pool) {
    if (loads.takes(real)) return &real;
  }
  return nullptr;
}

}  // namespace

const RealServer* choose(const Service& service, const NewFlow& flow, Loads& loads,
                         SchedulerState& state) {
  if (service.weight_max == 0) return nullptr;
  switch (service.scheduler) {
    case Scheduler::kRoundRobin:
      return round_robin(service, loads, state);
    case Scheduler::kWeightedRoundRobin:
      return weighted_round_robin(service, loads, state);
    case Scheduler::kLeastConnections:
      return least_connections(service, loads);
    case Scheduler::kWeightedLeastConnections:
      return weighted_least_connections(service, loads);
    case Scheduler::kShortestExpectedDelay:
      return shortest_expected_delay(service, loads);
    case Scheduler::kNeverQueue:
      return never_queue(service, loads);
    case Scheduler::kLocality:
      return locality(service, loads, state);
    case Scheduler::kLocalityReplicated:
      return locality_replicated(service, flow, loads, state);
    case Scheduler::kDestinationHash:
    case Scheduler::kSourceHash:
    case Scheduler::kMaglev:
      return by_ring(service, ring_hash(service, flow), loads);
    case Scheduler::kFailover:
      return failover(service, loads);
    case Scheduler::kOverflow:
      return overflow(service, loads);
    case Scheduler::kTwoChoices:
      return two_choices(service, flow, loads, state);
  }
  return nullptr;
}

namespace {

// The server's own name, not its slot: other nodes may have other slots.
std::uint64_t number_of(const net::Endpoint& endpoint) {
  if (!endpoint.address.is_v6()) {
    return std::uint64_t{endpoint.address.v4().value()} << 16 | endpoint.port;
  }
  const net::Ip6& address = endpoint.address.v6();
  return net::detail::fold(address.raw_high() + endpoint.port, address.raw_low() | 1);
}

const RealServer* by_rendezvous(const Service& service, std::uint64_t hash) {
  const RealServer* best = nullptr;
  std::uint64_t best_hash = 0;
  double best_score = 0;
  for (const RealServer& real : service.pool) {
    if (real.weight == 0) continue;
    const std::uint64_t mixed =
        net::detail::fold(hash ^ net::detail::fold(number_of(real.endpoint), net::detail::kFirst),
                          net::detail::kSecond);
    if (service.equal_weights) {
      if (best != nullptr && mixed <= best_hash) continue;
      best_hash = mixed;
    } else {
      // An exponential race: the server with the earliest arrival at a rate of its weight.
      const double uniform = (static_cast<double>(mixed >> 11) + 0.5) * 0x1p-53;
      const double score = std::log(uniform) / real.weight;
      if (best != nullptr && score <= best_score) continue;
      best_score = score;
    }
    best = &real;
  }
  return best;
}

}  // namespace

const RealServer* choose_by_hash(const Service& service, const NewFlow& flow) {
  if (!service.has_ring()) return by_rendezvous(service, flow.hash);
  const std::uint16_t place = service.ring->at(ring_hash(service, flow));
  return place == MaglevRing::kNobody ? nullptr : &service.pool[place];
}

// A server is known by its address and, for mh, its port: with sh and dh a client then has the same
// server in all services of the same servers.
void Service::build_ring() {
  if (!has_ring()) return;
  std::vector<MaglevRing::Member> members;
  for (const RealServer& real : pool) {
    const std::uint16_t port = scheduler == Scheduler::kMaglev ? real.endpoint.port : 0;
    members.push_back({number_of({real.endpoint.address, port}), real.weight});
  }
  ring.ring = std::make_shared<const MaglevRing>(members, ring_slots);
}

}  // namespace keepline::lb
