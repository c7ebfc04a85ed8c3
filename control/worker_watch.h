// Whether every worker still runs: its turns are counted, and have to go on.
//
// Control thread; PURE but for the counters that it reads.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class WorkerWatch {
 public:
  static constexpr std::int64_t kStalledUs = 1'000'000;

  void start(unsigned workers, std::int64_t now_us) { seen_.assign(workers, {0, now_us}); }
  bool is_any_stalled(const worker::Dataplane& dataplane, std::int64_t now_us) {
    bool stalled = false;
    for (unsigned i = 0; i < seen_.size(); ++i) {
      const std::uint64_t turns = dataplane.worker(i).counters().turns.get();
      if (turns != seen_[i].turns) seen_[i] = {turns, now_us};
      stalled = stalled || now_us - seen_[i].at_us > kStalledUs;
    }
    return stalled;
  }

 private:
  struct Seen {
    std::uint64_t turns = 0;
    std::int64_t at_us = 0;
  };
  std::vector<Seen> seen_;  // by worker
};

}  // namespace keepline::control
