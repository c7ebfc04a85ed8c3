#include "dataplane/lb/sched/in_turn.h"

#include <algorithm>

namespace keepline::lb {

const RealServer* round_robin(const Service& service, Loads& loads, SchedulerState& state) {
  const auto size = static_cast<std::uint32_t>(service.pool.size());
  for (std::uint32_t tried = 0; tried < size; ++tried) {
    const std::uint32_t index = state.cursor % size;
    state.cursor = index + 1;
    if (loads.takes(service.pool[index])) return &service.pool[index];
  }
  return nullptr;
}

const RealServer* weighted_round_robin(const Service& service, Loads& loads,
                                       SchedulerState& state) {
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
    if (real.weight >= state.current_weight && loads.takes(real)) return &real;
  }
  return round_robin(service, loads, state);
}

}  // namespace keepline::lb
