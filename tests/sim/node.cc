#include "tests/sim/node.h"

#include <algorithm>
#include <utility>

namespace keepline::vrrp::sim {

Node::Node(const Schedule& schedule, std::size_t number, Network& network, Observer& observer,
           Random random)
    : schedule_(schedule),
      number_(number),
      network_(network),
      observer_(observer),
      random_(random),
      clock_(schedule.nodes[number].offset_us, schedule.nodes[number].drift_ppm),
      wake_us_(schedule.nodes[number].start_us),
      file_(schedule, number),
      wanted_(file_) {}

// --- Faults ----------------------------------------------------------------------------------

void Node::begin(const Fault& fault, std::int64_t now_us) {
  change(fault, 1, now_us);
  if (fault.kind == FaultKind::kCrash) power_off();
  if (fault.kind == FaultKind::kSpeed) set_drift(fault.value, now_us);
  if (fault.kind == FaultKind::kLeave) leave_requested_ = up() && !leaving();
  if (fault.kind == FaultKind::kFailover && up()) failover_lans_ |= fault.lans;
  if (is_reload(fault.kind)) file_.change(fault);
  // RFC 9568 section 5.2.4: an owner's priority is always 255.
  if (fault.kind == FaultKind::kPriority && plan().priority != kOwnerPriority) {
    tracked_priority_ = fault.value;
  }
}

void Node::end(const Fault& fault, std::int64_t now_us) {
  change(fault, -1, now_us);
  if (fault.kind == FaultKind::kPriority) tracked_priority_.reset();
  if (fault.kind == FaultKind::kSpeed) set_drift(plan().drift_ppm, now_us);
  if (fault.kind == FaultKind::kUnsent) tries_again_us_ = now_us + longest_interval_us(schedule_);
  if (fault.kind == FaultKind::kFailover && fault.way == 0 && up()) back_lans_ |= fault.lans;
  if (is_reload(fault.kind)) file_.undo(fault);
}

// The dataplane counts by the same clock: a lease ends when that shows its end.
void Node::set_drift(std::int64_t drift_ppm, std::int64_t now_us) {
  clock_.set_drift(now_us, drift_ppm);
  for (Dataplane& dataplane : dataplane_) {
    if (dataplane.lease_until_us <= now_us) continue;
    dataplane.lease_until_us = clock_.real_us(dataplane.lease_until_local_us);
  }
}

void Node::change(const Fault& fault, int by, std::int64_t now_us) {
  if (fault.kind == FaultKind::kPause) paused_ += by;
  if (fault.kind == FaultKind::kCrash || fault.kind == FaultKind::kLeave) down_ += by;
  if (is_reload(fault.kind)) reload_requested_ = up();
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (!fault.on_lan(lan)) continue;
    if (fault.kind == FaultKind::kTracker) trackers_failed_[lan] += by;
    if (fault.kind == FaultKind::kUnsent) unsent_[lan] += by;
  }
  wake_soon(now_us);
}

bool Node::eligible(std::int64_t now_us) const {
  if (!up() || paused() || departs() || leave_requested_) return false;
  if (now_us < tries_again_us_) return false;
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (!has(lan)) return false;
    if (trackers_failed_[lan] > 0 || is_mute(lan) || !network_.port_up(number_, lan)) return false;
  }
  return true;
}

bool Node::is_split() const {
  if (!up() || !schedule_.grouped()) return false;
  return !grouped_ || !has(0) || !has(1);
}

// --- Running ---------------------------------------------------------------------------------

void Node::wake_soon(std::int64_t now_us) {
  wake_us_ = std::min(wake_us_, now_us + random_.between(0, schedule_.latency_us));
}

void Node::receive(const Packet& packet, std::int64_t now_us) {
  if (!up()) return;
  if (received_.size() < kReceiveLimit) received_.push_back(packet);
  wake_soon(now_us);
}

void Node::run(std::int64_t now_us) {
  now_us_ = now_us;
  wake_us_ = kNever_us;
  const bool starts = !up();
  if (starts && (down_ > 0 || now_us < plan().start_us)) {
    if (now_us < plan().start_us) wake_us_ = plan().start_us;
    return;
  }
  if (starts) boot();
  observer_.run_begins(*this);
  apply_tracking();
  if (starts) speaker_->start(local_us());
  drain();
  take_orders();
  serve_timers();
  observer_.run_ends(*this);
  if (!speaker_->has_left()) return;
  power_off();
  if (down_ == 0) wake_soon(now_us);
}

void Node::boot() {
  speaker_.emplace(*this, GarpGap(schedule_.garp_gap_us, schedule_.garp_gap_us));
  observer_.booted(*this);
  wanted_ = file_;
  apply_reload();
}

void Node::power_off() {
  speaker_.reset();
  dataplane_ = {};
  received_.clear();
  order_ = Order::kNone;
  leave_requested_ = false;
  reload_requested_ = false;
  failover_lans_ = 0;
  back_lans_ = 0;
}

void Node::apply_tracking() {
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (!has(lan)) continue;
    const std::int64_t base = instance(lan).config().priority;
    const auto priority = static_cast<std::uint8_t>(tracked_priority_.value_or(base));
    if (speaker_->set_priority(lan, priority, local_us())) observer_.prioritised(*this, lan);
    const bool is_down = !network_.port_up(number_, lan);
    speaker_->set_fault(lan, FaultCause::kInterfaceDown, is_down, local_us());
    speaker_->set_fault(lan, FaultCause::kTracker, trackers_failed_[lan] > 0, local_us());
  }
}

void Node::drain() {
  while (!received_.empty()) {
    const Packet packet = received_.front();
    received_.pop_front();
    if (!has(packet.lan)) continue;
    // One that nobody here has heard is not played again, but late: that is the network's to do.
    if (packet.origin == Origin::kReplayed && observer_.must_take(*this, packet)) continue;
    last_sender_ = packet.from;
    observer_.hears(*this, packet);
    speaker_->handle_packet(packet.lan, packet.bytes(), local_us());
    observer_.has_heard(*this, packet);
  }
}

void Node::serve_timers() {
  const auto due_us = speaker_->next_timeout();
  if (due_us && *due_us <= local_us()) speaker_->handle_timeout(local_us());
  if (!speaker_->is_leaving() && order_ != Order::kNone) {
    if (std::exchange(order_, Order::kNone) == Order::kReload) apply_reload();
  }
  arm();
}

void Node::arm() {
  const bool waits = failover_lans_ != 0 || back_lans_ != 0 || reload_requested_;
  // Whoever has been kept waiting is served in a turn of its own.
  if (waits && order_ == Order::kNone) wake_soon(now_us_ + 1);
  const auto next_us = speaker_->next_timeout();
  if (!next_us) return;
  // A thread that is woken at once has still slept: time moves on.
  const std::int64_t due_us = std::max(clock_.real_us(*next_us), now_us_ + 1);
  wake_us_ = std::min(wake_us_, due_us + random_.between(0, schedule_.latency_us));
}

// --- The Speaker's host ----------------------------------------------------------------------

Host::Send Node::send_advert(std::size_t lan, const net::IpAddr& destination, net::Bytes packet,
                             std::int64_t) {
  if (is_mute(lan)) return Send::kFailed;
  observer_.sends(*this, lan, packet);
  network_.send(number_, lan, destination, packet, now_us_);
  return Send::kQueued;
}

void Node::announce(std::size_t lan, const net::IpAddr& vip) {
  observer_.announces(*this, lan, vip, network_.reaches_client(number_, lan));
}

// By unicast nobody knows his MAC.
void Node::lead_to_successor(std::size_t lan) {
  if (schedule_.unicast != 0 || !may_announce(lan)) return;
  observer_.leads_to(*this, lan, successors_[lan], network_.reaches_client(number_, lan));
}

void Node::ask_kernel(std::size_t lan, bool wanted) {
  dataplane_[lan].addresses = wanted;
  dataplane_[lan].kernel.ask(wanted, now_us_, random_.between(0, schedule_.kernel_us));
}

// Over at the first moment at which the node's clock shows its end.
void Node::grant_lease(std::size_t lan, std::int64_t duration_us, Answers answers) {
  const bool was_shared = dataplane_[lan].muted && answers == Answers::kYes;
  if (!holds(lan, now_us_) || was_shared) dataplane_[lan].began_us = now_us_;
  dataplane_[lan].lease_until_local_us = local_us() + duration_us;
  dataplane_[lan].lease_until_us = clock_.real_us(dataplane_[lan].lease_until_local_us);
  dataplane_[lan].muted = answers == Answers::kNo;
}

void Node::state_changed(std::size_t lan, const StateChanged& change) {
  observer_.changes(*this, lan, change);
}

void Node::noticed(std::size_t lan, const Notice& notice) {
  observer_.notices(*this, lan, notice);
}

}  // namespace keepline::vrrp::sim
