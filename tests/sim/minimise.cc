#include "tests/sim/minimise.h"

#include <utility>

#include "tests/sim/world.h"

namespace keepline::vrrp::sim {

namespace {

// Stations are numbered by bits; those above the node move down, the client keeps its own.
std::int64_t without_station(std::int64_t stations, std::size_t node) {
  const std::int64_t nodes = stations & ((1 << kNodeLimit) - 1);
  const std::int64_t below = nodes & ((1 << node) - 1);
  const std::int64_t above = nodes >> (node + 1) << node;
  return (stations & (1 << kClient)) | below | above;
}

Schedule without_node(Schedule schedule, std::size_t node) {
  const auto number = static_cast<std::int64_t>(node);
  schedule.nodes.erase(schedule.nodes.begin() + number);
  std::vector<Fault> kept;
  for (Fault fault : schedule.faults) {
    if (fault.node == number) {
      const bool of_node = fault.kind >= FaultKind::kPause;
      if (of_node) continue;
      fault.node = 0;
    }
    if (fault.node > number) --fault.node;
    fault.stations = without_station(fault.stations, node);
    kept.push_back(fault);
  }
  schedule.faults = std::move(kept);
  return schedule;
}

class Minimiser {
 public:
  Minimiser(Schedule schedule, Invariant invariant)
      : schedule_(std::move(schedule)), invariant_(invariant) {}

  Schedule run() {
    do {
      progress_ = false;
      drop_faults();
      drop_nodes();
      simplify();
    } while (progress_ && runs_ < kMinimiseRuns);
    return schedule_;
  }

 private:
  bool accept(const Schedule& candidate) {
    if (++runs_ > kMinimiseRuns) return false;
    const Outcome outcome = sim::run(candidate);
    if (!outcome.failure || outcome.failure->invariant != invariant_) return false;
    schedule_ = candidate;
    progress_ = true;
    return true;
  }

  void drop_faults() {
    for (std::size_t i = 0; i < schedule_.faults.size();) {
      Schedule candidate = schedule_;
      candidate.faults.erase(candidate.faults.begin() + static_cast<std::ptrdiff_t>(i));
      if (!accept(candidate)) ++i;
    }
  }

  void drop_nodes() {
    for (std::size_t i = 0; schedule_.nodes.size() > 1 && i < schedule_.nodes.size();) {
      if (!accept(without_node(schedule_, i))) ++i;
    }
  }

  void simplify() {
    for (const auto member : {&Schedule::ipv6, &Schedule::unicast, &Schedule::lans, &Schedule::vips,
                              &Schedule::latency_us, &Schedule::delay_us, &Schedule::garp_gap_us,
                              &Schedule::auth, &Schedule::kernel_us, &Schedule::wire_us}) {
      Schedule candidate = schedule_;
      if (std::exchange(candidate.*member, Schedule().*member) == candidate.*member) continue;
      accept(candidate);
    }
    for (std::size_t i = 0; i < schedule_.nodes.size(); ++i) simplify_node(i);
    for (std::size_t i = 0; i < schedule_.faults.size(); ++i) shorten(i);
  }

  void simplify_node(std::size_t node) {
    const NodePlan usual;
    for (const auto member :
         {&NodePlan::drift_ppm, &NodePlan::offset_us, &NodePlan::wall_offset_us,
          &NodePlan::start_us, &NodePlan::down_adverts, &NodePlan::owner_ignore_adverts,
          &NodePlan::initial_master, &NodePlan::nopreempt, &NodePlan::preempt_delay_us,
          &NodePlan::lower_prio_no_advert, &NodePlan::higher_prio_send_advert,
          &NodePlan::skip_check_adv_addr, &NodePlan::garp_delay_us, &NodePlan::garp_repeat,
          &NodePlan::garp_refresh_us, &NodePlan::garp_lower_delay_us,
          &NodePlan::garp_lower_repeat}) {
      Schedule candidate = schedule_;
      if (std::exchange(candidate.nodes[node].*member, usual.*member) == usual.*member) continue;
      accept(candidate);
    }
  }

  void shorten(std::size_t fault) {
    for (int i = 0; i < 8; ++i) {
      Schedule candidate = schedule_;
      candidate.faults[fault].for_us /= 2;
      if (candidate.faults[fault].for_us < kMinimum_us || !accept(candidate)) return;
    }
  }

  static constexpr std::int64_t kMinimum_us = 1000;
  Schedule schedule_;
  Invariant invariant_;
  std::size_t runs_ = 0;
  bool progress_ = false;
};

}  // namespace

Schedule minimise(Schedule schedule, Invariant invariant) {
  return Minimiser(std::move(schedule), invariant).run();
}

}  // namespace keepline::vrrp::sim
