// Draws a schedule from a seed. What is drawn first decides what follows, so that a seed means the
// same as long as nothing is added before it.
#include "tests/sim/schedule.h"

#include <algorithm>
#include <array>

#include "tests/sim/random.h"

namespace keepline::vrrp::sim {

namespace {

constexpr std::int64_t kHighestPriority = kOwnerPriority - 1;

std::int64_t draw_interval_us(Random& random, std::int64_t version) {
  if (version == 2) return random.pick({1, 1, 2}) * kSecond_us;
  const std::int64_t centis =
      random.chance(50) ? random.pick({1, 2, 5, 10, 25, 50, 100}) : random.between(1, 100);
  return centis * kCentisecond_us;
}

std::int64_t draw_drift_ppm(Random& random, std::int64_t down_adverts) {
  if (random.chance(40)) return 0;
  // With a multiplier of 1 more than this makes a sound cluster flap.
  if (down_adverts == 1) return random.between(-300, 300);
  return random.chance(70) ? random.between(-1000, 1000) : random.between(-10000, 10000);
}

void draw_garp(Random& random, std::int64_t unit_us, NodePlan& node) {
  node.garp_delay_us = random.pick({0, 0, 2, 5}) * unit_us;
  node.garp_repeat = random.pick({1, 1, 2, 5});
  node.garp_refresh_us = random.chance(20) ? random.between(3, 10) * unit_us : 0;
  node.garp_lower_delay_us = random.pick({0, 0, 1, 3}) * unit_us;
  node.garp_lower_repeat = random.pick({0, 1, 1, 3});
}

NodePlan draw_node(Random& random, std::int64_t interval_us, std::int64_t least_adverts) {
  NodePlan node;
  node.interval_us = interval_us;
  node.drift_ppm = draw_drift_ppm(random, least_adverts);
  node.wall_offset_us = random.between(-200'000, 200'000);
  node.offset_us = random.between(1, 1'000'000) * 1000;
  node.start_us = random.chance(50) ? 0 : random.between(0, 6 * interval_us);
  node.initial_master = random.chance(20);
  node.nopreempt = random.chance(20);
  node.preempt_delay_us = random.chance(25) ? random.between(1, 60) * interval_us / 10 : 0;
  node.lower_prio_no_advert = random.chance(15);
  node.higher_prio_send_advert = random.chance(15);
  node.skip_check_adv_addr = random.chance(15);
  draw_garp(random, interval_us, node);
  return node;
}

void draw_priorities(Random& random, std::vector<NodePlan>& nodes, bool has_owners) {
  const std::int64_t style = random.between(0, 3);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto rank = static_cast<std::int64_t>(i);
    if (style == 0) nodes[i].priority = 200 - 50 * rank / 2;
    if (style == 1) nodes[i].priority = 100;
    if (style == 2) nodes[i].priority = random.pick({1, 50, 100, 101, 150, 253, 254});
    if (style == 3) nodes[i].priority = random.between(1, kHighestPriority);
  }
  if (random.chance(15) && has_owners) {
    const auto owner = random.between(0, static_cast<std::int64_t>(nodes.size()) - 1);
    nodes[static_cast<std::size_t>(owner)].priority = kOwnerPriority;
    // Two that both think it is theirs; or one that listens to nobody.
    if (random.chance(30)) {
      nodes[random.next() % nodes.size()].priority = kOwnerPriority;
      // The higher address may ignore the other one: so it is master either way.
      nodes.back().priority = kOwnerPriority;
      nodes.back().owner_ignore_adverts = random.chance(30);
    } else {
      nodes[static_cast<std::size_t>(owner)].owner_ignore_adverts = random.chance(20);
    }
  }
}

std::int64_t least_down_adverts(const Schedule& schedule) {
  std::int64_t least = 100;
  for (const NodePlan& node : schedule.nodes) least = std::min(least, node.down_adverts);
  return least;
}

// The best one speaks seldom, and the others have a last word when it takes over: rare otherwise.
void draw_last_words(std::vector<NodePlan>& nodes, std::int64_t base_us) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].higher_prio_send_advert = 1;
    nodes[i].interval_us = base_us;
    if (nodes[i].priority > nodes[best].priority) best = i;
  }
  nodes[best].interval_us = 4 * base_us;
}

FaultKind draw_kind(Random& random, const Schedule& schedule) {
  constexpr std::array kPlanned = {
      FaultKind::kLeave,          FaultKind::kLeave,         FaultKind::kFailover,
      FaultKind::kFailover,       FaultKind::kPriority,      FaultKind::kReloadPriority,
      FaultKind::kReloadInterval, FaultKind::kReloadPreempt, FaultKind::kReloadRemove,
      FaultKind::kSpeed,
  };
  if (schedule.planned != 0) return kPlanned[random.next() % kPlanned.size()];
  return static_cast<FaultKind>(random.between(0, kFaultKindCount - 1));
}

// An interval that is none too short for how late threads and packets are here.
std::int64_t draw_new_interval_us(Random& random, const Schedule& schedule) {
  std::int64_t least_us = schedule.nodes.front().interval_us;
  for (const NodePlan& node : schedule.nodes) least_us = std::min(least_us, node.interval_us);
  if (schedule.planned == 0) return least_us * random.pick({1, 2, 3, 4});
  // Who has just started waits by its own interval: it has to hear a master of this one in time.
  return least_us * random.between(1, std::max<std::int64_t>(1, least_down_adverts(schedule) - 1));
}

Fault draw_fault(Random& random, const Schedule& schedule, std::int64_t unit_us) {
  Fault fault;
  fault.kind = draw_kind(random, schedule);
  fault.at_us = random.between(0, 40 * unit_us);
  fault.for_us = random.between(unit_us / 10, (random.chance(50) ? 4 : 12) * unit_us);
  fault.node = random.between(0, static_cast<std::int64_t>(schedule.nodes.size()) - 1);
  fault.lans = random.between(1, (1 << schedule.lans) - 1);
  switch (fault.kind) {
    case FaultKind::kLoss:
      fault.value = random.pick({10, 30, 60, 90, 100});
      break;
    case FaultKind::kDelay:
      fault.value = random.between(1, 3 * unit_us);
      break;
    case FaultKind::kDuplicate:
      fault.value = random.pick({20, 100});
      break;
    case FaultKind::kPartition:
      fault.stations = random.between(1, (1 << kStationLimit) - 2);
      fault.way = random.pick({0, 0, 1, 2});
      break;
    case FaultKind::kSpeed:
      fault.value = draw_drift_ppm(random, least_down_adverts(schedule));
      break;
    case FaultKind::kPriority:
    case FaultKind::kReloadPriority:
      fault.value = random.chance(50) ? random.between(1, kHighestPriority)
                                      : random.pick({1, 99, 100, 101, kHighestPriority});
      break;
    case FaultKind::kReloadInterval:
      fault.value = draw_new_interval_us(random, schedule);
      break;
    case FaultKind::kFailover:
      fault.way = random.chance(30);
      break;
    case FaultKind::kReloadRemove:
      // Half of a group that goes has no successor.
      if (schedule.planned != 0) fault.lans = (1 << schedule.lans) - 1;
      break;
    case FaultKind::kReloadPreempt:
    case FaultKind::kReloadGroups:
    case FaultKind::kForger:
    case FaultKind::kUnsent:
    case FaultKind::kPause:
    case FaultKind::kCrash:
    case FaultKind::kLeave:
    case FaultKind::kLinkDown:
    case FaultKind::kTracker:
      break;
  }
  return fault;
}

}  // namespace

namespace {

// What the protocol itself cannot do without a loss: `state MASTER` may begin before it has heard
// anybody (one interval is no longer than a packet may be late), and the last word of a yield may
// be believed by who has just stepped back for another reason.
void be_plain(NodePlan& node) {
  node.initial_master = 0;
  node.higher_prio_send_advert = 0;
}

}  // namespace

Schedule generate(std::uint64_t seed) {
  Random random(seed);
  Schedule schedule;
  schedule.seed = static_cast<std::int64_t>(random.next() >> 1);
  schedule.version = random.chance(30) ? 2 : 3;
  schedule.ipv6 = schedule.version == 3 && random.chance(30);
  schedule.unicast = random.chance(30);
  schedule.lans = random.chance(30) ? 2 : 1;
  schedule.planned = random.chance(25);
  schedule.vips = random.between(1, kVipLimit);
  schedule.auth = random.chance(25) ? random.between(1, 2) : 0;
  const std::int64_t down_adverts = random.chance(70) ? 3 : random.pick({1, 2, 4, 5});
  // The same on all nodes, or on each its own.
  const bool uneven = random.chance(15);

  const std::int64_t base_us = draw_interval_us(random, schedule.version);
  const bool mixed = schedule.version == 3 && base_us <= kSecond_us / 4 && random.chance(25) &&
                     schedule.planned == 0;
  const std::int64_t count = random.pick({2, 2, 3, 3, 4, 5});
  std::int64_t unit_us = base_us;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t interval_us = mixed ? base_us * random.pick({1, 1, 2, 4}) : base_us;
    unit_us = std::max(unit_us, interval_us);
    schedule.nodes.push_back(draw_node(random, interval_us, uneven ? 1 : down_adverts));
    if (schedule.planned != 0) be_plain(schedule.nodes.back());
    schedule.nodes.back().down_adverts = uneven ? random.between(1, 5) : down_adverts;
  }
  // An owner that starts speaks at once (RFC 9568 section 6.4.1), whatever its kernel has.
  draw_priorities(random, schedule.nodes, schedule.planned == 0);
  if (mixed && random.chance(30)) draw_last_words(schedule.nodes, base_us);
  for (const NodePlan& node : schedule.nodes) unit_us = std::max(unit_us, node.interval_us);

  // A node that is this late is still in time: with a multiplier of 1 it has half a skew.
  const std::int64_t share = least_down_adverts(schedule) == 1 ? 1024 : 8;
  schedule.latency_us = random.between(0, std::min<std::int64_t>(2000, base_us / share));
  const std::int64_t most_us = schedule.planned != 0 ? 5000 : 1000;
  schedule.delay_us = random.between(0, std::min<std::int64_t>(most_us, base_us / share));
  schedule.garp_gap_us = random.chance(20) ? random.between(1, 500) : 0;
  // Who preempts waits for its kernel no longer than an interval.
  schedule.kernel_us =
      random.chance(50) ? random.between(0, std::min<std::int64_t>(45'000, base_us / 2)) : 0;
  schedule.wire_us = random.between(0, 5000);
  // What is planned takes at least as long as who was succeeded serves on.
  if (schedule.planned != 0) unit_us = std::max(unit_us, kSecond_us / 20);

  const std::int64_t faults = random.between(1, 7);
  for (std::int64_t i = 0; i < faults; ++i) {
    Fault fault = draw_fault(random, schedule, unit_us);
    // Troubles that come together find more than those that each have their time.
    if (i > 0 && random.chance(40)) {
      const Fault& other = schedule.faults.back();
      fault.at_us = (random.chance(50) ? other.at_us : other.end_us()) +
                    random.between(0, random.chance(50) ? unit_us / 5 : 3 * unit_us);
      if (random.chance(50)) fault.node = other.node;
    }
    schedule.faults.push_back(fault);
  }
  std::stable_sort(schedule.faults.begin(), schedule.faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at_us < b.at_us; });
  return schedule;
}

}  // namespace keepline::vrrp::sim
