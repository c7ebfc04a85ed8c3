// Rates from counters that only grow: kernel LVS's estimator.
//
// PURE: time is an argument. A sample's weight is a quarter, and one is taken every 2 s, so a rate
// forgets half of what was within 5 s.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace keepline::control {

/// The rates of `kCount` counters that are read together.
template <std::size_t kCount>
class RateEstimator {
 public:
  using Totals = std::array<std::uint64_t, kCount>;
  using Rates = std::array<double, kCount>;  ///< Per second.

  /// Samples closer together than this say more about the timer than about the traffic.
  static constexpr std::int64_t kShortestUs = 500'000;
  /// What is less is zero, as in the kernel, whose rates have this resolution.
  static constexpr double kSmallest = 1.0 / 1024;

  /// Takes a sample. With another generation than before the counters are somebody else's: the
  /// rates start from zero.
  void sample(std::uint32_t generation, const Totals& totals, std::int64_t now_us) {
    if (!sampled_us_ || generation != generation_) {
      generation_ = generation;
      rates_ = {};
    } else {
      const std::int64_t elapsed_us = now_us - *sampled_us_;
      if (elapsed_us < kShortestUs) return;
      for (std::size_t i = 0; i < kCount; ++i) {
        update(rates_[i], totals[i] < totals_[i] ? 0 : totals[i] - totals_[i], elapsed_us);
      }
    }
    totals_ = totals;
    sampled_us_ = now_us;
  }

  /// Of the generation that was sampled last; zeros for any other.
  Rates per_second(std::uint32_t generation) const {
    return generation == generation_ ? rates_ : Rates{};
  }

 private:
  static void update(double& rate, std::uint64_t count, std::int64_t elapsed_us) {
    const double sample = static_cast<double>(count) * 1e6 / static_cast<double>(elapsed_us);
    rate += (sample - rate) / 4;
    if (rate < kSmallest) rate = 0;
  }

  std::optional<std::int64_t> sampled_us_;
  std::uint32_t generation_ = 0;
  Totals totals_{};
  Rates rates_{};
};

}  // namespace keepline::control
