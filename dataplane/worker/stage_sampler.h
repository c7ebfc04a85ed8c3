// Measures the stages of one burst in kEvery, while it is on.
//
// One object per worker, which alone measures; anybody may switch it and read its figures. Off, it
// costs one branch per burst.
#pragma once

#include <array>
#include <atomic>

#include "dataplane/lb/counters.h"
#include "dataplane/lb/stages.h"
#include "dataplane/worker/ticks.h"

namespace keepline::worker {

class StageSampler final : public lb::StageProbe {
 public:
  static constexpr std::uint32_t kEvery = 64;

  explicit StageSampler(const TickSource& ticks) : ticks_(ticks) {}

  void set(bool on) { on_.store(on, std::memory_order_relaxed); }
  lb::StageFigures figures() const {
    lb::StageFigures result;
    result.bursts = bursts_.get();
    result.packets = packets_.get();
    for (std::size_t i = 0; i < lb::kStages; ++i) result.cycles[i] = cycles_[i].get();
    return result;
  }

  /// Worker: whether this burst is to be measured.
  bool next() {
    if (!on_.load(std::memory_order_relaxed)) return false;
    return ++turn_ % kEvery == 0;
  }
  void begin() {
    last_ = ticks_.now();
    pending_ = {};
  }
  void done(lb::Stage stage) override {
    const std::uint64_t now = ticks_.now();
    pending_[static_cast<std::size_t>(stage)] += now - last_;
    last_ = now;
  }
  /// The burst had `packets` packets. One that was begun and not ended counts for nothing.
  void end(std::uint64_t packets) {
    for (std::size_t i = 0; i < lb::kStages; ++i) cycles_[i].add(pending_[i]);
    packets_.add(packets);
    bursts_.add();
  }

 private:
  const TickSource& ticks_;
  std::atomic<bool> on_{false};
  std::uint32_t turn_ = 0;
  std::uint64_t last_ = 0;
  std::array<std::uint64_t, lb::kStages> pending_{};
  std::array<lb::Counter, lb::kStages> cycles_;
  lb::Counter bursts_;
  lb::Counter packets_;
};

}  // namespace keepline::worker
