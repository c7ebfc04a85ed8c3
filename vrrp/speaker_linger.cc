// The Speaker's part of a master that was succeeded, by preemption or because it has left: for how
// long it serves on, and whom it leads its clients to. See speaker.h.
#include <algorithm>

#include "vrrp/speaker.h"

namespace keepline::vrrp {

// What is still on its way here is forwarded, and found by local services.
void Speaker::linger(std::size_t index, bool is_succeeded, std::int64_t now_us) {
  Member& member = members_[index];
  member.announcer.stop();
  if (!is_succeeded && !is_group_succeeded(index)) return end_linger(index, now_us);
  if (is_succeeded) return forward_on(index, Departure::kLinger_us, now_us);
  // It has led nobody here.
  if (member.arrival.leads_nobody()) return end_linger(index, now_us);
  // It answers on until its own successor speaks, at most for half an interval, and within the
  // lease that it has: peers wait no longer than that.
  const std::int64_t lasts_us =
      std::min({member.machine.config().advert_interval_us / 2, Departure::kLinger_us,
                member.machine.lease().until_us() - now_us});
  if (lasts_us <= 0) return end_linger(index, now_us);
  member.lingering.answer(now_us + lasts_us);
  host_.grant_lease(index, lasts_us, Host::Answers::kYes);
}

void Speaker::hear_successor(std::size_t index, const Advert& advert, std::int64_t now_us) {
  Member& member = members_[index];
  if (member.successor.hear(advert, now_us) == Successor::News::kNone) return;
  host_.succeeded(index);
  // One that has only followed its group so far; too late, if it has been stopped since.
  if (member.lingering.answers() && !member.lingering.is_due(now_us)) {
    forward_on(index, Departure::kLinger_us, now_us);
  }
}

void Speaker::forward_on(std::size_t index, std::int64_t for_us, std::int64_t now_us) {
  members_[index].lingering.forward(now_us + for_us);
  host_.grant_lease(index, for_us, Host::Answers::kNo);
}

// Some member has heard a better node; then that one's group is about to speak for all of them.
bool Speaker::is_group_succeeded(std::size_t index) const {
  const std::size_t group = members_[index].group;
  if (group == kNoGroup) return false;
  return std::ranges::any_of(
      groups_[group], [this](std::size_t other) { return members_[other].lingering.lingers(); });
}

// What comes in by one member of a sync group may go out by another one: they end together, and so
// do those that leave for good.
std::int64_t Speaker::lingers_until_us(std::size_t index) const {
  if (members_[index].leaving == Leaving::kToInit) return released_us();
  std::int64_t until_us = 0;
  for (const std::size_t other : group_of(index)) {
    until_us = std::max(until_us, members_[other].lingering.released_us());
  }
  return until_us;
}

// One that has answered until now forwards on.
void Speaker::linger_less(std::size_t index, std::int64_t now_us) {
  const std::int64_t until_us = lingers_until_us(index);
  if (until_us <= now_us) return end_linger(index, now_us);
  Instance& machine = members_[index].machine;
  if (machine.state() == State::kMaster) machine.depart(until_us + Departure::kMargin_us);
  forward_on(index, until_us - now_us, now_us);
}

void Speaker::end_linger(std::size_t index, std::int64_t now_us) {
  if (!members_[index].lingering.has_led()) lead_on(index, now_us);
  members_[index].lingering.end();
  host_.revoke_lease(index);
  host_.release_addresses(index);
}

void Speaker::lead_on(std::size_t index, std::int64_t now_us) {
  members_[index].lingering.handle_led();
  if (members_[index].successor.is_known(now_us)) host_.lead_to_successor(index);
}

}  // namespace keepline::vrrp
