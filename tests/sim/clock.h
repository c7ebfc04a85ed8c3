// A node's own clock: monotonic, started somewhere, and a little too fast or too slow.
//
// A plain value in whole microseconds, so that replay is exact. "Real" time is the simulation's.
#pragma once

#include <cstdint>

namespace keepline::vrrp::sim {

/// Later than anything that happens.
inline constexpr std::int64_t kNever_us = std::int64_t{1} << 60;

class Clock {
 public:
  Clock(std::int64_t offset_us, std::int64_t drift_ppm)
      : offset_us_(offset_us), rate_(kMillion + drift_ppm) {}

  std::int64_t local_us(std::int64_t real_us) const {
    return offset_us_ + real_us * rate_ / kMillion;
  }
  /// The first moment at which the clock shows that time.
  std::int64_t real_us(std::int64_t local_us) const {
    return ((local_us - offset_us_) * kMillion + rate_ - 1) / rate_;
  }

 private:
  static constexpr std::int64_t kMillion = 1'000'000;
  std::int64_t offset_us_;
  std::int64_t rate_;
};

}  // namespace keepline::vrrp::sim
