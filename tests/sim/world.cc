#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>

namespace keepline::vrrp::sim {

namespace {

/// The end of a fault, or its beginning, in order of time.
struct Turn {
  std::int64_t at_us = 0;
  bool begins = true;
  const Fault* fault = nullptr;
};

std::vector<Turn> turns_of(const Schedule& schedule) {
  std::vector<Turn> turns;
  for (const Fault& fault : schedule.faults) {
    turns.push_back({fault.at_us, true, &fault});
    turns.push_back({fault.end_us(), false, &fault});
  }
  std::stable_sort(turns.begin(), turns.end(),
                   [](const Turn& a, const Turn& b) { return a.at_us < b.at_us; });
  return turns;
}

/// Long enough after the last fault to converge, and to judge that for a while.
std::int64_t end_of(const Schedule& schedule) {
  const Bounds bounds(schedule);
  std::int64_t end_us = 0;
  for (const NodePlan& node : schedule.nodes) end_us = std::max(end_us, node.start_us);
  for (const Fault& fault : schedule.faults) {
    const std::int64_t held_us = fault.kind == FaultKind::kDelay ? fault.value : 0;
    end_us = std::max(end_us, fault.end_us() + held_us);
  }
  return end_us + bounds.departure_us + bounds.converged_us + 6 * bounds.interval_us;
}

class World {
 public:
  World(const Schedule& schedule, bool trace)
      : schedule_(schedule),
        random_(static_cast<std::uint64_t>(schedule.seed)),
        network_(schedule, random_.fork()),
        monitor_(schedule, network_),
        turns_(turns_of(schedule)),
        trace_(trace) {
    for (std::size_t i = 0; i < schedule.nodes.size(); ++i) {
      nodes_.emplace_back(schedule, i, network_, monitor_, random_.fork());
    }
    monitor_.watch(nodes_, trace, random_.fork());
  }

  Outcome run() {
    const std::int64_t end_us = end_of(schedule_);
    std::int64_t now_us = 0;
    while (!monitor_.failure()) {
      const std::int64_t nodes_us = next_us();
      now_us = std::max(now_us, std::min(nodes_us, monitor_.traffic_us()));
      if (now_us > end_us) break;
      // Packets of clients change nothing that is to be judged.
      monitor_.step_traffic(now_us);
      if (nodes_us > now_us) continue;
      step(now_us);
      monitor_.check(now_us);
    }
    if (!monitor_.failure()) monitor_.finish(end_us);
    return {monitor_.failure(), monitor_.tally()};
  }

 private:
  std::int64_t next_us() const {
    std::int64_t next_us = network_.next_us();
    if (turn_ < turns_.size()) next_us = std::min(next_us, turns_[turn_].at_us);
    for (const Node& node : nodes_) next_us = std::min(next_us, node.wake_us());
    return next_us;
  }

  void step(std::int64_t now_us) {
    while (turn_ < turns_.size() && turns_[turn_].at_us <= now_us) take(turns_[turn_++]);
    while (const auto packet = network_.receive(now_us)) {
      nodes_[packet->to].receive(*packet, now_us);
    }
    for (Node& node : nodes_) {
      if (node.wake_us() <= now_us) node.run(now_us);
    }
  }

  void take(const Turn& turn) {
    const Fault& fault = *turn.fault;
    if (trace_) {
      std::printf("%12.6f  fault %s %s, node %d\n", static_cast<double>(turn.at_us) / kSecond_us,
                  name_of(fault.kind), turn.begins ? "begins" : "ends",
                  static_cast<int>(fault.node));
    }
    Node& node = nodes_[static_cast<std::size_t>(fault.node)];
    if (turn.begins) {
      network_.begin(fault, turn.at_us);
      node.begin(fault, turn.at_us);
      monitor_.begin(fault, turn.at_us);
    } else {
      network_.end(fault, turn.at_us);
      node.end(fault, turn.at_us);
      monitor_.end(fault, turn.at_us);
    }
  }

  const Schedule& schedule_;
  Random random_;
  Network network_;
  Monitor monitor_;
  std::deque<Node> nodes_;
  std::vector<Turn> turns_;
  std::size_t turn_ = 0;
  bool trace_;
};

}  // namespace

Outcome run(const Schedule& schedule, bool trace) {
  return World(schedule, trace).run();
}

}  // namespace keepline::vrrp::sim
