#include "tests/sim/node.h"

#include <algorithm>

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
      tracked_priority_(schedule.nodes[number].priority) {}

// --- Faults ----------------------------------------------------------------------------------

void Node::begin(const Fault& fault, std::int64_t now_us) {
  change(fault, 1, now_us);
  if (fault.kind == FaultKind::kCrash) power_off();
  if (fault.kind == FaultKind::kSpeed) set_drift(fault.value, now_us);
  if (fault.kind == FaultKind::kLeave) leave_requested_ = up() && !leaving_;
  // RFC 9568 section 5.2.4: an owner's priority is always 255.
  if (fault.kind == FaultKind::kPriority && plan().priority != kOwnerPriority) {
    tracked_priority_ = fault.value;
  }
}

void Node::end(const Fault& fault, std::int64_t now_us) {
  change(fault, -1, now_us);
  if (fault.kind == FaultKind::kPriority) tracked_priority_ = plan().priority;
  if (fault.kind == FaultKind::kSpeed) set_drift(plan().drift_ppm, now_us);
  if (fault.kind == FaultKind::kUnsent) tries_again_us_ = now_us + plan().interval_us;
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
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (!fault.on_lan(lan)) continue;
    if (fault.kind == FaultKind::kTracker) trackers_failed_[lan] += by;
    if (fault.kind == FaultKind::kUnsent) unsent_[lan] += by;
  }
  wake_soon(now_us);
}

bool Node::eligible(std::int64_t now_us) const {
  if (!up() || paused() || leaving_ || leave_requested_) return false;
  if (now_us < tries_again_us_) return false;
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (trackers_failed_[lan] > 0 || is_mute(lan) || !network_.port_up(number_, lan)) return false;
  }
  return true;
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
  if (leave_requested_) {
    leave_requested_ = false;
    leaving_ = true;
    leave_us_ = now_us;
    speaker_->leave(local_us());
  }
  serve_timers();
  observer_.run_ends(*this);
  if (!speaker_->has_left()) return;
  power_off();
  if (down_ == 0) wake_soon(now_us);
}

void Node::boot() {
  speaker_.emplace(*this, GarpGap(schedule_.garp_gap_us, schedule_.garp_gap_us));
  std::vector<std::size_t> group;
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    InstanceConfig config = config_of(schedule_, number_, lan);
    std::vector<net::IpAddr> vips = config.vips;
    speaker_->add(lan, std::move(config), static_cast<Port>(lan), std::move(vips));
    group.push_back(lan);
  }
  if (schedule_.grouped()) speaker_->set_groups({std::move(group)}, local_us());
  observer_.booted(*this);
}

void Node::power_off() {
  speaker_.reset();
  dataplane_ = {};
  received_.clear();
  leave_requested_ = false;
  leaving_ = false;
}

void Node::apply_tracking() {
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    const auto priority = static_cast<std::uint8_t>(tracked_priority_);
    if (speaker_->set_priority(lan, priority, local_us())) observer_.prioritised(*this);
    const bool is_down = !network_.port_up(number_, lan);
    speaker_->set_fault(lan, FaultCause::kInterfaceDown, is_down, local_us());
    speaker_->set_fault(lan, FaultCause::kTracker, trackers_failed_[lan] > 0, local_us());
  }
}

void Node::drain() {
  while (!received_.empty()) {
    const Packet packet = received_.front();
    received_.pop_front();
    // One that nobody here has heard is not played again, but late: that is the network's to do.
    if (packet.origin == Origin::kReplayed && observer_.must_take(*this, packet)) continue;
    observer_.hears(*this, packet);
    speaker_->handle_packet(packet.lan, packet.bytes(), local_us());
    observer_.has_heard(*this, packet);
  }
}

void Node::serve_timers() {
  const auto due_us = speaker_->next_timeout();
  if (due_us && *due_us <= local_us()) speaker_->handle_timeout(local_us());
  const auto next_us = speaker_->next_timeout();
  if (!next_us) return;
  // A thread that is woken at once has still slept: time moves on.
  wake_us_ =
      std::max(clock_.real_us(*next_us), now_us_ + 1) + random_.between(0, schedule_.latency_us);
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

// Over at the first moment at which the node's clock shows its end.
void Node::grant_lease(std::size_t lan, std::int64_t duration_us) {
  dataplane_[lan].lease_until_local_us = local_us() + duration_us;
  dataplane_[lan].lease_until_us = clock_.real_us(dataplane_[lan].lease_until_local_us);
  dataplane_[lan].muted = false;
}

void Node::state_changed(std::size_t lan, const StateChanged& change) {
  observer_.changes(*this, lan, change);
}

void Node::noticed(std::size_t lan, const Notice& notice) {
  observer_.notices(*this, lan, notice);
}

}  // namespace keepline::vrrp::sim
