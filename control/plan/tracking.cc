#include "control/plan/tracking.h"

#include <algorithm>
#include <optional>

namespace keepline::control {

namespace {

using vrrp::Outcome;

constexpr int kOwner = 255;

class Sum {
 public:
  explicit Sum(int priority) : priority_(priority) {}

  void add(const config::Tracker& tracker, Outcome outcome) {
    const int weight = *tracker.weight;
    if (weight == 0) {
      result_.is_unknown |= outcome == Outcome::kUnknown;
      result_.is_fault |= outcome == (tracker.is_reversed ? Outcome::kGood : Outcome::kBad);
    } else if (outcome == (weight > 0 ? Outcome::kGood : Outcome::kBad)) {
      priority_ += tracker.is_reversed ? -weight : weight;
    }
  }
  void add(const config::Tracker& tracker, std::optional<std::int64_t> value) {
    const int weight = *tracker.weight;
    if (!value) {
      result_.is_unknown |= weight == 0;
      return;
    }
    if (weight == 0) {
      result_.is_fault |= (*value != 0) != tracker.is_reversed;
      return;
    }
    constexpr std::int64_t kMost = 254;
    const std::int64_t number = std::clamp<std::int64_t>(*value, -kMost, kMost);
    const std::int64_t change = number * weight * (tracker.is_reversed ? -1 : 1);
    result_.is_fault |= change <= -kMost;
    priority_ += static_cast<int>(std::clamp(change, -kMost, kMost - 1));
  }
  Tracked result(bool is_owner) {
    result_.priority =
        static_cast<std::uint8_t>(is_owner ? kOwner : std::clamp(priority_, 1, kOwner - 1));
    return result_;
  }

 private:
  int priority_;
  Tracked result_;
};

}  // namespace

bool is_tracked(const config::Config& config,
                std::vector<config::Tracker> config::VrrpInstance::*list, const std::string& name) {
  return std::ranges::any_of(config.vrrp_instances, [&](const config::VrrpInstance& instance) {
    const auto& trackers = instance.*list;
    return std::ranges::find(trackers, name, &config::Tracker::name) != trackers.end();
  });
}

Tracked track(const config::VrrpInstance& instance, const KernelView& kernel,
              const Outcomes& scripts, const FileValues& files, const Outcomes& processes,
              const Outcomes& sessions) {
  Sum sum(*instance.priority);
  for (const config::Tracker& tracker : instance.track_interface) {
    const Link* link = kernel.find_link(tracker.name);
    sum.add(tracker, link != nullptr && link->is_up ? Outcome::kGood : Outcome::kBad);
  }
  for (const config::Tracker& tracker : instance.track_script) {
    // One that cannot be run is not tracked, as in keepalived.
    if (const auto found = scripts.find(tracker.name); found != scripts.end()) {
      sum.add(tracker, found->second);
    }
  }
  for (const config::Tracker& tracker : instance.track_file) {
    const auto found = files.find(tracker.name);
    sum.add(tracker, found == files.end() ? std::nullopt : std::optional(found->second));
  }
  for (const config::Tracker& tracker : instance.track_process) {
    const auto found = processes.find(tracker.name);
    sum.add(tracker, found == processes.end() ? Outcome::kUnknown : found->second);
  }
  // Down until it was up once, as in keepalived.
  for (const config::Tracker& tracker : instance.track_bfd) {
    const auto found = sessions.find(tracker.name);
    sum.add(tracker, found == sessions.end() ? Outcome::kBad : found->second);
  }
  return sum.result(*instance.priority == kOwner);
}

}  // namespace keepline::control
