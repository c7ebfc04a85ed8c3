#include "tests/sim/invariants.h"

#include <algorithm>
#include <array>

#include "vrrp/instance.h"

namespace keepline::vrrp::sim {

namespace {

constexpr std::array<Rule, kInvariantCount> kRules = {
    Rule{"one-master",
         "a network that is whole for the convergence bound has exactly one master per VRID, and "
         "nobody else answers; none if nobody is eligible"},
    Rule{"right-master",
         "that master has the highest effective priority of all eligible nodes but those that are "
         "told not to preempt"},
    Rule{"no-gap",
         "nobody who could be master waits longer than a master-down interval in which there is "
         "none"},
    Rule{"overlap",
         "two nodes that hear each other do not both answer for a VIP for longer than until the "
         "better one's next advert"},
    Rule{"takeover", "nobody takes over while the master that it heard and respects still answers"},
    Rule{"patience",
         "a backup waits the whole master-down interval after the last advert that it must "
         "respect, its skew after a priority 0, and at a start what the start rule says"},
    Rule{"nopreempt", "with nopreempt a backup waits so after any advert, of a lower priority too"},
    Rule{"preempt-delay", "while preempt_delay runs, lower priorities are respected as well"},
    Rule{"listen",
         "a node that did not run for longer than its lease, or than a peer waits, listens for a "
         "whole master-down interval before it is master"},
    Rule{"succession",
         "a master that leaves says priority 0, which makes the backup that heard it master after "
         "its skew; an owner that starts is master at once"},
    Rule{"yield",
         "a master yields to a higher priority, or an equal one and a higher address, at once; "
         "and to nothing else"},
    Rule{"silence",
         "adverts come only from a master, priority 0 only from one that leaves with its lease "
         "unbroken, and the one extra advert of a yield only if it is configured"},
    Rule{"lease", "the dataplane never answers longer than peers wait after the last advert"},
    Rule{"serve",
         "a master has a valid lease and the addresses, who was just succeeded for a moment, too; "
         "nobody else"},
    Rule{"departure",
         "a leaving master is quiet when it has heard its successor, and gone after the longest "
         "skew and 800 ms"},
    Rule{"sync-group", "the members of a sync group are all master or none, all at fault or none"},
    Rule{"announcer", "gratuitous ARP comes only from a node that holds the VIP and its lease"},
    Rule{"announced",
         "what a client that hears everything heard last names the master, as far as the master "
         "could know that it had to speak"},
    Rule{"actions", "no action of an instance is ever lost"},
    Rule{"authentic",
         "with auth_hmac an advert that is forged, stale or was heard before changes nothing, and "
         "every other one is taken"},
    Rule{"stand-by",
         "who has handed over preempts nobody before it was taken back or has been master again"},
    Rule{"hand-over",
         "who was asked to hand over is a backup if somebody has succeeded it, and else master"},
    Rule{"lossless",
         "where only planned things happen and somebody can take over, no packet of a client is "
         "lost "
         "and none is answered twice"},
};

// Until a successor has spoken, the moment that who was succeeded forwards on, and its margin.
constexpr std::int64_t kDepartureSlack_us = 200'000 + 500'000 + 100'000;

}  // namespace

const Rule& rule_of(Invariant invariant) {
  return kRules[static_cast<std::size_t>(invariant)];
}

std::int64_t stretched(std::int64_t time_us) {
  return time_us + time_us * kDriftPercent / 100 + 2;
}

Bounds::Bounds(const Schedule& schedule) {
  interval_us = stretched(longest_interval_us(schedule));
  std::int64_t delay_us = 0;
  std::int64_t down_adverts = 1;
  for (const NodePlan& node : schedule.nodes) {
    down_adverts = std::max(down_adverts, node.down_adverts);
    delay_us = std::max(delay_us, stretched(node.preempt_delay_us));
  }
  std::int64_t held_us = 0;
  for (const Fault& fault : schedule.faults) {
    if (fault.kind == FaultKind::kDelay) held_us += fault.value;
  }
  // RFC 9568 section 6.1, RFC 3768 section 6.1: at priority 0 the skew would be the whole unit.
  skew_us = schedule.version == 2 ? stretched(kSecond_us) : interval_us;
  master_down_us = down_adverts * interval_us + skew_us;
  // The sender's thread is late, the packet takes its time, the receiver's thread is late.
  hop_us = 2 * schedule.latency_us + schedule.delay_us + 2;
  // The last advert of a master that is gone may have been held up. Then one whole interval.
  gap_us = held_us + master_down_us + 2 * hop_us;
  // The better one's next advert is due within its interval (the first one after its lead), and
  // the other one yields to it.
  overlap_us = std::max(interval_us, stretched(Instance::kLead_us)) + 2 * hop_us;
  // Somebody becomes master (one master-down interval); its first advert starts preempt_delay on
  // those that are better; when the delay is over their timers run out (another one), and after
  // one more advert the worse ones have yielded. One more master-down interval for a sync group,
  // in which a member may have to ask again.
  converged_us = 3 * master_down_us + delay_us + 2 * interval_us + 10 * hop_us;
  departure_us = skew_us + stretched(kDepartureSlack_us) + hop_us;
}

}  // namespace keepline::vrrp::sim
