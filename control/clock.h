// The clocks of the control thread: one for all that happens, and that of the wall for auth_hmac.
#pragma once

#include <time.h>

#include <cstdint>

namespace keepline::control {

/// Microseconds that never jump back and go on during a suspend (CLOCK_BOOTTIME): after one, the
/// leases have run out, as they must.
inline std::int64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

/// Microseconds since 1970 UTC; it jumps when somebody sets the clock.
inline std::int64_t wall_us() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace keepline::control
