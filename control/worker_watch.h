// Whether every worker still runs: its turns are counted, and have to go on.
//
// Control thread; PURE but for the counters that it reads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class WorkerWatch {
 public:
  /// How long a worker may make no turn. A node whose adverts another worker sends leaves with
  /// priority 0 before peers would have waited three intervals.
  static std::int64_t patience_us(std::int64_t shortest_interval_us) {
    return std::clamp(2 * shortest_interval_us, kLeast_us, kMost_us);
  }

  void start(unsigned workers, std::int64_t now_us) { seen_.assign(workers, {0, now_us}); }
  bool is_any_stalled(const worker::Dataplane& dataplane, std::int64_t patience_us,
                      std::int64_t now_us) {
    bool stalled = false;
    for (unsigned i = 0; i < seen_.size(); ++i) {
      const std::uint64_t turns = dataplane.worker(i).counters().turns.get();
      if (turns != seen_[i].turns) seen_[i] = {turns, now_us};
      stalled = stalled || now_us - seen_[i].at_us > patience_us;
    }
    return stalled;
  }

 private:
  /// The watch looks ten times a second; and a busy machine gives a worker no CPU for a moment.
  static constexpr std::int64_t kLeast_us = 300'000;
  static constexpr std::int64_t kMost_us = 1'000'000;

  struct Seen {
    std::uint64_t turns = 0;
    std::int64_t at_us = 0;
  };
  std::vector<Seen> seen_;  // by worker
};

}  // namespace keepline::control
