// What the daemon runs: replaced as a whole by a reload.
//
// Control thread. The application owns the one value; its parts hold a reference and look when
// they need something, so that they never see half of a change.
#pragma once

#include <memory>

#include "control/config/model.h"
#include "control/plan/topology.h"

namespace keepline::control {

struct Running {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const Topology> topology;
};

}  // namespace keepline::control
