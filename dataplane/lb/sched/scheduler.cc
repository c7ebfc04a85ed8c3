#include "dataplane/lb/sched/scheduler.h"

#include <algorithm>
#include <cmath>

#include "dataplane/net/flow.h"

namespace keepline::lb {

namespace {

const RealServer* round_robin(const Service& service, SchedulerState& state) {
  const auto size = static_cast<std::uint32_t>(service.pool.size());
  for (std::uint32_t tried = 0; tried < size; ++tried) {
    const std::uint32_t index = state.cursor % size;
    state.cursor = index + 1;
    if (service.pool[index].weight > 0) return &service.pool[index];
  }
  return nullptr;
}

const RealServer* weighted_round_robin(const Service& service, SchedulerState& state) {
  const auto size = static_cast<std::uint32_t>(service.pool.size());
  state.current_weight = std::min(state.current_weight, service.weight_max);
  // A level always has a server when it is at most weight_max: two passes reach one for sure.
  for (std::uint32_t tried = 0; tried <= 2 * size; ++tried) {
    if (state.cursor >= size || state.current_weight == 0) {
      state.cursor = 0;
      state.current_weight = state.current_weight > service.weight_divisor
                                 ? state.current_weight - service.weight_divisor
                                 : service.weight_max;
    }
    const RealServer& real = service.pool[state.cursor++];
    if (real.weight >= state.current_weight) return &real;
  }
  return nullptr;
}

}  // namespace

const RealServer* choose(const Service& service, SchedulerState& state) {
  if (service.weight_max == 0) return nullptr;
  switch (service.scheduler) {
    case Scheduler::kRoundRobin:
      return round_robin(service, state);
    case Scheduler::kWeightedRoundRobin:
      return weighted_round_robin(service, state);
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

}  // namespace

const RealServer* choose_by_hash(const Service& service, std::uint64_t hash) {
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

}  // namespace keepline::lb
