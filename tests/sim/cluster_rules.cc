// The rules between nodes: who may answer beside whom, who is master in the end, what a client
// believes.
#include <algorithm>

#include "tests/sim/monitor.h"

namespace keepline::vrrp::sim {

namespace {

std::string us(std::int64_t time_us) {
  return std::to_string(time_us) + " us";
}

}  // namespace

void Monitor::check(std::int64_t now_us) {
  ++tally_.steps;
  check_eligible(now_us);
  check_succession(now_us);
  if (traffic_) traffic_->look(now_us);
  const bool settled = disturbed_ == 0 && now_us - quiet_since_us_ > bounds_.converged_us;
  if (settled) ++tally_.checked;
  for (std::size_t lan = 0; lan < schedule_.lan_count() && !failure_; ++lan) {
    check_gap(lan, now_us);
    check_overlap(lan, now_us);
    if (settled) check_converged(lan, now_us);
  }
}

void Monitor::finish(std::int64_t now_us) {
  check(now_us);
  if (traffic_) tally_.answered = traffic_->answered();
  tally_.simulated_us = static_cast<std::uint64_t>(now_us);
  for (const Node& node : *nodes_) {
    if (!node.is_master(0)) continue;
    const Belief& belief = lan_facts_[0].beliefs[0];
    if (belief.node != kNobody && belief.node != node.number()) ++tally_.stale;
  }
}

// Where one node has split its sync group, the whole group of another one waits for what it holds:
// who is to be master then no protocol says.
bool Monitor::is_eligible(const Node& node, std::int64_t now_us) const {
  return !is_split_ && node.eligible(now_us);
}

void Monitor::check_eligible(std::int64_t now_us) {
  is_split_ = false;
  bool is_under_way = false;
  for (const Node& node : *nodes_) {
    is_split_ = is_split_ || node.is_split();
    is_under_way = is_under_way || node.departs();
  }
  if (is_split_ || is_under_way) quiet_since_us_ = std::max(quiet_since_us_, now_us);
  for (const Node& node : *nodes_) {
    NodeFacts& facts = node_facts_[node.number()];
    const bool eligible = is_eligible(node, now_us);
    if (eligible && !facts.was_eligible) facts.eligible_since_us = now_us;
    facts.was_eligible = eligible;
    // A departure that has no end does not end at the next wake-up either.
    const bool overdue = node.departs() && !node.paused() &&
                         now_us > node.leave_us() + bounds_.departure_us + bounds_.hop_us;
    if (overdue) fail(Invariant::kDeparture, now_us, node.number(), 0, "still there");
  }
}

// A backup that was told "priority 0" is not kept waiting by anything but a master that it respects
// (then nothing is due any more). A sync group waits for the last of its members.
void Monitor::check_succession(std::int64_t now_us) {
  for (const Node& node : *nodes_) {
    if (!is_eligible(node, now_us)) continue;
    std::int64_t due_us = -kNever_us;
    for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
      const auto by_us = watch_of(node, lan).succession_by_us();
      due_us = std::max(due_us, by_us.value_or(kNever_us));
    }
    if (due_us >= kNever_us / 2) continue;
    const std::int64_t late_us = now_us - node.clock().real_us(due_us);
    if (late_us > bounds_.hop_us) {
      fail(Invariant::kSuccession, now_us, node.number(), 0, us(late_us) + " late");
    }
  }
}

void Monitor::check_gap(std::size_t lan, std::int64_t now_us) {
  std::int64_t& since_us = lan_facts_[lan].masterless_since_us;
  for (const Node& node : *nodes_) {
    // One that leaves serves on, and may have spoken as a master a moment ago.
    const bool serves = node.is_master(lan) || (node.departs(lan) && node.answers(lan, now_us));
    if (serves && !node.paused()) since_us = now_us;
  }
  if (since_us == now_us) return;
  for (const Node& node : *nodes_) {
    if (!is_eligible(node, now_us)) continue;
    const std::int64_t waited_us =
        now_us - std::max(since_us, node_facts_[node.number()].eligible_since_us);
    if (waited_us > bounds_.gap_us) {
      fail(Invariant::kNoGap, now_us, node.number(), lan, "after " + us(waited_us));
    }
  }
}

void Monitor::check_overlap(std::size_t lan, std::int64_t now_us) {
  for (std::size_t a = 0; a < nodes_->size(); ++a) {
    for (std::size_t b = a + 1; b < nodes_->size(); ++b) {
      check_pair(lan, (*nodes_)[a], (*nodes_)[b], now_us);
    }
  }
}

void Monitor::check_pair(std::size_t lan, const Node& a, const Node& b, std::int64_t now_us) {
  std::int64_t& since_us = lan_facts_[lan].both_since_us[a.number()][b.number()];
  // Two that both leave have no successor to listen to, only an end.
  const bool excused = a.paused() || b.paused() || (a.departs(lan) && b.departs(lan));
  if (excused || !a.answers(lan, now_us) || !b.answers(lan, now_us)) {
    since_us = kNever_us;
    return;
  }
  since_us = std::min(since_us, now_us);
  const std::int64_t whole_us = network_.whole_since_us(lan, a.number(), b.number());
  if (whole_us == kNever_us) return;
  const std::int64_t overlap_us = now_us - std::max(since_us, whole_us);
  if (overlap_us <= bounds_.overlap_us) return;
  fail(Invariant::kOverlap, now_us, a.number(), lan,
       "node " + std::to_string(b.number()) + " too, for " + us(overlap_us));
}

// The network had no part in it: the old master's last advert was heard, and no later one can be
// on its way. What is left of its lease is what the two clocks differ by.
void Monitor::check_takeover(const Node& node, std::size_t lan) {
  const Watch& watch = watch_of(node, lan);
  const std::int64_t now_us = node.now_us();
  if (!watch.respected()) return;
  const Node& old = (*nodes_)[*watch.respected()];
  if (!old.has(lan) || old.departs(lan) || !old.answers(lan, now_us)) return;
  if (network_.open_since_us(lan, old.number(), node.number()) > watch.respected_real_us()) return;
  const Watch& theirs = watch_of(old, lan);
  // It has stepped back since, is master anew and leads clients away: it has not spoken yet.
  if (theirs.became_master_real_us() > watch.respected_real_us()) return;
  if (theirs.last_advert_real_us() + bounds_.hop_us >= now_us) return;
  // One that waits for fewer adverts does not know how long the other one's lease is.
  if (node.plan().down_adverts < old.plan().down_adverts) return;
  const std::int64_t apart_ppm =
      worst_drift_ppm(schedule_, node.number()) + worst_drift_ppm(schedule_, old.number());
  const std::int64_t lease_us = old.plan().down_adverts * theirs.spoken_interval_us();
  const std::int64_t allowed_us = lease_us * apart_ppm / 1'000'000 + 4;
  const std::int64_t left_us = old.dataplane(lan).lease_until_us - now_us;
  if (left_us <= allowed_us) return;
  fail(Invariant::kTakeover, now_us, node.number(), lan,
       "node " + std::to_string(old.number()) + " has " + us(left_us) + " left");
}

void Monitor::check_converged(std::size_t lan, std::int64_t now_us) {
  const Node* master = nullptr;
  bool somebody = false;
  for (const Node& node : *nodes_) {
    somebody = somebody || is_eligible(node, now_us);
    if (!node.is_master(lan)) {
      if (node.answers(lan, now_us)) {
        fail(Invariant::kOneMaster, now_us, node.number(), lan, "answers and is not master");
      }
      continue;
    }
    if (master != nullptr || !node.eligible(now_us)) {
      fail(Invariant::kOneMaster, now_us, node.number(), lan,
           master != nullptr ? "beside node " + std::to_string(master->number()) : "not eligible");
    }
    master = &node;
  }
  if (somebody != (master != nullptr)) {
    return fail(Invariant::kOneMaster, now_us, 0, lan, "nobody is master");
  }
  if (master == nullptr || failure_) return;
  if (!master->answers(lan, now_us)) {
    fail(Invariant::kOneMaster, now_us, master->number(), lan, "the master does not answer");
  }
  check_right(lan, *master, now_us);
  check_announced(lan, *master, now_us);
}

// RFC 9568 section 6.4.2: an equal priority does not preempt, whatever its address.
void Monitor::check_right(std::size_t lan, const Node& master, std::int64_t now_us) {
  const std::uint8_t present = watch_of(master, lan).priority();
  for (const Node& node : *nodes_) {
    if (!is_eligible(node, now_us)) continue;
    const Watch& watch = watch_of(node, lan);
    const bool is_equal = watch.priority() <= present && !watch.ignores();
    if (&node == &master || is_equal) continue;
    // The whole group stands by if one of its members does: another one may be new.
    bool stands_by = watch.stands_by();
    for (std::size_t other = 0; node.grouped() && other < schedule_.lan_count(); ++other) {
      stands_by = stands_by || watch_of(node, other).stands_by();
    }
    if (watch.config().never_preempts() || stands_by) continue;
    fail(Invariant::kRightMaster, now_us, master.number(), lan,
         "node " + std::to_string(node.number()) + " has priority " +
             std::to_string(watch.priority()) + " > " + std::to_string(present));
  }
}

// When the master last had a reason to announce its VIPs, and time to do so since.
std::int64_t Monitor::last_duty_us(std::size_t lan, const Node& master, std::int64_t now_us) const {
  const Watch& watch = *watches_[master.number()][lan];
  const GarpSettings& garp = watch.config().garp;
  const std::int64_t rounds = std::max(garp.master_repeat, garp.lower_prio_repeat);
  const std::int64_t done_us = now_us - bounds_.hop_us - 2 * schedule_.kernel_us -
                               2 * rounds * schedule_.vips * (schedule_.garp_gap_us + 1);
  std::int64_t duty_us = -kNever_us;
  const auto consider = [&](std::int64_t at_us, std::int64_t later_us) {
    const std::int64_t late_us = later_us > 0 ? stretched(later_us) : 0;
    if (at_us + late_us <= done_us) duty_us = std::max(duty_us, at_us + later_us - late_us / 50);
  };
  consider(watch.became_master_real_us(), 0);
  consider(watch.lower_heard_real_us(), 0);
  if (garp.master_delay_us > 0) consider(watch.became_master_real_us(), garp.master_delay_us);
  if (garp.refresh_us > 0) {
    const std::int64_t period_us = stretched(garp.refresh_us);
    const std::int64_t first_us =
        watch.became_master_real_us() + stretched(garp.master_delay_us) + period_us;
    if (first_us + bounds_.hop_us < done_us - period_us) {
      duty_us = std::max(duty_us, done_us - period_us - bounds_.hop_us);
    }
  }
  return duty_us;
}

bool Monitor::owes_leading(std::size_t lan, const Belief& belief, std::int64_t now_us) {
  if (schedule_.unicast != 0 || belief.node == kNobody) return false;
  if ((*nodes_)[belief.node].holds(lan, now_us - bounds_.hop_us)) return false;
  return hindered_us_ < belief.at_us &&
         network_.open_since_us(lan, belief.node, kClient) <= belief.at_us;
}

void Monitor::check_announced(std::size_t lan, const Node& master, std::int64_t now_us) {
  const std::int64_t duty_us = last_duty_us(lan, master, now_us);
  if (network_.open_since_us(lan, master.number(), kClient) > duty_us) return;
  for (std::size_t i = 0; i < static_cast<std::size_t>(schedule_.vips); ++i) {
    const Belief& belief = lan_facts_[lan].beliefs[i];
    if (belief.node == master.number()) continue;
    // Whoever spoke after the master's last reason to speak was not heard by it: a yield is silent.
    // It is for the one who yielded then to lead its clients to the master, when it lets go.
    if (belief.at_us >= duty_us && !owes_leading(lan, belief, now_us)) continue;
    fail(Invariant::kAnnounced, now_us, master.number(), lan,
         "the client believes in node " + std::to_string(belief.node));
  }
}

}  // namespace keepline::vrrp::sim
