// interface_up_down_delays: what of the interfaces' ups and downs is looked at, and when.
//
// PURE; the control thread owns one. Time is monotonic microseconds. Bound: a state for each
// interface that has a delay.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "control/plan/kernel_view.h"

namespace keepline::control {

class LinkDelays {
 public:
  /// The links as they count now: one that has changed counts as it was until it has stayed so for
  /// its delay. The first look and a link that is gone or made anew count at once.
  std::vector<Link> settle(const std::vector<config::LinkDelay>& delays, std::vector<Link> links,
                           std::int64_t now_us);
  /// When to look again if nothing changes before; nothing: not for that.
  std::optional<std::int64_t> next_us() const;

 private:
  struct Seen {
    unsigned ifindex = 0;
    bool is_up = false;                  ///< As it counts.
    std::optional<std::int64_t> due_us;  ///< Of a change that waits.
  };
  void look_at(Seen& seen, const config::LinkDelay& delay, bool is_up, std::int64_t now_us);

  std::map<std::string, Seen> seen_;
};

}  // namespace keepline::control
