// The simulation's own random numbers: net::Random, and what schedules are drawn with.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "dataplane/net/random.h"

namespace keepline::vrrp::sim {

class Random : public net::Random {
 public:
  using net::Random::Random;

  bool chance(std::int64_t percent) { return between(0, 99) < percent; }
  std::int64_t pick(std::initializer_list<std::int64_t> values) {
    return values.begin()[next() % values.size()];
  }
  /// An independent stream, so that one user's draws do not shift another's.
  Random fork() { return Random(next()); }
};

}  // namespace keepline::vrrp::sim
