#include "control/plan/tracking.h"

#include <algorithm>

namespace keepline::control {

Tracked track_interfaces(const config::VrrpInstance& instance, const KernelView& kernel) {
  constexpr int kOwner = 255;
  Tracked result;
  int priority = *instance.priority;
  for (const config::Tracker& tracker : instance.track_interface) {
    const Link* link = kernel.find_link(tracker.name);
    const bool is_up = link != nullptr && link->is_up;
    const int weight = *tracker.weight;
    if (weight == 0) {
      result.is_fault |= is_up == tracker.is_reversed;
    } else if (!tracker.is_reversed) {
      priority += (weight > 0) == is_up ? weight : 0;
    } else {
      priority -= (weight > 0) == is_up ? weight : 0;
    }
  }
  const bool is_owner = *instance.priority == kOwner;
  result.priority = static_cast<std::uint8_t>(is_owner ? kOwner : std::clamp(priority, 1, 254));
  return result;
}

}  // namespace keepline::control
