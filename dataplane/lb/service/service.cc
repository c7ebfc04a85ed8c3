#include "dataplane/lb/service/service.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace keepline::lb {

std::string_view to_string(Scheduler scheduler) {
  constexpr std::array<std::string_view, kSchedulers> kNames = {"rr", "wrr",  "lc",    "wlc", "sed",
                                                                "nq", "lblc", "lblcr", "dh",  "sh",
                                                                "mh", "fo",   "ovf",   "twos"};
  return kNames[static_cast<std::size_t>(scheduler)];
}

bool Service::counts_connections() const {
  switch (scheduler) {
    case Scheduler::kLeastConnections:
    case Scheduler::kWeightedLeastConnections:
    case Scheduler::kShortestExpectedDelay:
    case Scheduler::kNeverQueue:
    case Scheduler::kLocality:
    case Scheduler::kLocalityReplicated:
    case Scheduler::kOverflow:
    case Scheduler::kTwoChoices:
      return true;
    default:
      return std::ranges::any_of(pool,
                                 [](const RealServer& real) { return real.upper_threshold != 0; });
  }
}

bool Service::leads_alike() const {
  if (pool.size() == 1) return true;
  if (persistence_s != 0) return false;
  const auto has_limit = [](const RealServer& real) { return real.upper_threshold != 0; };
  if (scheduler == Scheduler::kFailover) return std::ranges::none_of(pool, has_limit);
  return has_ring() && !hash_fallback;
}

void Service::seal() {
  weight_divisor = 0;
  weight_max = 0;
  equal_weights = true;
  for (const RealServer& real : pool) {
    weight_divisor = std::gcd(weight_divisor, real.weight);
    weight_max = std::max(weight_max, real.weight);
  }
  for (const RealServer& real : pool) {
    equal_weights = equal_weights && (real.weight == 0 || real.weight == weight_max);
  }
  weight_divisor = std::max(weight_divisor, 1u);
}

}  // namespace keepline::lb
