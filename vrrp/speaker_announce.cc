// The Speaker's part that leads clients here: who is told what, and in which order. See speaker.h.
#include <algorithm>

#include "vrrp/speaker.h"

namespace keepline::vrrp {

// --- A new master ----------------------------------------------------------------------------

Host::Answers Speaker::answers_of(std::size_t index) const {
  return members_[index].arrival.leads_nobody() ? Host::Answers::kNo : Host::Answers::kYes;
}

// Of one that preempts, answers of connections that are made here may go to who has been master
// until now, and that one would not know them. So it is told before anybody is led here.
bool Speaker::claims(std::size_t index) const {
  return members_[index].arrival.leads_nobody() && members_[index].machine.leads();
}

// Until when those of a sync group that preempt, all of which may be announced, have to wait.
std::int64_t Speaker::claim(std::span<const std::size_t> members, std::int64_t now_us) {
  std::int64_t until_us = now_us;
  for (const std::size_t index : members) {
    Member& member = members_[index];
    if (!claims(index)) continue;
    // It has led nobody here: whoever is master need not know that it goes.
    if (member.is_leaving()) return now_us + kAnnounceRetry_us;
    if (member.arrival.claim(now_us) == Arrival::News::kFirst) host_.claim(index);
    until_us = std::max(until_us, member.arrival.claimed_us() + Instance::kClaim_us);
  }
  return until_us;
}

// The first advert of one that preempts follows when clients have been led here.
void Speaker::lead_here(std::size_t index, std::int64_t now_us) {
  Member& member = members_[index];
  std::int64_t until_us = member.machine.lease().until_us();
  if (member.leaving == Leaving::kToInit) until_us = departures_.at(index).end_us();
  member.arrival.lead();
  host_.grant_lease(index, until_us - now_us, Host::Answers::kYes);
  if (!member.machine.leads()) return;
  member.machine.lead_on(now_us, Instance::kLead_us);
  member.announcer.confirm_at(member.machine.deadline_us() + kConfirm_us);
}

// Whoever hears the first advert of one that preempts leads its clients there at once: what they
// find must be ready. A sync group speaks as one.
void Speaker::wait_for_addresses(std::size_t index, std::int64_t now_us) {
  Member& member = members_[index];
  if (member.machine.deadline_us() > now_us) return;
  const bool is_ready = std::ranges::all_of(group_of(index), [this](std::size_t other) {
    return host_.may_announce(other) && !members_[other].arrival.leads_nobody();
  });
  if (is_ready) return;
  member.machine.lead_on(now_us, kAnnounceRetry_us);
  member.announcer.confirm_at(member.machine.deadline_us() + kConfirm_us);
}

// --- Every master --------------------------------------------------------------------------

std::span<const std::size_t> Speaker::group_of(const std::size_t& index) const {
  const std::size_t group = members_[index].group;
  return group == kNoGroup ? std::span(&index, 1) : std::span(groups_[group]);
}

// Clients may have been led astray for all VIPs of the group, not only for this instance's.
void Speaker::heard_lower_priority(std::size_t index, std::int64_t now_us) {
  for (const std::size_t other : group_of(index)) {
    Announcer& announcer = members_[other].announcer;
    announcer.lower_priority_heard(now_us);
    if (!announcer.will_confirm(now_us)) announcer.confirm_at(now_us + kConfirm_us);
  }
}

// The members of a sync group wait for each other and keep to its order: clients that are led here
// before the servers would have their answers go to the other node.
void Speaker::announce(std::size_t index, std::int64_t now_us) {
  const std::span<const std::size_t> members = group_of(index);
  const auto may = [this](std::size_t other) { return may_announce(other); };
  const bool may_all = std::ranges::all_of(members, may);
  const std::int64_t from_us = may_all ? claim(members, now_us) : now_us + kAnnounceRetry_us;
  std::optional<Port> led_on;
  for (const std::size_t other : members) {
    Member& member = members_[other];
    const bool leads_nobody = member.arrival.leads_nobody();
    // What leaves through another port may overtake it.
    const bool waits = leads_nobody && led_on && *led_on != member.port;
    const std::int64_t alone_us = waits ? std::max(from_us, now_us + kAnnounceRetry_us) : from_us;
    if (alone_us > now_us) {
      member.announces_from_us = alone_us;
      continue;
    }
    announce_alone(other, now_us);
    if (leads_nobody && !member.arrival.leads_nobody()) led_on = member.port;
  }
}

bool Speaker::may_announce(std::size_t index) {
  return !members_[index].machine.is_unsent() && host_.may_announce(index);
}

void Speaker::announce_alone(std::size_t index, std::int64_t now_us) {
  Member& member = members_[index];
  if (!is_active(index)) return;
  if (member.is_leaving() && departures_.at(index).end_us() <= now_us) {
    // It waits for others that leave with it.
    member.announces_from_us = now_us + kAnnounceRetry_us;
    return;
  }
  if (member.arrival.leads_nobody()) lead_here(index, now_us);
  GarpGap& gap = *gaps_.at(member.port);
  for (std::size_t i = 0; i < kAnnouncementsPerTurn; ++i) {
    // Adverts share the way out: announcements leave them room, and go on when there is more.
    if (!may_announce(index)) {
      member.announces_from_us = now_us + kAnnounceRetry_us;
      return;
    }
    const auto vip = member.announcer.poll(now_us, gap);
    if (!vip) return;
    host_.announce(index, *vip);
  }
}

}  // namespace keepline::vrrp
