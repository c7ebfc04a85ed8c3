// One run of one schedule: virtual time, the nodes, the network, the faults, and their judge.
//
// Time jumps from event to event. At each moment faults come first, then packets arrive, then
// nodes that are due run, in order of their number; then everything is checked. The run ends
// with a failure, or when the network has been whole for long enough after the last fault.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "tests/sim/monitor.h"

namespace keepline::vrrp::sim {

struct Outcome {
  std::optional<Failure> failure;
  Tally tally;
};

/// `trace`: print what happens.
Outcome run(const Schedule& schedule, bool trace = false);

}  // namespace keepline::vrrp::sim
