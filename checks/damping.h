// Damping: from the outcomes of single probes to "up" and "down", and to the time of the next
// probe. The rules are keepalived's (first failure ever = down at once, then retry + 1 failures in
// a row; one success, or one full round of several urls, = up).
//
// PURE. Time, outcomes and the random fraction are arguments. One object per check, used by the
// check's own coroutine only. Constant size.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "checks/outcome.h"

namespace keepline::checks {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = std::chrono::microseconds;

/// The wait before the very first probe, in addition to the random part of warmup.
inline constexpr Duration kStartDelay = std::chrono::seconds(1);

/// Probes are at least this far apart whatever the configuration says, so that a delay of one
/// microsecond (which keepalived accepts) cannot occupy the control thread.
inline constexpr Duration kMinSpacing = std::chrono::milliseconds(1);

/// How far probes of a server that is down are apart.
enum class DownSpacing : std::uint8_t {
  kDelayLoop,    ///< TCP_CHECK and most others.
  kLongerDelay,  ///< HTTP_GET: the longer of delay_loop and delay_before_retry.
};

/// Resolved parameters (inheritance and defaults have been applied by the caller).
struct DampingParams {
  Duration delay_loop = std::chrono::seconds(60);
  Duration delay_before_retry = std::chrono::seconds(1);
  Duration warmup = std::chrono::seconds(60);  ///< keepalived's default is delay_loop.
  Duration start_delay = kStartDelay;
  std::uint32_t retry = 1;     ///< Failures allowed beyond the first while up.
  bool alpha = false;          ///< Starts down until a success.
  bool fast_recovery = false;  ///< No waits inside a first or recovering round.
  DownSpacing down_spacing = DownSpacing::kDelayLoop;

  friend auto operator<=>(const DampingParams&, const DampingParams&) = default;
};

/// What an outcome changed.
enum class Verdict : std::uint8_t { kNoChange, kWentUp, kWentDown };

/// The state of one check.
class Damping {
 public:
  /// `steps` is the length of a round: the number of urls of an HTTP check, 1 for the others.
  /// `random_fraction` in [0, 1) spreads the first probes over warmup.
  Damping(const DampingParams& params, std::uint32_t steps, TimePoint now, double random_fraction);

  /// Takes the outcome of a probe of step() that ended at `now`.
  Verdict handle_outcome(const Outcome& outcome, TimePoint now);

  bool is_up() const { return is_up_; }
  /// True once a verdict rests on a probe rather than on the assumption at start.
  bool has_run() const { return has_run_; }
  std::uint32_t failures_in_row() const { return failures_in_row_; }
  /// Which step (url) the next probe is for, and when.
  std::uint32_t step() const { return step_; }
  TimePoint next_probe() const { return next_probe_; }

 private:
  Verdict handle_success(TimePoint now);
  Verdict handle_failure(TimePoint now);
  Duration down_delay() const;

  DampingParams params_;
  std::uint32_t steps_;
  std::uint32_t step_ = 0;
  std::uint32_t failures_in_row_ = 0;
  bool is_up_;
  bool has_run_ = false;
  TimePoint next_probe_;
};

}  // namespace keepline::checks
