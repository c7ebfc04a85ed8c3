// The Speaker's half that leaves mastership: make before break. See speaker.h.
#include <algorithm>
#include <utility>

#include "vrrp/speaker.h"

namespace keepline::vrrp {

void Speaker::leave(std::int64_t now_us) {
  ending_ = true;
  for (std::size_t i = 0; i < members_.size(); ++i) depart(i, Leaving::kToInit, now_us);
  for (std::size_t i = 0; i < members_.size(); ++i) leave_groups(i);
  finish_departures(now_us);
}

void Speaker::leave(const std::vector<std::size_t>& instances, std::int64_t now_us) {
  for (const std::size_t index : instances) depart(index, Leaving::kToInit, now_us);
  // Those that stay must not follow them into INIT.
  for (const std::size_t index : instances) leave_groups(index);
  // Whom those members kept waiting that have gone.
  for (std::size_t group = 0; group < groups_.size(); ++group) settle_group(group, now_us);
  finish_departures(now_us);
}

// A sync group does both as a whole.
std::set<std::size_t> Speaker::with_groups(const std::vector<std::size_t>& instances) const {
  std::set<std::size_t> all(instances.begin(), instances.end());
  for (const std::size_t index : instances) {
    const std::size_t group = members_[index].group;
    if (group != kNoGroup) all.insert(groups_[group].begin(), groups_[group].end());
  }
  return all;
}

void Speaker::hand_over(const std::vector<std::size_t>& instances, std::int64_t now_us) {
  for (const std::size_t index : with_groups(instances)) {
    const Instance& machine = members_[index].machine;
    if (machine.state() == State::kMaster && machine.lease().valid(now_us)) {
      depart(index, Leaving::kToBackup, now_us);
    }
  }
  finish_departures(now_us);
}

void Speaker::stand_by(const std::vector<std::size_t>& instances) {
  for (const std::size_t index : instances) members_[index].machine.stand_by();
}

void Speaker::take_back(const std::vector<std::size_t>& instances) {
  for (const std::size_t index : with_groups(instances)) members_[index].machine.take_back();
}

void Speaker::depart(std::size_t index, Leaving leaving, std::int64_t now_us) {
  Member& member = members_[index];
  const bool is_leaving = member.is_leaving();
  if (leaving == Leaving::kToInit || !is_leaving) member.leaving = leaving;
  if (is_leaving) return;
  Instance& machine = member.machine;
  // Without a valid lease (we were stopped for a while) somebody else is master by now.
  if (machine.state() != State::kMaster || !machine.lease().valid(now_us)) return;
  // A sync group succeeds when the slowest of its members may.
  std::int64_t skew_us = 0;
  for (const std::size_t other : group_of(index)) {
    const InstanceConfig& config = members_[other].machine.config();
    skew_us = std::max(skew_us, longest_skew_us(config.version, config.advert_interval_us));
  }
  Departure departure(skew_us, now_us);
  if (!say_goodbye(index)) departure.handle_unsaid(now_us);
  // Who may have to stay needs a moment to find out that nobody came. If it comes to that too late,
  // its dataplane has been silent, and it is no master any more.
  const std::int64_t moment_us =
      std::max(machine.config().advert_interval_us, Departure::kMargin_us);
  const bool may_stay = leaving == Leaving::kToBackup;
  machine.depart(departure.end_us() + (may_stay ? moment_us : Departure::kMargin_us));
  host_.grant_lease(index, departure.end_us() + (may_stay ? moment_us : 0) - now_us,
                    answers_of(index));
  // Whoever comes is not heard at once, but has clients at once.
  host_.share(index);
  departures_.emplace(index, departure);
}

// Whether it has left.
bool Speaker::say_goodbye(std::size_t index) {
  send_advert(index, kReleasePriority);
  if (std::exchange(members_[index].advert_failed, false)) return false;
  members_[index].machine.handle_goodbye_sent();
  return true;
}

// The way out was full: without a goodbye peers would wait for adverts that do not come.
void Speaker::try_goodbye_again(std::size_t index, std::int64_t now_us) {
  Departure& departure = departures_.at(index);
  if (departure.is_said() || *departure.says_us() > now_us) return;
  const Instance& machine = members_[index].machine;
  // Otherwise somebody else is master by now.
  const bool serves = machine.state() == State::kMaster && machine.lease().valid(now_us);
  if (!serves || say_goodbye(index)) return departure.handle_said();
  departure.handle_unsaid(now_us);
}

void Speaker::leave_groups(std::size_t index) {
  if (members_[index].group == kNoGroup) return;
  std::erase(groups_[members_[index].group], index);
  members_[index].group = kNoGroup;
}

bool Speaker::is_leaving() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& member) { return member.is_leaving(); });
}

void Speaker::finish_departures(std::int64_t now_us) {
  stay_where_nobody_came(now_us);
  if (leaves_for_good() && released_us() <= now_us) release(now_us);
}

bool Speaker::leaves_for_good() const {
  return std::ranges::any_of(
      members_, [](const Member& member) { return member.leaving == Leaving::kToInit; });
}

// Those that leave for good are released together, when the last one has served out; so has one
// that was succeeded before it was asked to leave.
std::int64_t Speaker::released_us() const {
  std::int64_t last_us = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    if (member.leaving != Leaving::kToInit) continue;
    const auto departure = departures_.find(i);
    if (departure != departures_.end()) last_us = std::max(last_us, departure->second.end_us());
    last_us = std::max(last_us, member.lingering.released_us());
  }
  return last_us;
}

void Speaker::release(std::int64_t now_us) {
  if (ending_) return stop(now_us);
  std::vector<std::size_t> gone;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].leaving == Leaving::kToInit) gone.push_back(i);
  }
  for (const std::size_t index : gone) {
    members_[index].machine.stop(now_us);
    // What it says on leaving was said at the beginning.
    carry_out(index, now_us);
    members_[index].leaving = Leaving::kNo;
    departures_.erase(index);
  }
}

// Each at its own time: its peers wait no longer than that.
void Speaker::stay_where_nobody_came(std::int64_t now_us) {
  std::vector<std::size_t> staying;
  for (const auto& [index, departure] : departures_) {
    const bool is_over = departure.end_us() <= now_us;
    if (is_over && members_[index].leaving == Leaving::kToBackup) staying.push_back(index);
  }
  for (const std::size_t index : staying) {
    members_[index].leaving = Leaving::kNo;
    departures_.erase(index);
  }
  // A sync group looks at its members when all of them are where they belong; and where one finds
  // that it cannot speak, those after it are told before they do.
  for (const std::size_t index : staying) {
    members_[index].machine.stay(now_us);
    settle(index, now_us);
  }
}

// Somebody has come, or it is at fault and serves no more. Those that have handed over until now.
std::vector<std::size_t> Speaker::end_handing_over(std::size_t index) {
  std::vector<std::size_t> ended;
  if (members_[index].leaving != Leaving::kToBackup) return ended;
  for (const std::size_t other : with_groups({index})) {
    if (members_[other].leaving != Leaving::kToBackup) continue;
    members_[other].leaving = Leaving::kNo;
    departures_.erase(other);
    ended.push_back(other);
  }
  return ended;
}

// A sync group goes as a whole: whoever speaks for one member is about to speak for all. From now
// on it is as if they had been preempted.
void Speaker::hand_over_to(std::size_t index, const Advert& successor, std::int64_t now_us) {
  const std::vector<std::size_t> ended = end_handing_over(index);
  members_[index].machine.hand_over(&successor, now_us);
  carry_out(index, now_us);
  hear_successor(index, successor, now_us);
  for (const std::size_t other : ended) {
    if (other != index) members_[other].machine.hand_over(nullptr, now_us);
    carry_out(other, now_us);
  }
  settle(index, now_us);
}

// The successor speaks: it answers ARP from now on, we only forward what is still on its way.
void Speaker::handle_while_leaving(std::size_t index, const Advert& advert, std::int64_t now_us) {
  const auto departure = departures_.find(index);
  const bool departs = departure != departures_.end();
  Member& member = members_[index];
  const bool is_first = departs && !departure->second.is_succeeded();
  const bool is_successor = advert.priority != kReleasePriority;
  if (is_first ? !is_successor : !member.lingering.lingers()) return;
  if (member.machine.examine(advert, host_.wall_us())) return;
  if (!is_first) return hear_successor(index, advert, now_us);
  if (member.leaving == Leaving::kToBackup) return hand_over_to(index, advert, now_us);
  departure->second.handle_successor(now_us);
  member.arrival.lead();
  const std::int64_t lasts_us = Departure::kLinger_us + Departure::kMargin_us;
  // At fault since, or too late: it serves no more.
  if (member.machine.state() != State::kMaster || departure->second.end_us() <= now_us) {
    return host_.mute(index);
  }
  hear_successor(index, advert, now_us);
  member.lingering.forward(departure->second.end_us());
  member.machine.depart(departure->second.end_us() + Departure::kMargin_us);
  host_.grant_lease(index, lasts_us, Host::Answers::kNo);
}

}  // namespace keepline::vrrp
