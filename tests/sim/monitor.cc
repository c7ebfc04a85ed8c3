// What Monitor sees. Its rules for one node are in node_rules.cc, those between nodes in
// cluster_rules.cc.
#include "tests/sim/monitor.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "vrrp/text.h"

namespace keepline::vrrp::sim {

Tally& Tally::operator+=(const Tally& other) {
  adverts += other.adverts;
  takeovers += other.takeovers;
  announcements += other.announcements;
  steps += other.steps;
  simulated_us += other.simulated_us;
  checked += other.checked;
  answered += other.answered;
  stale += other.stale;
  return *this;
}

Monitor::Monitor(const Schedule& schedule, const Network& network)
    : schedule_(schedule), network_(network), bounds_(schedule) {
  for (LanFacts& lan : lan_facts_) {
    for (auto& row : lan.both_since_us) row.fill(kNever_us);
  }
}

void Monitor::watch(const std::deque<Node>& nodes, bool trace, Random random) {
  nodes_ = &nodes;
  trace_ = trace;
  if (schedule_.planned != 0) traffic_.emplace(schedule_, nodes, random);
}

void Monitor::step_traffic(std::int64_t now_us) {
  if (!traffic_) return;
  const auto loss = traffic_->step(now_us);
  if (loss) fail(Invariant::kLossless, now_us, loss->node, loss->lan, loss->detail);
}

void Monitor::claims(const Node& node, std::size_t lan) {
  if (traffic_) traffic_->claimed(lan, node.number(), node.now_us());
  if (trace_) trace(node, "lan " + std::to_string(lan) + " claims");
}

void Monitor::leads_to(const Node& node, std::size_t lan, std::size_t successor, bool heard) {
  for (Belief& belief : lan_facts_[lan].beliefs) {
    if (heard) belief = {successor, node.now_us()};
  }
  if (traffic_) traffic_->told(lan, successor, node.now_us());
  if (!trace_) return;
  trace(node, "lan " + std::to_string(lan) + " leads to node " + std::to_string(successor));
}

void Monitor::fail(Invariant invariant, std::int64_t now_us, std::size_t node, std::size_t lan,
                   std::string detail) {
  if (!failure_) failure_ = Failure{invariant, now_us, node, lan, std::move(detail)};
}

void Monitor::judge(const Watch::Judgement& judgement, const Node& node, std::size_t lan) {
  if (judgement) fail(judgement->invariant, node.now_us(), node.number(), lan, judgement->detail);
}

void Monitor::trace(const Node& node, const std::string& what) const {
  if (!trace_) return;
  std::printf("%12.6f  node %zu  %s\n", static_cast<double>(node.now_us()) / kSecond_us,
              node.number(), what.c_str());
}

// What makes a network less than whole, or what the nodes have to settle anew.
void Monitor::change(const Fault& fault, int by, std::int64_t now_us) {
  const FaultKind kind = fault.kind;
  const bool disturbs = kind == FaultKind::kLoss || kind == FaultKind::kDelay ||
                        kind == FaultKind::kPartition || kind == FaultKind::kPause ||
                        kind == FaultKind::kUnsent;
  if (disturbs) disturbed_ += by;
  const std::int64_t held_us = kind == FaultKind::kDelay ? fault.value : 0;
  quiet_since_us_ = std::max(quiet_since_us_, now_us + held_us);
  // All else may keep a node from leading its clients to who serves; so may one LAN of two.
  const bool joins = by < 0 && (kind == FaultKind::kPartition || kind == FaultKind::kPause) &&
                     fault.on_lan(0) && fault.on_lan(schedule_.lan_count() - 1);
  if (!joins) hindered_us_ = now_us + held_us;
  const auto node = static_cast<std::size_t>(fault.node);
  if (kind == FaultKind::kPause) {
    for (auto& watch : watches_[node]) {
      if (watch) watch->paused((*nodes_)[node].clock().local_us(now_us));
    }
  }
  // The two of a pair may be judged anew after this.
  if (kind == FaultKind::kPause || kind == FaultKind::kPriority) judge_anew(node);
}

void Monitor::judge_anew(std::size_t node) {
  for (LanFacts& lan : lan_facts_) {
    for (std::size_t other = 0; other < kNodeLimit; ++other) {
      lan.both_since_us[std::min(node, other)][std::max(node, other)] = kNever_us;
    }
  }
}

void Monitor::booted(const Node& node) {
  node_facts_[node.number()] = {};
  trace(node, "starts");
}

void Monitor::added(const Node& node, std::size_t lan, const InstanceConfig& config) {
  watches_[node.number()][lan].emplace(config);
  watch_of(node, lan).run_begins(moment(node), 0);
  hearings_[node.number()][lan] = Hearing();
  if (traffic_) traffic_->appeared(node.number(), node.now_us());
  quiet_since_us_ = std::max(quiet_since_us_, node.now_us());
  if (trace_) trace(node, "lan " + std::to_string(lan) + " is there");
}

void Monitor::reconfigures(const Node& node, std::size_t lan, const InstanceConfig& config) {
  const std::uint8_t before = watch_of(node, lan).priority();
  watch_of(node, lan).reconfigured(config, moment(node));
  note_priority(node, lan, before);
  quiet_since_us_ = std::max(quiet_since_us_, node.now_us());
  judge_anew(node.number());
  if (!trace_) return;
  trace(node,
        "lan " + std::to_string(lan) + " is told: priority " + std::to_string(config.priority) +
            ", interval " + std::to_string(config.advert_interval_us) + " us" +
            (config.nopreempt ? ", nopreempt" : "") + (config.sync_grouped ? ", grouped" : ""));
}

void Monitor::removed(const Node& node, std::size_t lan) {
  watches_[node.number()][lan].reset();
  node_facts_[node.number()].successor_heard_us[lan] = kNever_us;
  if (trace_) trace(node, "lan " + std::to_string(lan) + " is gone");
}

void Monitor::departs(const Node& node, std::size_t lan, bool hands_over) {
  NodeFacts& facts = node_facts_[node.number()];
  facts.successor_heard_us[lan] = kNever_us;
  facts.hands_over[lan] = hands_over;
  if (traffic_) traffic_->stir(node.now_us());
  if (traffic_ && node.is_master(lan)) traffic_->said_goodbye(node.now_us());
  if (trace_) trace(node, "lan " + std::to_string(lan) + (hands_over ? " hands over" : " leaves"));
}

void Monitor::takes_back(const Node& node, std::size_t lan) {
  watch_of(node, lan).taken_back();
  quiet_since_us_ = std::max(quiet_since_us_, node.now_us());
  if (trace_) trace(node, "lan " + std::to_string(lan) + " may preempt again");
}

void Monitor::run_begins(const Node& node) {
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    // One that leaves for good serves to the end of its lease.
    const bool leaves = node.departs(lan) && !node_facts_[node.number()].hands_over[lan];
    if (!node.has(lan) || leaves) continue;
    watch_of(node, lan).run_begins(moment(node), node.dataplane(lan).lease_until_us);
  }
}

// An advert with a priority that has fallen meanwhile may make a node step back for one that does
// the same: two changes that cross each other.
void Monitor::note_priority(const Node& node, std::size_t lan, std::uint8_t before) {
  const Watch& watch = watch_of(node, lan);
  const bool is_said = watch.last_advert_real_us() + bounds_.hop_us > node.now_us();
  if (traffic_ && is_said && watch.priority() < before) traffic_->disarm();
}

void Monitor::prioritised(const Node& node, std::size_t lan) {
  const std::uint8_t before = watch_of(node, lan).priority();
  watch_of(node, lan).prioritised(node.instance(lan).effective_priority());
  note_priority(node, lan, before);
  if (!trace_) return;
  trace(node, "lan " + std::to_string(lan) + " priority " +
                  std::to_string(node.instance(lan).effective_priority()));
}

void Monitor::hears(const Node& node, const Packet& packet) {
  const Heard heard = read_packet(schedule_, packet);
  if (trace_) {
    trace(node, "lan " + std::to_string(packet.lan) + " hears node " + std::to_string(heard.from) +
                    " priority " + std::to_string(heard.priority));
  }
  received_ = node.instance(packet.lan).statistics().advert_rcvd;
  if (!must_take(node, packet)) {
    unchanged_ = picture_of(node, packet.lan);
    return;
  }
  if (node.departs(packet.lan)) {
    std::int64_t& heard_us = node_facts_[node.number()].successor_heard_us[packet.lan];
    if (heard.priority == kReleasePriority) return;
    heard_us = std::min(heard_us, node.now_us());
    const auto& hands_over = node_facts_[node.number()].hands_over;
    if (hands_over[packet.lan]) watch_of(node, packet.lan).succeeded(heard);
    for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
      const bool is_meant = lan == packet.lan || node.grouped();
      if (is_meant && hands_over[lan] && node.has(lan)) watch_of(node, lan).stand_by();
    }
    return;
  }
  watch_of(node, packet.lan).hears(heard, moment(node));
}

bool Monitor::must_take(const Node& node, const Packet& packet) const {
  const std::int64_t wall_us = kWallStart_us + node.now_us() + node.plan().wall_offset_us;
  return hearings_[node.number()][packet.lan].must_take(schedule_, packet, wall_us);
}

Monitor::Picture Monitor::picture_of(const Node& node, std::size_t lan) {
  const Instance& machine = node.instance(lan);
  return {machine.state(),
          machine.deadline_us(),
          machine.master_address(),
          machine.master_priority(),
          machine.master_interval_us(),
          machine.wants_master(),
          node.dataplane(lan).muted,
          node.dataplane(lan).lease_until_us};
}

void Monitor::has_heard(const Node& node, const Packet& packet) {
  const Instance& machine = node.instance(packet.lan);
  const bool was_taken = machine.statistics().advert_rcvd != received_;
  const std::optional<Picture> unchanged = std::exchange(unchanged_, std::nullopt);
  if (!unchanged) {
    const bool listens = machine.state() == State::kBackup || machine.state() == State::kMaster;
    const bool ignores = machine.config().is_owner() && machine.config().owner_ignore_adverts;
    // Who departs looks only for a successor.
    const bool is_successor =
        node.departs(packet.lan) && read_packet(schedule_, packet).priority != kReleasePriority;
    if (was_taken || is_successor) hearings_[node.number()][packet.lan].took(schedule_, packet);
    if (!was_taken && listens && !ignores && !node.departs(packet.lan)) {
      fail(Invariant::kAuthentic, node.now_us(), node.number(), packet.lan, "not taken");
    }
    return;
  }
  // Whoever calls the machine, it may find that time has passed.
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (node.has(lan) && watch_of(node, lan).broke(moment(node))) return;
  }
  if (machine.listening() && machine.deadline_us() != unchanged->deadline_us) return;
  Picture before = *unchanged;
  const Picture after = picture_of(node, packet.lan);
  // A new master waits for nothing but time: then clients are led here, and its first advert, if it
  // preempts, waits for that.
  if (machine.state() == State::kMaster && before.muted && !after.muted) {
    before.muted = false;
    before.lease_until_us = after.lease_until_us;
    if (machine.leads()) before.deadline_us = after.deadline_us;
  }
  if (!was_taken && after == before) return;
  fail(Invariant::kAuthentic, node.now_us(), node.number(), packet.lan, "it had an effect");
}

void Monitor::sends(const Node& node, std::size_t lan, net::Bytes bytes) {
  ++tally_.adverts;
  const std::uint8_t priority = bytes[(schedule_.ipv6 != 0 ? 40 : 20) + 2];
  if (trace_) {
    trace(node, "lan " + std::to_string(lan) + " sends priority " + std::to_string(priority));
  }
  judge(watch_of(node, lan).sends(priority, moment(node), node.is_master(lan)), node, lan);
  // A group has one mastership: where one lease is broken all are.
  for (std::size_t other = 0; other < schedule_.lan_count(); ++other) {
    if (priority == kReleasePriority) return;
    // Whoever hears it waits anew, if it is only the last word of one that yields.
    lan_facts_[other].masterless_since_us = node.now_us();
    if (other != lan && !node.grouped()) continue;
    if (!node.has(other) || !watch_of(node, other).broke(moment(node))) continue;
    fail(Invariant::kSilence, node.now_us(), node.number(), lan, "a member's lease is broken");
  }
}

void Monitor::announces(const Node& node, std::size_t lan, const net::IpAddr& vip, bool heard) {
  ++tally_.announcements;
  if (trace_) trace(node, "lan " + std::to_string(lan) + " announces " + net::to_string(vip));
  const Node::Dataplane& dataplane = node.dataplane(lan);
  const std::int64_t now_us = node.now_us();
  const bool is_settled = dataplane.kernel.has(now_us) || dataplane.kernel.may_announce(now_us);
  if (!dataplane.addresses || !is_settled || !node.answers(lan, now_us)) {
    fail(Invariant::kAnnouncer, node.now_us(), node.number(), lan, net::to_string(vip));
  }
  if (traffic_ && vip == vip_of(schedule_, lan, 0)) traffic_->told(lan, node.number(), now_us);
  for (std::size_t i = 0; heard && i < static_cast<std::size_t>(schedule_.vips); ++i) {
    if (vip_of(schedule_, lan, i) != vip) continue;
    lan_facts_[lan].beliefs[i] = {node.number(), node.now_us()};
  }
}

void Monitor::changes(const Node& node, std::size_t lan, const StateChanged& change) {
  if (trace_) {
    trace(node, "lan " + std::to_string(lan) + " " + std::string(to_string(change.from)) + " > " +
                    std::string(to_string(change.to)) + ", " +
                    std::string(to_string(change.reason)));
  }
  // Who leaves has spoken already. Of one that goes for good nothing follows any more.
  const bool departs = node.departs(lan);
  if (!departs || node_facts_[node.number()].hands_over[lan]) {
    const bool is_mute = node.is_mute(lan) || departs;
    judge(watch_of(node, lan).changes(change, moment(node), is_mute), node, lan);
  }
  if (change.reason == Reason::kHandedOver && !is_succeeded(node, lan)) {
    fail(Invariant::kHandOver, node.now_us(), node.number(), lan, "goes although nobody came");
  }
  const bool is_hands = change.from == State::kMaster || change.to == State::kMaster;
  if (traffic_ && is_hands) traffic_->stir(node.now_us());
  const bool lingers = change.from == State::kMaster && (change.reason == Reason::kHigherPriority ||
                                                         change.reason == Reason::kGroupLeft ||
                                                         change.reason == Reason::kHandedOver);
  // A member of a sync group that was not succeeded itself begins when its own successor speaks, or
  // later; and the others wait for it.
  const auto times = static_cast<std::int64_t>(schedule_.lan_count());
  auto& lingers_until_us = node_facts_[node.number()].lingers_until_us;
  lingers_until_us[lan] = lingers ? node.local_us() + times * Departure::kLinger_us : 0;
  // One that is grouped only now waits for the other, too.
  for (std::int64_t& until_us : lingers_until_us) {
    if (until_us > node.local_us()) until_us = std::max(until_us, lingers_until_us[lan]);
  }
  if (change.to != State::kMaster) return;
  ++tally_.takeovers;
  check_takeover(node, lan);
}

void Monitor::notices(const Node& node, std::size_t lan, const Notice& notice) {
  const Watch& watch = watch_of(node, lan);
  const bool speaks = watch.config().garp.lower_prio_repeat > 0;
  if (notice.kind != NoticeKind::kLowerPriorityAdvert || !speaks) return;
  for (std::size_t other = 0; other < schedule_.lan_count(); ++other) {
    const bool is_meant = other == lan || watch.config().sync_grouped;
    if (is_meant && node.has(other)) watch_of(node, other).must_announce(moment(node));
  }
}

}  // namespace keepline::vrrp::sim
