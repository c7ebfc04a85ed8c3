// A node's own clock: monotonic, started somewhere, and a little too fast or too slow; its speed
// may change.
//
// A plain value in whole microseconds, so that replay is exact. "Real" time is the simulation's.
#pragma once

#include <cstdint>

namespace keepline::vrrp::sim {

/// Later than anything that happens.
inline constexpr std::int64_t kNever_us = std::int64_t{1} << 60;

/// Of all wall clocks, but for each node's offset.
inline constexpr std::int64_t kWallStart_us = 1'790'000'000'000'000;

class Clock {
 public:
  Clock(std::int64_t offset_us, std::int64_t drift_ppm)
      : base_local_us_(offset_us), rate_(kMillion + drift_ppm) {}

  std::int64_t local_us(std::int64_t real_us) const {
    return base_local_us_ + (real_us - base_real_us_) * rate_ / kMillion;
  }
  /// The first moment at which the clock shows that time; before a change of speed only roughly.
  std::int64_t real_us(std::int64_t local_us) const {
    const std::int64_t since = (local_us - base_local_us_) * kMillion;
    return base_real_us_ + (since > 0 ? since + rate_ - 1 : since) / rate_;
  }
  void set_drift(std::int64_t real_us, std::int64_t drift_ppm) {
    base_local_us_ = local_us(real_us);
    base_real_us_ = real_us;
    rate_ = kMillion + drift_ppm;
  }

 private:
  static constexpr std::int64_t kMillion = 1'000'000;
  std::int64_t base_local_us_;
  std::int64_t base_real_us_ = 0;
  std::int64_t rate_;
};

}  // namespace keepline::vrrp::sim
