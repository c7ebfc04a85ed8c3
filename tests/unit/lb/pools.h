// Pools of real servers for tests of schedulers: slot i is the i-th server, a letter in texts.
#pragma once

#include <string>
#include <vector>

#include "dataplane/lb/accounts.h"

namespace keepline::lb::testing {

inline Service with_weights(Scheduler scheduler, const std::vector<std::uint32_t>& weights) {
  Service service;
  service.scheduler = scheduler;
  service.vip = {net::parse_ip("192.0.2.1").value(), 80};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    RealServer real;
    real.slot = static_cast<RealSlot>(i);
    real.generation = 1;
    real.weight = weights[i];
    real.endpoint = {net::Ip4(0x0a000001 + static_cast<std::uint32_t>(i)), 80};
    service.pool.push_back(real);
  }
  service.seal();
  service.build_ring();
  return service;
}

inline char letter(const RealServer* real) {
  return real == nullptr ? '-' : static_cast<char>('a' + real->slot);
}

}  // namespace keepline::lb::testing
