// What Monitor demands of a node by itself, each time when it has run.
#include <utility>

#include "tests/sim/monitor.h"

namespace keepline::vrrp::sim {

void Monitor::run_ends(const Node& node) {
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (!node.has(lan)) continue;
    const std::int64_t until_us = node.clock().local_us(node.dataplane(lan).lease_until_us);
    if (!node.departs(lan)) {
      Watch& watch = watch_of(node, lan);
      judge(watch.run_ends(moment(node), node.is_master(lan), until_us), node, lan);
      check_dataplane(node, lan);
      check_handed_over(node, lan);
    }
    if (node.instance(lan).statistics().action_lost > 0) {
      fail(Invariant::kActions, node.now_us(), node.number(), lan, "");
    }
  }
  if (node.departs()) {
    check_departure(node);
  } else if (schedule_.grouped() && !node.is_split()) {
    check_group(node);
  }
}

// Others of its sync group may have been succeeded where it was not: then it goes with them.
bool Monitor::is_succeeded(const Node& node, std::size_t lan) const {
  const auto& heard_us = node_facts_[node.number()].successor_heard_us;
  bool is_succeeded = heard_us[lan] <= node.now_us();
  for (std::size_t other = 0; node.grouped() && other < schedule_.lan_count(); ++other) {
    is_succeeded = is_succeeded || heard_us[other] <= node.now_us();
  }
  return is_succeeded;
}

void Monitor::check_handed_over(const Node& node, std::size_t lan) {
  NodeFacts& facts = node_facts_[node.number()];
  if (!std::exchange(facts.hands_over[lan], false) || !is_succeeded(node, lan)) return;
  watch_of(node, lan).stand_by();
  if (!node.is_master(lan)) return;
  fail(Invariant::kHandOver, node.now_us(), node.number(), lan, "stays beside its successor");
}

void Monitor::check_dataplane(const Node& node, std::size_t lan) {
  const Node::Dataplane& dataplane = node.dataplane(lan);
  const bool served = dataplane.lease_until_us > node.now_us();
  // Who has just been succeeded holds both for a moment, unless its dataplane has been there first.
  const bool lingers = node.local_us() < node_facts_[node.number()].lingers_until_us[lan];
  const bool is_master = node.is_master(lan);
  if (lingers || (dataplane.addresses == is_master && served == is_master)) return;
  fail(Invariant::kServe, node.now_us(), node.number(), lan,
       dataplane.addresses ? "holds the addresses" : "does not hold the addresses");
}

void Monitor::check_group(const Node& node) {
  for (std::size_t lan = 1; lan < schedule_.lan_count(); ++lan) {
    if (node.is_master(lan) != node.is_master(0)) {
      fail(Invariant::kSyncGroup, node.now_us(), node.number(), lan, "not as the first member");
    }
    const State states[] = {node.instance(0).state(), node.instance(lan).state()};
    if ((states[0] == State::kFault) != (states[1] == State::kFault)) {
      fail(Invariant::kSyncGroup, node.now_us(), node.number(), lan, "one at fault, one not");
    }
  }
}

void Monitor::check_departure(const Node& node) {
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (!node.departs(lan)) continue;
    const bool succeeded = node_facts_[node.number()].successor_heard_us[lan] <= node.now_us();
    const bool answers = node.answers(lan, node.now_us());
    if (answers && succeeded) {
      fail(Invariant::kDeparture, node.now_us(), node.number(), lan, "answers beside it");
    }
    // Who hands over has an advert interval in which to find that nobody came.
    const std::int64_t more_us =
        node_facts_[node.number()].hands_over[lan] ? bounds_.interval_us : 0;
    const std::int64_t end_us = node.leave_us() + bounds_.departure_us + more_us;
    if (node.dataplane(lan).lease_until_us > end_us) {
      fail(Invariant::kDeparture, node.now_us(), node.number(), lan, "a lease without end");
    }
  }
}

}  // namespace keepline::vrrp::sim
