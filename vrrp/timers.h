// Timer arithmetic of VRRP, of the mastership lease and of noticing that we did not run.
//
// PURE, microseconds throughout. RFC 9568 §6.1 computes in centiseconds; like keepalived we keep
// microseconds, so that an interval of 10 ms still gets a skew that tells priorities apart.
#pragma once

#include <algorithm>
#include <cstdint>

#include "vrrp/types.h"

namespace keepline::vrrp {

/// What timers are made of. `interval_us` is the instance's own interval in version 2 and the
/// one learned from the master in version 3.
struct TimerBase {
  Version version = Version::k2;
  std::int64_t interval_us = kSecond_us;
  std::uint8_t priority = 100;
  std::uint8_t down_adverts = 3;
};

/// No peer's skew is longer than this, whatever its priority.
constexpr std::int64_t longest_skew_us(Version version, std::int64_t interval_us) {
  return version == Version::k2 ? kSecond_us : interval_us;
}

/// RFC 3768 §6.1 Skew_Time: (256 - priority) / 256 seconds. RFC 9568 §6.1: the same share of the
/// master's advertisement interval.
constexpr std::int64_t skew_us(const TimerBase& base) {
  return (256 - base.priority) * longest_skew_us(base.version, base.interval_us) / 256;
}

/// How long a backup waits when it knows by other means that the master died: the same share of the
/// time in which that shows, so that of several the best is first.
constexpr std::int64_t lost_skew_us(std::uint8_t priority, std::int64_t interval_us) {
  return (256 - priority) * interval_us / 256;
}

/// RFC 3768 §6.1 Master_Down_Interval, RFC 9568 §6.1 Active_Down_Interval.
constexpr std::int64_t master_down_us(const TimerBase& base) {
  return base.down_adverts * base.interval_us + skew_us(base);
}

/// The start of a node that wishes to be MASTER but is not the owner: long enough to hear one
/// advert of a better node.
constexpr std::int64_t shortened_start_us(const TimerBase& base) {
  TimerBase best = base;
  best.priority = kOwnerPriority;
  return base.interval_us + skew_us(best);
}

/// How long one advert entitles its sender to act as master. Every peer that heard the advert
/// waits longer than this, because its skew comes on top and its clock started later; so the
/// sender's dataplane falls silent before anyone else begins.
///
/// With a multiplier of 1 the lease would end exactly when the next advert is due; then half of
/// the smallest skew is lent to it, which is still less than any peer waits.
constexpr std::int64_t lease_us(const TimerBase& base) {
  const std::int64_t whole_us = base.down_adverts * base.interval_us;
  if (base.down_adverts > 1) return whole_us;
  TimerBase best = base;
  best.priority = kOwnerPriority;
  return whole_us + skew_us(best) / 2;
}

/// A BACKUP runs at least once per advert interval (Instance::next_timeout sees to it). If more
/// time than this lies between two runs, the pause may have hidden every advert of a living
/// master: for a false alarm all adverts but the one before the pause must have been missed,
/// which takes down_adverts - 1 intervals. The BACKUP then listens for one more whole
/// master-down interval.
///
/// No livelock on a busy machine: while it listens only a pause longer than a *lease* starts the
/// listening again. A node that runs at least once per lease therefore takes over after at most
/// two master-down intervals; a node that does not could not keep its own lease alive.
constexpr std::int64_t pause_limit_us(const TimerBase& base, bool listening) {
  const std::int64_t hiding_us = std::max(2, base.down_adverts - 1) * base.interval_us;
  return listening ? std::max(hiding_us, lease_us(base)) : hiding_us;
}

}  // namespace keepline::vrrp
