// The rules that every run must keep, and the bounds that they need.
//
// Written from RFC 9568, RFC 3768, keepalived's documented behaviour and the design, not from the
// code under test. Watch (watch.h) judges one instance, Monitor (monitor.h) the cluster.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/schedule.h"

namespace keepline::vrrp::sim {

enum class Invariant : std::uint8_t {
  kOneMaster,
  kRightMaster,
  kNoGap,
  kOverlap,
  kTakeover,
  kPatience,
  kNopreempt,
  kPreemptDelay,
  kListen,
  kSuccession,
  kYield,
  kSilence,
  kLease,
  kServe,
  kDeparture,
  kSyncGroup,
  kAnnouncer,
  kAnnounced,
  kActions,
  kAuthentic,
  kStandBy,
  kHandOver,
  kLossless,
};
inline constexpr std::size_t kInvariantCount = 23;

struct Rule {
  const char* name;
  const char* sentence;
};
const Rule& rule_of(Invariant invariant);

struct Failure {
  Invariant invariant = Invariant::kOneMaster;
  std::int64_t at_us = 0;
  std::size_t node = 0;
  std::size_t lan = 0;
  std::string detail;
};

/// How long things may take in this cluster, in real time. Each derivation is in docs/simulation.md
/// and at its definition.
struct Bounds {
  explicit Bounds(const Schedule& schedule);

  std::int64_t interval_us;     ///< The longest advert interval, by the slowest clock.
  std::int64_t skew_us;         ///< The longest skew.
  std::int64_t master_down_us;  ///< The longest master-down interval.
  std::int64_t hop_us;          ///< From a decision on one node to its effect on another.
  std::int64_t gap_us;          ///< Without a master although somebody could be.
  std::int64_t overlap_us;      ///< Two that hear each other and answer both.
  std::int64_t converged_us;    ///< Until a whole network has its one right master.
  std::int64_t departure_us;    ///< Serving on after priority 0.
};

/// More than any schedule's clock drift, in percent.
inline constexpr std::int64_t kDriftPercent = 1;
std::int64_t stretched(std::int64_t time_us);

}  // namespace keepline::vrrp::sim
