#include "tests/sim/watch.h"

#include <algorithm>
#include <utility>

#include "vrrp/instance.h"

namespace keepline::vrrp::sim {

namespace {

std::string after(std::int64_t what_us, const char* words) {
  return std::to_string(what_us) + " us " + words;
}

}  // namespace

// RFC 9568 section 5.1, RFC 3768 section 5.1: the message follows the IP header, which has no
// options here.
Heard read_packet(const Schedule& schedule, const Packet& packet) {
  const std::uint8_t* message = packet.data.data() + (schedule.ipv6 != 0 ? 40 : 20);
  Heard heard;
  heard.from = packet.from;
  heard.priority = message[2];
  heard.interval_us = schedule.version == 2
                          ? message[5] * kSecond_us
                          : ((message[4] & 0x0f) << 8 | message[5]) * kCentisecond_us;
  heard.better_address = packet.from > packet.to;
  return heard;
}

Watch::Watch(InstanceConfig config)
    : config_(std::move(config)),
      priority_(config_.priority),
      last_run_us_(-kNever_us),
      last_pause_us_(-kNever_us),
      known_interval_us_(config_.advert_interval_us),
      spoken_interval_us_(config_.advert_interval_us),
      longest_interval_us_(config_.advert_interval_us) {}

std::int64_t Watch::skew_unit_us(std::int64_t interval_us) const {
  return config_.version == Version::k2 ? kSecond_us : interval_us;
}

std::int64_t Watch::skew_of_us(std::int64_t unit_us) const {
  return (256 - priority_) * unit_us / 256;
}

std::int64_t Watch::hold_until_us() const {
  const std::int64_t adverts_us = hold_.intervals * hold_.interval_us;
  if (hold_.has_skew)
    return hold_.base_us + adverts_us + skew_of_us(skew_unit_us(hold_.interval_us));
  return hold_.base_us + adverts_us + (adverts_us > 0 ? skew_unit_us(hold_.interval_us) / 256 : 0);
}

void Watch::hold(std::int64_t base_us, std::int64_t interval_us, Invariant why) {
  hold_ = {base_us, config_.down_timer_adverts, interval_us, true, why};
}

void Watch::listen(Moment now, std::int64_t interval_us) {
  hold(now.local_us, interval_us, Invariant::kListen);
  listen_until_us_ = hold_until_us();
  must_listen_ = false;
  succession_by_us_.reset();
  respected_.reset();
}

void Watch::run_begins(Moment now, std::int64_t lease_until_us) {
  better_heard_ = false;
  released_ = false;
  const std::int64_t gap_us = now.local_us - std::exchange(last_run_us_, now.local_us);
  if (state_ == State::kMaster && now.real_us >= lease_until_us) {
    lapsed_ = true;
    lapsed_us_ = now.local_us;
    // Whatever it does next, it does as a backup; the change itself comes with the first verb.
    state_ = State::kBackup;
    first_lower_us_.reset();
    known_interval_us_ = config_.advert_interval_us;
    learned_ = false;
    return listen(now, known_interval_us_);
  }
  if (state_ != State::kBackup) return;
  // As long as a lease, and at least two intervals: every advert of a living master may be missed.
  const std::int64_t limit_us = std::max<int>(2, config_.down_timer_adverts) * known_interval_us_;
  if (gap_us > limit_us) listen(now, known_interval_us_);
}

void Watch::prioritised(std::uint8_t priority) {
  if (config_.is_owner() || priority == priority_) return;
  priority_ = priority;
  succession_by_us_.reset();
  respected_.reset();
}

// What it waits for is the same as before; how long that takes, the configuration says, or the
// master that it follows. Nothing is due by a certain time until it has heard something new.
void Watch::reconfigured(InstanceConfig config, Moment now) {
  if (config.priority != config_.priority) priority_ = config.priority;
  config_ = std::move(config);
  succession_by_us_.reset();
  respected_.reset();
  // Whoever listens next may begin with this.
  longest_interval_us_ = std::max(longest_interval_us_, config_.advert_interval_us);
  lead_interval_us_ = std::max(lead_interval_us_, config_.advert_interval_us);
  if (learned_) return;
  known_interval_us_ = config_.advert_interval_us;
  // What is over stays over: a member of a sync group may be waiting for the others.
  if (now.local_us < hold_until_us()) hold_.interval_us = known_interval_us_;
}

void Watch::respect(const Heard& heard, Moment now, Invariant why) {
  hold(now.local_us, heard.interval_us, why);
  known_interval_us_ = heard.interval_us;
  learned_ = true;
  longest_interval_us_ = std::max(longest_interval_us_, known_interval_us_);
  succession_by_us_.reset();
  respected_ = heard.from;
  respected_real_us_ = now.real_us;
}

// A pause that is not long enough to require listening may still have led to it.
bool Watch::may_listen(Moment now) const {
  const std::int64_t longest_us = (config_.down_timer_adverts + 1) * longest_interval_us_;
  return now.local_us - last_pause_us_ <= longest_us + skew_unit_us(longest_interval_us_);
}

void Watch::hears_release(const Heard& heard, Moment now) {
  // It need not be believed while listening; whoever has said it hands over nevertheless.
  if (respected_ == heard.from) respected_.reset();
  if (now.local_us < listen_until_us_) return;
  known_interval_us_ = std::min(known_interval_us_, heard.interval_us);
  learned_ = learned_ || config_.version == Version::k3;
  // Whoever says it: RFC 9568 section 6.4.2 does not ask whether he was the one that we follow.
  respected_.reset();
  const std::int64_t wait_us = skew_of_us(skew_unit_us(known_interval_us_));
  const std::int64_t until_us = now.local_us + wait_us;
  // What is left is a skew in any case, and changes with what that is made of.
  hold_ = {std::min(until_us, hold_until_us()) - wait_us, 0, known_interval_us_, true,
           Invariant::kPatience};
  if (!may_listen(now)) succession_by_us_ = until_us;
}

// What was said before a goodbye and arrives after it changes nothing.
bool Watch::is_overtaken(const Heard& heard, Moment now) {
  if (heard.priority != kReleasePriority) {
    return heard.from == released_by_ && now.local_us < released_us_ + Instance::kOvertaken_us;
  }
  released_by_ = heard.from;
  released_us_ = now.local_us;
  return false;
}

void Watch::hears(const Heard& heard, Moment now) {
  const bool listens = state_ == State::kBackup || state_ == State::kMaster;
  if (listens && !ignores() && is_overtaken(heard, now)) return;
  last_heard_ = heard;
  if (state_ == State::kMaster && !ignores()) {
    better_heard_ |=
        heard.priority > priority_ || (heard.priority == priority_ && heard.better_address);
  }
  if (state_ != State::kBackup || ignores()) return;
  if (heard.priority == kReleasePriority) return hears_release(heard, now);
  if (heard.priority >= priority_) {
    first_lower_us_.reset();
    return respect(heard, now, Invariant::kPatience);
  }
  if (config_.never_preempts()) return respect(heard, now, Invariant::kNopreempt);
  if (stands_by_) return respect(heard, now, Invariant::kStandBy);
  const std::int64_t delay_us = config_.effective_preempt_delay_us();
  if (delay_us > 0) {
    if (!first_lower_us_) first_lower_us_ = now.local_us;
    if (now.local_us < *first_lower_us_ + delay_us) {
      return respect(heard, now, Invariant::kPreemptDelay);
    }
  }
  // Discarded: we are better, and may come at any time.
  respected_.reset();
}

Watch::Judgement Watch::sends(std::uint8_t priority, Moment now, bool is_master) {
  if (priority == kReleasePriority) {
    released_ = true;
    if (state_ == State::kMaster && !lapsed_) return std::nullopt;
    return Verdict{Invariant::kSilence, "priority 0 without mastership"};
  }
  if (is_master) {
    if (lapsed_ && hold_.why == Invariant::kListen && now.local_us < hold_until_us()) {
      return Verdict{Invariant::kSilence, "an advert before it had listened"};
    }
    last_advert_us_ = now.local_us;
    spoken_interval_us_ = config_.advert_interval_us;
    last_advert_real_us_ = now.real_us;
    if (priority == priority_) return std::nullopt;
    return Verdict{Invariant::kSilence, "an advert with another priority"};
  }
  const bool is_first = last_advert_us_ < became_master_us_;
  const bool may_speak = config_.higher_prio_send_advert || is_first;
  if (may_speak && better_heard_ && !lapsed_) return std::nullopt;
  return Verdict{Invariant::kSilence, "an advert without mastership"};
}

Watch::Judgement Watch::enter_master(const StateChanged& change, Moment now) {
  became_master_real_us_ = now.real_us;
  became_master_us_ = now.local_us;
  spoken_interval_us_ = lead_interval_us_ = config_.advert_interval_us;
  lapsed_ = false;
  stands_by_ = false;
  listen_until_us_ = 0;
  succession_by_us_.reset();
  if (change.from != State::kBackup) {
    if (config_.is_owner() && !config_.sync_grouped && !must_listen_) return std::nullopt;
    return Verdict{must_listen_ ? Invariant::kListen : Invariant::kPatience, "without waiting"};
  }
  if (now.local_us >= hold_until_us()) return std::nullopt;
  return Verdict{hold_.why, after(hold_until_us() - now.local_us, "too early")};
}

void Watch::enter_backup(const StateChanged& change, Moment now) {
  if (broke(now)) return;
  if (change.reason == Reason::kUnsent) {
    // Its first advert: nobody has heard of it, and it may not have heard of somebody else.
    lapsed_ = true;
    lapsed_us_ = now.local_us;
    first_lower_us_.reset();
    known_interval_us_ = config_.advert_interval_us;
    learned_ = false;
    return listen(now, known_interval_us_);
  }
  first_lower_us_.reset();
  respected_.reset();
  known_interval_us_ = config_.advert_interval_us;
  learned_ = false;
  if (std::exchange(resumes_listening_, false)) last_pause_us_ = now.local_us;
  if (must_listen_) return listen(now, known_interval_us_);
  if (change.from == State::kMaster) {
    hold(now.local_us, known_interval_us_, Invariant::kPatience);
    const bool is_going = now.local_us < released_us_ + Instance::kOvertaken_us;
    if (change.reason == Reason::kGroupLeft && is_going) hold_.intervals = 0;
    if (change.reason == Reason::kHigherPriority) respect(*last_heard_, now, Invariant::kPatience);
    if (successor_) respect(*std::exchange(successor_, std::nullopt), now, Invariant::kStandBy);
    return;
  }
  // Start: the owner does not wait, `state MASTER` waits for one advert and the least skew.
  if (config_.is_owner()) {
    hold_ = {now.local_us, 0, known_interval_us_, false, Invariant::kPatience};
    if (!may_listen(now)) succession_by_us_ = now.local_us;
  } else if (config_.initial_state == InitialState::kMaster) {
    hold_ = {now.local_us, 1, known_interval_us_, false, Invariant::kPatience};
  } else {
    hold(now.local_us, known_interval_us_, Invariant::kPatience);
  }
}

Watch::Judgement Watch::changes(const StateChanged& change, Moment now, bool is_mute) {
  const bool yields = change.from == State::kMaster && change.reason == Reason::kHigherPriority;
  if (change.from == State::kBackup && change.to == State::kFault) {
    must_listen_ = must_listen_ || now.local_us < listen_until_us_;
    resumes_listening_ = may_listen(now);
  }
  state_ = change.to;
  // An owner that starts again asks nobody: RFC 9568 section 6.4.1.
  if (change.to == State::kFault) respected_.reset();
  if (!broke(now)) succession_by_us_.reset();
  if (change.to == State::kMaster) return enter_master(change, now);
  if (change.to == State::kBackup) enter_backup(change, now);
  if (yields && !better_heard_) return Verdict{Invariant::kYield, "to nobody better"};
  const bool leaves = change.from == State::kMaster && change.to != State::kBackup;
  if (leaves && !released_ && !is_mute)
    return Verdict{Invariant::kSuccession, "left without priority 0"};
  return std::nullopt;
}

Watch::Judgement Watch::run_ends(Moment now, bool is_master, std::int64_t lease_until_local_us) {
  if (better_heard_ && is_master) return Verdict{Invariant::kYield, "still master"};
  if (!is_master) return std::nullopt;
  const std::int64_t interval_us = spoken_interval_us_;
  const std::int64_t unit_us = skew_unit_us(interval_us);
  // Who preempts leads clients away first, when its kernel has the addresses; nobody has heard of
  // it yet, nor waits for it.
  const std::int64_t lead_us =
      std::max({Instance::kClaim_us + Instance::kLead_us, interval_us, lead_interval_us_});
  const bool leads =
      last_advert_us_ < became_master_us_ && now.local_us < became_master_us_ + lead_us;
  const std::int64_t spoke_us =
      leads ? std::max(last_advert_us_, became_master_us_) : last_advert_us_;
  const std::int64_t peers_us = spoke_us + unit_us / 256 + config_.down_timer_adverts * interval_us;
  if (lease_until_local_us <= now.local_us) return Verdict{Invariant::kServe, "without a lease"};
  if (lease_until_local_us < peers_us) return std::nullopt;
  return Verdict{Invariant::kLease, after(lease_until_local_us - peers_us, "too long")};
}

}  // namespace keepline::vrrp::sim
