// The damping rules. PURE; one caller per object.
#include "checks/damping.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace keepline::checks {

namespace {

Duration spaced(Duration configured) {
  return std::max(configured, kMinSpacing);
}

}  // namespace

Damping::Damping(const DampingParams& params, std::uint32_t steps, TimePoint now,
                 double random_fraction)
    : params_(params), steps_(steps), is_up_(!params.alpha) {
  assert(steps > 0 && random_fraction >= 0 && random_fraction < 1);
  const auto spread = static_cast<double>(params.warmup.count()) * random_fraction;
  next_probe_ = now + params.start_delay + Duration(static_cast<Duration::rep>(spread));
}

Verdict Damping::handle_outcome(const Outcome& outcome, TimePoint now) {
  if (outcome.is_ok()) return handle_success(now);
  if (outcome.is_failure()) return handle_failure(now);
  // Our own lack of a socket is no news about the server: neither state nor count moves.
  next_probe_ = now + spaced(params_.delay_before_retry);
  return Verdict::kNoChange;
}

Verdict Damping::handle_success(TimePoint now) {
  const bool was_failing = failures_in_row_ > 0;
  failures_in_row_ = 0;
  // The url that had failed works again: the round starts over, so that "up" rests on all of them.
  step_ = was_failing ? 0 : (step_ + 1) % steps_;
  const bool round_complete = steps_ == 1 || (!was_failing && step_ == 0);
  if (!round_complete) {
    const bool hurry = params_.fast_recovery && (!is_up_ || !has_run_);
    next_probe_ = hurry ? now : now + spaced(params_.delay_loop);
    return Verdict::kNoChange;
  }
  has_run_ = true;
  next_probe_ = now + spaced(params_.delay_loop);
  if (is_up_) return Verdict::kNoChange;
  is_up_ = true;
  return Verdict::kWentUp;
}

Verdict Damping::handle_failure(TimePoint now) {
  if (failures_in_row_ < std::numeric_limits<std::uint32_t>::max()) ++failures_in_row_;
  // Until a first round has been passed "up" is only an assumption; it is not worth a retry.
  const bool gives_up = !has_run_ || failures_in_row_ > params_.retry;
  if (is_up_ && !gives_up) {
    next_probe_ = now + spaced(params_.delay_before_retry);
    return Verdict::kNoChange;
  }
  has_run_ = true;
  next_probe_ = now + down_delay();
  if (!is_up_) return Verdict::kNoChange;
  is_up_ = false;
  return Verdict::kWentDown;
}

Duration Damping::down_delay() const {
  if (params_.down_spacing == DownSpacing::kDelayLoop) return spaced(params_.delay_loop);
  return spaced(std::max(params_.delay_loop, params_.delay_before_retry));
}

}  // namespace keepline::checks
