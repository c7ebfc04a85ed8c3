#include "dataplane/lb/sched/scheduler.h"

#include <algorithm>

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

}  // namespace keepline::lb
