// What tracked interfaces do to an instance: faults and priority.
//
// PURE. keepalived's rules: weight 0 = its failure is a fault; a positive weight is added while
// it is up, a negative one while it is down; reversed, the outcome counts the other way round.
#pragma once

#include <cstdint>

#include "control/config/model.h"
#include "control/plan/kernel_view.h"

namespace keepline::control {

struct Tracked {
  bool is_fault = false;
  std::uint8_t priority = 100;  ///< Effective: clamped to 1..254; an owner's never changes.
};

Tracked track_interfaces(const config::VrrpInstance& instance, const KernelView& kernel);

}  // namespace keepline::control
