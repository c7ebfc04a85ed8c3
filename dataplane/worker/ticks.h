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

}  // namespace keepline::worker
