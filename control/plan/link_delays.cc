#include "control/plan/link_delays.h"

#include <algorithm>

namespace keepline::control {

std::vector<Link> LinkDelays::settle(const std::vector<config::LinkDelay>& delays,
                                     std::vector<Link> links, std::int64_t now_us) {
  std::map<std::string, Seen> still;
  for (const config::LinkDelay& delay : delays) {
    const auto link = std::ranges::find(links, delay.interface, &Link::name);
    if (link == links.end()) continue;
    const auto known = seen_.find(delay.interface);
    const bool is_new = known == seen_.end() || known->second.ifindex != link->ifindex;
    Seen seen = is_new ? Seen{link->ifindex, link->is_up, {}} : known->second;
    look_at(seen, delay, link->is_up, now_us);
    link->is_up = seen.is_up;
    still.emplace(delay.interface, seen);
  }
  seen_ = std::move(still);
  return links;
}

void LinkDelays::look_at(Seen& seen, const config::LinkDelay& delay, bool is_up,
                         std::int64_t now_us) {
  if (is_up == seen.is_up) {
    seen.due_us.reset();
    return;
  }
  if (!seen.due_us) {
    seen.due_us = now_us + static_cast<std::int64_t>(is_up ? delay.up_us : delay.down_us);
  }
  if (*seen.due_us > now_us) return;
  seen.is_up = is_up;
  seen.due_us.reset();
}

std::optional<std::int64_t> LinkDelays::next_us() const {
  std::optional<std::int64_t> first_us;
  for (const auto& [name, seen] : seen_) {
    if (seen.due_us) first_us = std::min(first_us.value_or(*seen.due_us), *seen.due_us);
  }
  return first_us;
}

}  // namespace keepline::control
