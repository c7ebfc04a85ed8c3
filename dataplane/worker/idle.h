// When an idle worker sleeps, and for how long.
//
// PURE; one object per worker. Under load it never sleeps. After kSpinTurns empty turns it backs
// off to short sleeps that double up to kShortSleepUs, and after kShortSleeps of those up to
// kMaxSleepUs, so two idle daemons leave a two-core machine alone, and a lull between two requests
// costs the next one little; the first frame ends it. `idle poll` never sleeps.
#pragma once

#include <algorithm>
#include <cstdint>

namespace keepline::worker {

enum class IdleMode : std::uint8_t { kAdaptive, kPoll };

class Idle {
 public:
  static constexpr std::uint32_t kSpinTurns = 200;
  static constexpr std::uint32_t kMinSleepUs = 10;
  static constexpr std::uint32_t kShortSleepUs = 50;
  static constexpr std::uint32_t kShortSleeps = 500;
  static constexpr std::uint32_t kMaxSleepUs = 250;

  explicit Idle(IdleMode mode) : mode_(mode) {}

  /// After each turn: how many microseconds to sleep now; 0 = poll again at once.
  std::uint32_t after_turn(bool had_work) {
    if (had_work) {
      empty_turns_ = 0;
      sleep_us_ = kMinSleepUs;
      sleeps_ = 0;
      return 0;
    }
    if (mode_ == IdleMode::kPoll || ++empty_turns_ <= kSpinTurns) return 0;
    const std::uint32_t result = sleep_us_;
    const std::uint32_t longest = ++sleeps_ < kShortSleeps ? kShortSleepUs : kMaxSleepUs;
    sleep_us_ = std::min(2 * sleep_us_, longest);
    return result;
  }

 private:
  IdleMode mode_;
  std::uint32_t empty_turns_ = 0;
  std::uint32_t sleep_us_ = kMinSleepUs;
  std::uint32_t sleeps_ = 0;
};

}  // namespace keepline::worker
