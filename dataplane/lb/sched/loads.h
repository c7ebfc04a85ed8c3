// How many connections real servers have: what schedulers weigh, and thresholds limit.
//
// PURE; one object per worker. A worker knows its own connections exactly, and those of the others
// as of a few milliseconds ago: the control thread adds them up. Thresholds may be exceeded by what
// all workers begin in that time.
#pragma once

#include "dataplane/lb/counters.h"
#include "dataplane/lb/lazy_array.h"
#include "dataplane/lb/service/service.h"

namespace keepline::lb {

struct Load {
  std::uint64_t active = 0;
  std::uint64_t inactive = 0;
  std::uint64_t total() const { return active + inactive; }
  /// As kernel LVS weighs them (ip_vs_dest_conn_overhead).
  std::uint64_t overhead() const { return active * 256 + inactive; }
};

class Loads {
 public:
  /// `own` outlives this.
  explicit Loads(const LazyArray<RealCounters>& own)
      : own_(own), elsewhere_(own.size()), full_(own.size()) {}

  Load of(const RealServer& real) const {
    const Elsewhere& elsewhere = elsewhere_[real.slot];
    Load load{elsewhere.active.get(), elsewhere.inactive.get()};
    const RealCounters& own = own_[real.slot];
    if (own.generation.get() == real.generation) {
      load.active += own.active.get();
      load.inactive += own.inactive.get();
    }
    return load;
  }

  /// Whether the server may have a new connection: it has a weight, and is below its threshold or,
  /// once it was full, below the lower one (ip_vs_conn.c, ip_vs_unbind_dest).
  bool takes(const RealServer& real) {
    if (real.weight == 0) return false;
    if (real.upper_threshold == 0) return true;
    const std::uint64_t total = of(real).total();
    bool& full = full_[real.slot];
    if (!full) {
      full = total >= real.upper_threshold;
    } else if (real.lower_threshold != 0) {
      full = total >= real.lower_threshold;
    } else {
      full = total * 4 >= std::uint64_t{real.upper_threshold} * 3;
    }
    return !full;
  }

  /// What other workers have. Control thread.
  void set_elsewhere(RealSlot slot, const Load& load) {
    elsewhere_[slot].active.set(load.active);
    elsewhere_[slot].inactive.set(load.inactive);
  }

 private:
  struct Elsewhere {
    Counter active;
    Counter inactive;
  };

  const LazyArray<RealCounters>& own_;
  LazyArray<Elsewhere> elsewhere_;
  LazyArray<bool> full_;
};

}  // namespace keepline::lb
