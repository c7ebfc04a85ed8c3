// Schedulers that go round: rr and wrr. PURE; see scheduler.h.
#pragma once

#include "dataplane/lb/sched/scheduler.h"

namespace keepline::lb {

/// Both need a pool that is not empty.
const RealServer* round_robin(const Service& service, Loads& loads, SchedulerState& state);
/// The interleaved weighted round robin: a round per weight level, from the highest down in steps
/// of the weights' common divisor. When those of the present levels are full, any other in turn.
const RealServer* weighted_round_robin(const Service& service, Loads& loads, SchedulerState& state);

}  // namespace keepline::lb
