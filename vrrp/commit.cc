// The half of Instance that changes state: what follows from a Step, in which order.
//
// PURE, like all of Instance. The order of actions is documented at Instance::poll_action.
#include "vrrp/instance.h"

#include <algorithm>

namespace keepline::vrrp {

void Instance::apply(Event event, std::int64_t now_us, const Advert* advert) {
  commit(step(state_, event), now_us, advert);
}

void Instance::commit(const Step& step, std::int64_t now_us, const Advert* advert) {
  if (step.to == step.from) return perform(step.effect, now_us, advert);
  leave(step);
  state_ = step.to;
  last_transition_us_ = now_us;
  enter(step, now_us);
  if (step.effect == Effect::kYield && advert != nullptr) remember_master(*advert, now_us);
  emit(StateChanged{step.from, step.to, step.reason});
}

void Instance::leave(const Step& step) {
  noticed_ = 0;
  preempt_after_us_.reset();
  // Leaving BACKUP before it had listened enough: the next BACKUP has to.
  if (step.from == State::kBackup && step.to == State::kFault && listening()) must_listen_ = true;
  wants_master_ = false;
  succession_ = false;
  lost_interval_us_ = 0;
  if (step.to == State::kInit) stands_by_ = false;
  if (step.from != State::kMaster) return;

  lease_.revoke();
  const bool has_left_clients =
      step.reason == Reason::kGroupLeft || step.reason == Reason::kHandedOver;
  if (step.effect == Effect::kYield || has_left_clients) {
    emit(Linger{step.effect == Effect::kYield});
  } else {
    // The dataplane is silent before anybody is told that he may speak.
    emit(RevokeLease{});
    emit(ReleaseVips{});
  }
  ++statistics_.release_master;
  if (step.effect == Effect::kSayRelease && !said_goodbye_) {
    emit(SendAdvert{kReleasePriority});
    ++statistics_.pri_zero_sent;
    ++statistics_.advert_sent;
  } else if (step.reason == Reason::kHigherPriority &&
             (config_.higher_prio_send_advert || leads())) {
    // Whom nobody has heard yet has led clients here nevertheless: the better one takes them back.
    emit(SendAdvert{priority_});
    ++statistics_.advert_sent;
  }
}

void Instance::enter(const Step& step, std::int64_t now_us) {
  master_interval_us_ = config_.advert_interval_us;
  master_address_ = net::IpAddr();
  master_priority_ = 0;
  if (step.to == State::kBackup) return enter_backup(step, now_us);
  if (step.to != State::kMaster) return;

  // Publish, then gratuitous ARP, then the advert. The lease comes first: a worker that had the
  // VIPs without one would not answer anyway.
  ++statistics_.become_master;
  preempted_ = preempts(now_us);
  stands_by_ = false;
  lower_heard_us_.reset();
  master_address_ = config_.source;
  master_priority_ = priority_;
  listen_until_us_ = 0;
  unsent_ = false;
  said_goodbye_ = false;
  deadline_us_ = now_us + (preempted_ ? kLead_us : config_.advert_interval_us);
  lease_.grant(now_us + lease_us(timer_base()));
  emit(GrantLease{lease_.until_us()});
  emit(AcquireVips{});
  emit(StartGarpBurst{GarpReason::kBecameMaster});
  adverts_ = preempted_ ? 0 : 1;
  if (preempted_) return;
  ++statistics_.advert_sent;
  emit(SendAdvert{priority_});
}

// Somebody worse is master right now, and serves until he hears us.
bool Instance::preempts(std::int64_t now_us) const {
  return lower_heard_us_ && now_us - *lower_heard_us_ < master_down_us(timer_base());
}

void Instance::enter_backup(const Step& step, std::int64_t now_us) {
  if (step.effect == Effect::kListen || must_listen_) return listen(now_us);
  // Whom the group yields to has said here already that it goes.
  succession_ = step.reason == Reason::kGroupLeft && now_us < released_us_ + kOvertaken_us;
  deadline_us_ = now_us + wait_us(false);
  if (step.from == State::kMaster) return;
  // The start rule. A grouped owner is in BACKUP only to ask its group, at once; `state MASTER`
  // waits for one advert of a better node.
  if (config_.is_owner()) {
    deadline_us_ = now_us;
  } else if (config_.initial_state == InitialState::kMaster) {
    deadline_us_ = now_us + shortened_start_us(timer_base());
  }
}

void Instance::perform(Effect effect, std::int64_t now_us, const Advert* advert) {
  switch (effect) {
    case Effect::kFollowMaster:
      if (advert != nullptr) remember_master(*advert, now_us);
      return;
    case Effect::kAwaitSuccessor:
      lower_heard_us_.reset();  // It serves on, but it has said that it goes.
      // While listening this advert may be an old one from a queue. And it never postpones: a
      // stream of priority 0 must not keep everybody from taking over.
      if (now_us < listen_until_us_) return;
      // Who goes serves on for no longer than the longest skew of its own interval.
      if (config_.version == Version::k3) {
        master_interval_us_ = std::min(master_interval_us_, advert->interval_us);
      }
      deadline_us_ = std::min(deadline_us_, now_us + skew_us(timer_base()));
      succession_ = true;
      return;
    case Effect::kHasten:
      // What made us miss adverts may have made it seem dead. And it never postpones.
      if (now_us < listen_until_us_) return;
      deadline_us_ = std::min(deadline_us_, now_us + lost_skew_us_);
      return;
    case Effect::kForceElection:
      emit(Notice{NoticeKind::kLowerPriorityAdvert, Reject::kIpHeader, advert->source,
                  advert->priority, advert->interval_us});
      emit(StartGarpBurst{GarpReason::kLowerPriorityAdvert});
      if (!config_.lower_prio_no_advert) send_advert(now_us);
      return;
    case Effect::kWinBack:
      // A second master has been there, whom clients may have been led to.
      emit(StartGarpBurst{GarpReason::kLowerPriorityAdvert});
      return send_advert(now_us);
    case Effect::kAdvertise:
      return send_advert(now_us);
    case Effect::kAskGroup:
      wants_master_ = true;
      deadline_us_ = now_us + master_down_us(timer_base());
      emit(WantMaster{});
      return;
    case Effect::kNone:
    case Effect::kSayRelease:
    case Effect::kYield:
    case Effect::kListen:
      return;
  }
}

// Its lease is no longer than those wait that know only this interval.
void Instance::send_advert(std::int64_t now_us, std::int64_t known_interval_us) {
  deadline_us_ = now_us + config_.advert_interval_us;
  TimerBase base = timer_base();
  base.interval_us = std::min(base.interval_us, known_interval_us);
  lease_.grant(now_us + lease_us(base));
  ++statistics_.advert_sent;
  master_priority_ = priority_;
  unsent_ = false;
  said_goodbye_ = false;
  ++adverts_;
  emit(SendAdvert{priority_});
  emit(GrantLease{lease_.until_us()});
}

}  // namespace keepline::vrrp
