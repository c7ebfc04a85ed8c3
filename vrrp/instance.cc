#include "vrrp/instance.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace keepline::vrrp {

namespace {

// Bits of noticed_: rejections first, then the other kinds.
std::uint64_t notice_bit(const Notice& notice) {
  const unsigned bit = notice.kind == NoticeKind::kRejected
                           ? static_cast<unsigned>(notice.reject)
                           : kRejectCount + static_cast<unsigned>(notice.kind);
  return std::uint64_t{1} << bit;
}

}  // namespace

Instance::Instance(InstanceConfig config)
    : config_(std::move(config)),
      priority_(config_.priority),
      master_interval_us_(config_.advert_interval_us) {
  if (config_.lacks_peers) faults_.add(FaultCause::kNoPeer);
}

TimerBase Instance::timer_base() const {
  return {config_.version, master_interval_us_, priority_, config_.down_timer_adverts};
}

void Instance::emit(Action action) {
  if (actions_.push(std::move(action)) == ActionQueue::Push::kFull) ++statistics_.action_lost;
}

void Instance::notice_once(Notice notice) {
  const std::uint64_t bit = notice_bit(notice);
  if ((noticed_ & bit) != 0) return;
  noticed_ |= bit;
  emit(notice);
}

// --- Verbs -----------------------------------------------------------------------------------

void Instance::start(std::int64_t now_us) {
  observe_time(now_us);
  if (state_ != State::kInit) return;
  if (!faults_.empty()) return apply(Event::kStartAtFault, now_us);
  const bool at_once = config_.is_owner() && !config_.sync_grouped;
  apply(at_once ? Event::kStartAsOwner : Event::kStart, now_us);
}

void Instance::stop(std::int64_t now_us) {
  observe_time(now_us);
  apply(Event::kStop, now_us);
  must_listen_ = false;
  listen_until_us_ = 0;
}

void Instance::handle_timeout(std::int64_t now_us) {
  observe_time(now_us);
  if (now_us < deadline_us_) return;
  if (state_ == State::kMaster) return apply(Event::kAdvertDue, now_us);
  if (state_ != State::kBackup) return;
  if (config_.sync_grouped) return apply(Event::kMasterDownAsk, now_us);
  apply(succession_ ? Event::kSuccession : Event::kMasterDown, now_us);
}

AdvertResult Instance::handle_advert(const Advert& advert, std::int64_t now_us,
                                     std::int64_t wall_us) {
  observe_time(now_us);
  if (state_ != State::kBackup && state_ != State::kMaster) return AdvertResult::kIgnored;
  if (const std::optional<Reject> reason = examine(advert, wall_us)) {
    reject(*reason, advert);
    return AdvertResult::kRejected;
  }
  if (ignores_adverts()) return AdvertResult::kIgnored;

  ++statistics_.advert_rcvd;
  if (advert.priority == kReleasePriority) {
    ++statistics_.pri_zero_rcvd;
    released_by_ = advert.source;
    released_us_ = now_us;
  }
  if (is_overtaken(advert, now_us)) return AdvertResult::kIgnored;
  const bool same_master = advert.source == master_address_;
  apply(classify(advert, now_us), now_us, &advert);

  // After the step, because a new state or master makes these worth saying again.
  if (advert.interval_us != config_.advert_interval_us) {
    notice_once({NoticeKind::kIntervalMismatch, Reject::kAdvertInterval, advert.source,
                 advert.priority, advert.interval_us});
  }
  if (!(config_.skip_check_adv_addr && same_master) &&
      compare_vips(advert, config_) == VipComparison::kDifferent) {
    ++statistics_.addr_list_err;
    notice_once(
        {NoticeKind::kAddressListMismatch, Reject::kIpHeader, advert.source, advert.priority, 0});
  }
  if (config_.is_owner() && advert.priority == kOwnerPriority) {
    notice_once({NoticeKind::kOwnerConflict, Reject::kIpHeader, advert.source, advert.priority, 0});
  }
  if (config_.hmac.is_used()) notice_authentication(advert, wall_us);
  return AdvertResult::kUsed;
}

void Instance::handle_reject(const Rejection& rejection, std::int64_t now_us) {
  observe_time(now_us);
  count(statistics_, rejection.reason);
  notice_once({NoticeKind::kRejected, rejection.reason, rejection.source, 0, 0});
}

void Instance::handle_unsent(std::int64_t now_us) {
  if (state_ != State::kMaster) return;  // the last word of one that leaves
  ++statistics_.advert_unsent;
  unsent_ = true;
  lease_.take_back();
  // Who preempts has led clients here; if it cannot speak it must not keep them.
  const bool is_first = adverts_ <= 1 && preempted_;
  if (is_first || !lease_.valid(now_us)) return apply(Event::kUnsent, now_us);
  // A way out that is full for a moment is no reason to make the peers wait for an interval.
  deadline_us_ = now_us + config_.advert_interval_us / kTriesPerInterval;
}

void Instance::handle_master_lost(const net::IpAddr& address, std::int64_t interval_us,
                                  std::int64_t now_us) {
  observe_time(now_us);
  if (address != master_address_) return;
  lost_skew_us_ = lost_skew_us(priority_, interval_us);
  if (state_ == State::kBackup && !listening()) lost_interval_us_ = interval_us;
  apply(Event::kMasterLost, now_us);
}

void Instance::hasten_succession(std::int64_t interval_us, std::int64_t now_us) {
  observe_time(now_us);
  if (!succession_) return;
  lost_skew_us_ = lost_skew_us(priority_, interval_us);
  apply(Event::kMasterLost, now_us);
}

void Instance::handle_fault(FaultCause cause, std::int64_t now_us) {
  observe_time(now_us);
  faults_.add(cause);
  // A stalled worker means that adverts may have been missed: the start rule's shortcuts are off.
  if (cause == FaultCause::kWorkerStalled) must_listen_ = true;
  apply(Event::kFault, now_us);
}

void Instance::handle_fault_cleared(FaultCause cause, std::int64_t now_us) {
  observe_time(now_us);
  faults_.remove(cause);
  if (state_ != State::kFault || !faults_.empty()) return;
  const bool at_once = config_.is_owner() && !config_.sync_grouped && !must_listen_;
  apply(at_once ? Event::kFaultClearedOwner : Event::kFaultCleared, now_us);
}

void Instance::handle_group(GroupCommand command, std::int64_t now_us) {
  switch (command) {
    case GroupCommand::kFault:
      return handle_fault(FaultCause::kSyncGroup, now_us);
    case GroupCommand::kFaultCleared:
      return handle_fault_cleared(FaultCause::kSyncGroup, now_us);
    case GroupCommand::kBecomeBackup:
      observe_time(now_us);
      return apply(Event::kGroupLeft, now_us);
    case GroupCommand::kBecomeMaster:
      observe_time(now_us);
      // The wish may have gone since the group counted it.
      if (wants_master_) apply(Event::kGroupAgreed, now_us);
      return;
  }
}

void Instance::handle_goodbye_sent() {
  said_goodbye_ = true;
  ++statistics_.pri_zero_sent;
  ++statistics_.advert_sent;
}

void Instance::hand_over(const Advert* successor, std::int64_t now_us) {
  observe_time(now_us);
  stands_by_ = true;
  if (successor == nullptr) return apply(Event::kGroupHandedOver, now_us);
  ++statistics_.advert_rcvd;
  apply(Event::kHandedOver, now_us, ignores_adverts() ? nullptr : successor);
}

void Instance::stay(std::int64_t now_us) {
  observe_time(now_us);
  if (state_ != State::kMaster) return;
  // If this advert does not leave, nobody has heard of us since the goodbye.
  lease_.revoke();
  send_advert(now_us);
}

void Instance::lead_on(std::int64_t now_us, std::int64_t moment_us) {
  const std::int64_t interval_us = config_.advert_interval_us;
  // With a multiplier of 1 the lease is hardly longer than that; a reload may have made it shorter.
  const std::int64_t most_us = std::min(std::max(kClaim_us + kLead_us, interval_us),
                                        config_.down_timer_adverts * interval_us);
  deadline_us_ =
      std::min({now_us + moment_us, last_transition_us_ + most_us, lease_.until_us() - 1});
}

void Instance::set_priority(std::uint8_t priority, std::int64_t now_us) {
  observe_time(now_us);
  if (config_.is_owner()) return;
  const bool shortened = is_shortened();
  const std::int64_t before_us = wait_us(shortened);
  priority_ = std::clamp<std::uint8_t>(priority, 1, kOwnerPriority - 1);
  if (state_ == State::kBackup) deadline_us_ += wait_us(shortened) - before_us;
}

bool Instance::is_shortened() const {
  return deadline_us_ == last_transition_us_ + shortened_start_us(timer_base());
}

// The shortened start has no skew of ours in it: it must not end before the first advert.
std::int64_t Instance::wait_us(bool shortened) const {
  if (shortened) return shortened_start_us(timer_base());
  return succession_ ? skew_us(timer_base()) : master_down_us(timer_base());
}

void Instance::reconfigure(InstanceConfig config, std::int64_t now_us) {
  observe_time(now_us);
  const bool shortened = is_shortened();
  const std::int64_t before_us = wait_us(shortened);
  const bool new_vips = config.vips != config_.vips;
  const std::int64_t interval_us = config_.advert_interval_us;
  const bool new_interval = config.advert_interval_us != interval_us;
  if (config.priority != config_.priority) priority_ = config.priority;
  config_ = std::move(config);
  if (!config_.sync_grouped) wants_master_ = false;
  // A version 3 backup goes on with what its master says, or has said as its last word.
  const bool learned = state_ == State::kBackup && config_.version == Version::k3 &&
                       (!master_address_.is_zero() || succession_);
  if (!learned) master_interval_us_ = config_.advert_interval_us;
  if (state_ == State::kBackup) deadline_us_ += wait_us(shortened) - before_us;
  const bool lacked_peers = faults_.has(FaultCause::kNoPeer);
  if (config_.lacks_peers && !lacked_peers) handle_fault(FaultCause::kNoPeer, now_us);
  if (!config_.lacks_peers && lacked_peers) handle_fault_cleared(FaultCause::kNoPeer, now_us);
  if (state_ != State::kMaster) return;
  if (new_vips) {
    emit(AcquireVips{});
    emit(StartGarpBurst{GarpReason::kVipsChanged});
  }
  // Peers shall hear a new list or interval now.
  if ((new_vips || new_interval) && !leads()) send_advert(now_us, interval_us);
  // And once more before they stop waiting: the advert before may have overtaken this one.
  deadline_us_ = std::min(deadline_us_, now_us + interval_us);
}

std::optional<std::int64_t> Instance::next_timeout() const {
  // The lease ends before the next advert only if the last ones have not left.
  if (state_ == State::kMaster) return std::min(deadline_us_, lease_.until_us());
  if (state_ != State::kBackup) return std::nullopt;
  // The tick that makes a pause noticeable, see pause_limit_us.
  return std::min(deadline_us_, last_run_us_ + master_interval_us_);
}

// --- Time ------------------------------------------------------------------------------------

void Instance::observe_time(std::int64_t now_us) {
  const std::int64_t gap_us = now_us - last_run_us_;
  if (state_ == State::kMaster && !lease_.valid(now_us)) {
    if (!unsent_) ++statistics_.time_jump;
    apply(unsent_ ? Event::kUnsent : Event::kLeaseLapsed, now_us);
  } else if (state_ == State::kBackup && gap_us > pause_limit_us(timer_base(), listening())) {
    ++statistics_.pause;
    notice_once({NoticeKind::kPaused, Reject::kIpHeader, net::IpAddr(), 0, gap_us});
    listen(now_us);
  }
  last_run_us_ = now_us;
}

void Instance::listen(std::int64_t now_us) {
  deadline_us_ = now_us + master_down_us(timer_base());
  listen_until_us_ = deadline_us_;
  must_listen_ = false;
  succession_ = false;
  lost_interval_us_ = 0;
  wants_master_ = false;
}

// --- Judging adverts -------------------------------------------------------------------------

void Instance::reject(Reject reason, const Advert& advert) {
  count(statistics_, reason);
  const NoticeKind kind =
      reason == Reject::kAdvertInterval ? NoticeKind::kIntervalMismatch : NoticeKind::kRejected;
  notice_once({kind, reason, advert.source, advert.priority, advert.interval_us});
}

// One counter for what is sent and heard, as in keepalived: a node that begins anew with a low
// number goes on above what it hears of the others, and is heard by them.
bool Instance::is_replayed(const Advert& advert) {
  if (!advert.header) return false;
  if (advert.header->sequence <= sequence_) return true;
  sequence_ = advert.header->sequence;
  return false;
}

// Heeding it would undo the goodbye: its sender is about to go, and nobody would succeed it.
bool Instance::is_overtaken(const Advert& advert, std::int64_t now_us) const {
  return advert.priority != kReleasePriority && advert.source == released_by_ &&
         now_us < released_us_ + kOvertaken_us;
}

std::optional<Reject> Instance::examine(const Advert& advert, std::int64_t wall_us) {
  if (const std::optional<Reject> reason = check_advert(advert, config_)) return reason;
  if (is_replayed(advert)) return Reject::kAuthFailure;
  if (!advert.trailer) return std::nullopt;
  // Last: a number counts as heard only if nothing else speaks against the advert. Whoever sends
  // one anew with another TTL does not take its effect from the true one.
  switch (hmac_sequence_.admit(advert.source, advert.trailer->number, config_.hmac, wall_us)) {
    case HmacSequence::Verdict::kFresh:
      return std::nullopt;
    case HmacSequence::Verdict::kStale:
      return Reject::kTrailerStale;
    case HmacSequence::Verdict::kReplay:
      return Reject::kTrailerReplay;
  }
  return Reject::kTrailerReplay;
}

// What an operator has to know while a cluster changes over, and before a clock is too far off.
void Instance::notice_authentication(const Advert& advert, std::int64_t wall_us) {
  if (!advert.trailer) {
    ++statistics_.auth_ext_missing;
    notice_once({NoticeKind::kUnsigned, Reject::kIpHeader, advert.source, advert.priority, 0});
    return;
  }
  if (config_.hmac.anti_replay != AntiReplay::kTime) return;
  const std::int64_t ahead_s = HmacSequence::ahead_s(advert.trailer->number, wall_us);
  if (2 * std::abs(ahead_s) <= config_.hmac.time_window_s) return;
  notice_once({NoticeKind::kClockApart, Reject::kIpHeader, advert.source, advert.priority,
               ahead_s * kSecond_us});
}

Event Instance::classify(const Advert& advert, std::int64_t now_us) {
  if (advert.priority == kReleasePriority) return Event::kHeardRelease;
  if (state_ == State::kBackup) return classify_in_backup(advert, now_us);
  // RFC 9568 §6.4.3: the higher address breaks a tie, also between two owners.
  const bool beats_us = advert.priority > priority_ ||
                        (advert.priority == priority_ && advert.source > config_.source);
  if (beats_us) return Event::kHeardMaster;
  const std::int64_t unheard_us = kClaim_us + kLead_us + config_.advert_interval_us;
  const bool yields = preempted_ && now_us - last_transition_us_ < unheard_us;
  return yields ? Event::kHeardYielding : Event::kHeardLower;
}

Event Instance::classify_in_backup(const Advert& advert, std::int64_t now_us) {
  if (advert.priority >= priority_) {
    preempt_after_us_.reset();
    return Event::kHeardMaster;
  }
  if (config_.never_preempts() || stands_by_) return Event::kHeardMaster;
  const std::int64_t delay_us = config_.effective_preempt_delay_us();
  if (!preempt_after_us_) preempt_after_us_ = now_us + delay_us;
  if (now_us < *preempt_after_us_) return Event::kHeardMaster;
  lower_heard_us_ = now_us;
  return Event::kHeardLower;
}

void Instance::remember_master(const Advert& advert, std::int64_t now_us) {
  const bool is_same = advert.source == master_address_;
  if (!is_same) noticed_ = 0;
  // One more master never shortens the wait for the one before: it may be worse, with a shorter
  // interval, and say its last word (higher_prio_send_advert) while the better one lives on.
  const std::int64_t least_us = is_same || master_address_.is_zero() ? 0 : deadline_us_;
  master_address_ = advert.source;
  master_priority_ = advert.priority;
  if (config_.version == Version::k3) master_interval_us_ = advert.interval_us;
  deadline_us_ = std::max(least_us, now_us + master_down_us(timer_base()));
  succession_ = false;
  lost_interval_us_ = 0;
  wants_master_ = false;
}

}  // namespace keepline::vrrp
