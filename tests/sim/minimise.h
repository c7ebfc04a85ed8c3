// Makes a failing schedule as small as it gets while the same invariant fails.
//
// Greedy: faults and nodes are left out one by one, then every number is set to its default, until
// nothing more can go. Bound: kMinimiseRuns runs.
#pragma once

#include <cstddef>

#include "tests/sim/invariants.h"
#include "tests/sim/schedule.h"

namespace keepline::vrrp::sim {

inline constexpr std::size_t kMinimiseRuns = 5000;

Schedule minimise(Schedule schedule, Invariant invariant);

}  // namespace keepline::vrrp::sim
