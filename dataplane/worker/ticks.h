// The time that a worker goes by; the TSC in production, a number in tests.
//
// PURE.
#pragma once

#include <cstdint>

namespace keepline::worker {

class TickSource {
 public:
  virtual ~TickSource() = default;
  virtual std::uint64_t now() const = 0;
  virtual std::uint64_t hz() const = 0;
};

/// Ticks as microseconds.
inline std::int64_t to_us(std::uint64_t ticks, std::uint64_t hz) {
  return static_cast<std::int64_t>(ticks / hz * 1'000'000 + ticks % hz * 1'000'000 / hz);
}

}  // namespace keepline::worker
