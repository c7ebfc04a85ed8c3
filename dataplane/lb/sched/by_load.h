// Schedulers that compare the servers' connections or weights. PURE; see scheduler.h.
#pragma once

#include "dataplane/lb/sched/scheduler.h"

namespace keepline::lb {

const RealServer* least_connections(const Service& service, Loads& loads);
const RealServer* weighted_least_connections(const Service& service, Loads& loads);
const RealServer* shortest_expected_delay(const Service& service, Loads& loads);
const RealServer* never_queue(const Service& service, Loads& loads);
const RealServer* failover(const Service& service, Loads& loads);
const RealServer* overflow(const Service& service, Loads& loads);
const RealServer* two_choices(const Service& service, const NewFlow& flow, Loads& loads,
                              SchedulerState& state);
const RealServer* locality(const Service& service, Loads& loads, SchedulerState& state);
const RealServer* locality_replicated(const Service& service, const NewFlow& flow, Loads& loads,
                                      SchedulerState& state);

}  // namespace keepline::lb
