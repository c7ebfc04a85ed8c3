// The Speaker's half that leaves mastership: make before break. See speaker.h.
#include <algorithm>
#include <set>
#include <utility>

#include "vrrp/speaker.h"

namespace keepline::vrrp {

void Speaker::leave(std::int64_t now_us) {
  ending_ = true;
  for (std::size_t i = 0; i < members_.size(); ++i) depart(i, Leaving::kToInit, now_us);
  finish_departures(now_us);
}

void Speaker::leave(const std::vector<std::size_t>& instances, std::int64_t now_us) {
  for (const std::size_t index : instances) depart(index, Leaving::kToInit, now_us);
  finish_departures(now_us);
}

void Speaker::hand_over(const std::vector<std::size_t>& instances, std::int64_t now_us) {
  std::set<std::size_t> all(instances.begin(), instances.end());
  for (const std::size_t index : instances) {
    const std::size_t group = members_[index].group;
    if (group != kNoGroup) all.insert(groups_[group].begin(), groups_[group].end());
  }
  for (const std::size_t index : all) {
    const Instance& machine = members_[index].machine;
    if (machine.state() == State::kMaster && machine.lease().valid(now_us)) {
      depart(index, Leaving::kToBackup, now_us);
    }
  }
  finish_departures(now_us);
}

void Speaker::take_back(const std::vector<std::size_t>& instances) {
  for (const std::size_t index : instances) members_[index].machine.take_back();
}

void Speaker::depart(std::size_t index, Leaving leaving, std::int64_t now_us) {
  Member& member = members_[index];
  const bool is_leaving = member.is_leaving();
  if (leaving == Leaving::kToInit || !is_leaving) member.leaving = leaving;
  // Those that stay must not follow it into INIT.
  if (leaving == Leaving::kToInit) leave_groups(index);
  if (is_leaving) return;
  const Instance& machine = member.machine;
  // Without a valid lease (we were stopped for a while) somebody else is master by now.
  if (machine.state() != State::kMaster || !machine.lease().valid(now_us)) return;
  const Departure departure(machine.config(), now_us);
  send_advert(index, kReleasePriority);
  host_.grant_lease(index, departure.end_us() - now_us);
  departures_.emplace(index, departure);
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

// All are released together, when the last one has served out.
void Speaker::finish_departures(std::int64_t now_us) {
  const bool serves_on = std::any_of(departures_.begin(), departures_.end(), [&](const auto& each) {
    return each.second.end_us() > now_us;
  });
  if (serves_on) return;
  if (ending_) return stop(now_us);
  std::vector<std::size_t> ended;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].is_leaving()) ended.push_back(i);
  }
  for (const std::size_t index : ended) end_departure(index, now_us);
  // A sync group looks at its members when all of them are where they belong.
  for (const std::size_t index : ended) settle(index, now_us);
}

void Speaker::end_departure(std::size_t index, std::int64_t now_us) {
  Member& member = members_[index];
  const auto departure = departures_.find(index);
  const bool is_succeeded = departure != departures_.end() && departure->second.is_succeeded();
  if (member.leaving == Leaving::kToInit) {
    member.machine.stop(now_us);
  } else if (is_succeeded) {
    member.machine.hand_over(now_us);
  }
  // What it says on leaving was said at the beginning.
  carry_out(index, now_us);
  departures_.erase(index);
  if (member.leaving == Leaving::kToBackup && !is_succeeded) member.machine.stay(now_us);
  member.leaving = Leaving::kNo;
}

// What is still on its way here is forwarded, and found by local services.
void Speaker::linger(std::size_t index, bool is_succeeded, std::int64_t now_us) {
  Member& member = members_[index];
  member.announcer.stop();
  if (!is_succeeded && !is_group_succeeded(index)) return end_linger(index);
  member.lingers_until_us = now_us + Departure::kLinger_us;
  if (!is_succeeded) {
    // It answers on until its own successor speaks, at most for half an interval, and within the
    // lease that it has: peers wait no longer than that.
    const std::int64_t half_us = member.machine.config().advert_interval_us / 2;
    member.lingers_until_us = now_us + std::min(half_us, Departure::kLinger_us);
    return;
  }
  host_.grant_lease(index, Departure::kLinger_us);
  host_.mute(index);
}

// Some member has heard a better node; then that one's group is about to speak for all of them.
bool Speaker::is_group_succeeded(std::size_t index) const {
  const std::size_t group = members_[index].group;
  if (group == kNoGroup) return false;
  return std::ranges::any_of(groups_[group], [this](std::size_t other) {
    return members_[other].lingers_until_us.has_value();
  });
}

void Speaker::end_linger(std::size_t index) {
  members_[index].lingers_until_us.reset();
  host_.revoke_lease(index);
  host_.release_addresses(index);
}

// The successor speaks: it answers ARP from now on, we only forward what is still on its way.
void Speaker::handle_while_leaving(std::size_t index, const Advert& advert, std::int64_t now_us) {
  const auto departure = departures_.find(index);
  if (departure == departures_.end() || advert.priority == kReleasePriority ||
      members_[index].machine.examine(advert, host_.wall_us())) {
    return;
  }
  if (departure->second.handle_successor(now_us) == Departure::News::kKnown) return;
  host_.grant_lease(index, Departure::kLinger_us);
  host_.mute(index);
}

}  // namespace keepline::vrrp
