#include "dataplane/lb/service/service.h"

#include <algorithm>
#include <numeric>

namespace keepline::lb {

std::string_view to_string(Scheduler scheduler) {
  return scheduler == Scheduler::kRoundRobin ? "rr" : "wrr";
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
