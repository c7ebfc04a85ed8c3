// Whether every worker still runs: its turns are counted, and have to go on.
//
// Control thread; PURE but for the counters that it reads. It counts how often it has looked and
// not how long ago that was: after a moment in which nothing of the node ran, the workers are as
// late as who looks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class WorkerWatch {
 public:
  /// How often it is to look.
  static constexpr std::int64_t kPeriod_us = 100'000;

  /// How many looks a worker may make no turn for. A node whose adverts another worker sends leaves
  /// with priority 0 before peers would have waited three intervals.
  static std::int64_t patience(std::int64_t shortest_interval_us) {
    return std::clamp(2 * shortest_interval_us / kPeriod_us, kLeast, kMost);
  }

  void start(unsigned workers) { seen_.assign(workers, {}); }
  bool is_any_stalled(const worker::Dataplane& dataplane, std::int64_t patience) {
    bool stalled = false;
    for (unsigned i = 0; i < seen_.size(); ++i) {
      const std::uint64_t turns = dataplane.worker(i).counters().turns.get();
      const bool is_same = turns == seen_[i].turns;
      seen_[i] = {turns, is_same ? seen_[i].looks + 1 : 0};
      stalled = stalled || seen_[i].looks > patience;
    }
    return stalled;
  }

 private:
  // A busy machine gives a worker no CPU for a moment.
  static constexpr std::int64_t kLeast = 3;
  static constexpr std::int64_t kMost = 10;

  struct Seen {
    std::uint64_t turns = 0;
    std::int64_t looks = 0;  ///< That found the same.
  };
  std::vector<Seen> seen_;  // by worker
};

}  // namespace keepline::control
