// Watches one Instance from outside: carries out its actions on a model of the dataplane and
// says what rule was broken, if any.
//
// The rules here are written from the RFC and the design, not from the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp::testing {

inline bool is_legal(State from, State to) {
  switch (from) {
    case State::kInit:
      return to != State::kInit;
    case State::kBackup:
      return to != State::kBackup;
    case State::kMaster:
      return to != State::kMaster;
    case State::kFault:
      return to != State::kFault;
  }
  return false;
}

class Monitor {
 public:
  /// Call before a verb at `now_us`.
  void before(const Instance& instance, std::int64_t now_us) {
    lapsed_ = instance.state() == State::kMaster && now_us >= lease_until_us_;
    if (lapsed_) {
      const TimerBase base{instance.config().version, instance.config().advert_interval_us,
                           instance.effective_priority(), instance.config().down_timer_adverts};
      // A priority that the same verb raises may shorten the skew, never the adverts' part.
      silent_until_us_ = now_us + base.down_adverts * base.interval_us;
    }
  }

  /// Call after the verb; drains the actions. Empty = all is well.
  std::string after(Instance& instance, std::int64_t now_us, bool was_timeout = false) {
    broken_.clear();
    while (const auto action = instance.poll_action()) carry_out(*action, instance, now_us);
    check_state(instance, now_us, was_timeout);
    return broken_;
  }

 private:
  void fail(const std::string& what) {
    if (broken_.empty()) broken_ = what;
  }
  void require(bool holds, const char* what) {
    if (!holds) fail(what);
  }

  void carry_out(const Action& action, const Instance& instance, std::int64_t now_us) {
    if (const auto* send = std::get_if<SendAdvert>(&action)) {
      check_send(*send, instance, now_us);
    } else if (const auto* grant = std::get_if<GrantLease>(&action)) {
      require(grant->until_us > now_us, "a lease that is over already");
      leased_ = true;
      lease_until_us_ = grant->until_us;
    } else if (std::holds_alternative<RevokeLease>(action)) {
      require(leased_, "revoked without a lease");
      leased_ = false;
    } else if (std::holds_alternative<Linger>(action)) {
      require(leased_ && has_vips_, "lingers without having been master");
      leased_ = has_vips_ = false;
      may_say_goodbye_ = true;
    } else if (std::holds_alternative<AcquireVips>(action)) {
      require(leased_, "VIPs before the lease");
      has_vips_ = true;
      announced_ = false;
    } else if (std::holds_alternative<ReleaseVips>(action)) {
      require(!leased_, "VIPs released under a lease");
      require(has_vips_, "released without VIPs");
      has_vips_ = false;
      may_say_goodbye_ = true;
    } else if (std::holds_alternative<StartGarpBurst>(action)) {
      require(has_vips_, "gratuitous ARP without VIPs");
      announced_ = true;
    } else if (const auto* changed = std::get_if<StateChanged>(&action)) {
      require(changed->from == state_, "transition from another state");
      require(is_legal(changed->from, changed->to), "illegal transition");
      require(changed->reason != Reason::kNone, "transition without a reason");
      state_ = changed->to;
      if (state_ != State::kMaster) has_spoken_ = false;
      may_say_goodbye_ = false;
      if (state_ == State::kInit) silent_until_us_ = 0;  // a start is a new decision
    }
  }

  void check_send(const SendAdvert& send, const Instance& instance, std::int64_t now_us) {
    require(!lapsed_ && now_us >= silent_until_us_, "spoke before it had listened");
    if (send.priority == kReleasePriority) {
      require(may_say_goodbye_, "priority 0 without leaving");
      return;
    }
    const bool is_last_word = instance.config().higher_prio_send_advert || !has_spoken_;
    const bool extra = may_say_goodbye_ && is_last_word;
    has_spoken_ = true;
    require(extra || (leased_ && has_vips_ && announced_), "advert before serving");
    require(send.priority == instance.effective_priority(), "advert with another priority");
  }

  void check_state(const Instance& instance, std::int64_t now_us, bool was_timeout) {
    const bool master = instance.state() == State::kMaster;
    const bool backup = instance.state() == State::kBackup;
    require(instance.state() == state_, "state without a StateChanged");
    require(has_vips_ == master, "VIPs and state disagree");
    require(leased_ == master && instance.lease().held() == master, "lease and state disagree");
    if (master) {
      require(now_us < lease_until_us_, "master with a lease that is over");
      require(lease_until_us_ == instance.lease().until_us(), "another lease than granted");
      require(*instance.next_timeout() < lease_until_us_, "lease ends before the next advert");
    }
    const auto next_us = instance.next_timeout();
    require(next_us.has_value() == (master || backup), "deadline and state disagree");
    if (next_us && was_timeout) require(*next_us > now_us, "the timer spins");
    if (backup) {
      const std::int64_t longest_us = 100 * kSecond_us;
      require(instance.deadline_us() <= now_us + longest_us, "stuck: deadline too far away");
      require(*next_us <= instance.deadline_us(), "would wake too late");
    }
    const bool fault = instance.state() == State::kFault;
    require(fault == (!instance.faults().empty() && instance.state() != State::kInit),
            "FAULT and its causes disagree");
    require(!instance.wants_master() || (backup && instance.config().sync_grouped),
            "a wish outside BACKUP");
    const Statistics& s = instance.statistics();
    require(s.become_master - s.release_master == (master ? 1u : 0u), "counters of mastership");
    require(s.action_lost == 0, "an action was lost");
  }

  State state_ = State::kInit;
  bool has_vips_ = false;
  bool leased_ = false;
  bool announced_ = false;
  bool may_say_goodbye_ = false;
  bool has_spoken_ = false;  ///< Since it is master.
  bool lapsed_ = false;
  std::int64_t lease_until_us_ = 0;
  std::int64_t silent_until_us_ = 0;
  std::string broken_;
};

}  // namespace keepline::vrrp::testing
