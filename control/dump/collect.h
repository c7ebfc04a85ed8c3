// Copies what dumps tell out of the running daemon.
//
// Control thread.
#pragma once

#include <memory>

#include "control/bfd_driver.h"
#include "control/check_driver.h"
#include "control/dump/state.h"
#include "control/instance_watch.h"
#include "control/options.h"
#include "control/running.h"
#include "control/vrrp_driver.h"

namespace keepline::control::dump {

/// Where the daemon keeps its state; what is not there (yet) is left out.
struct Sources {
  const Options& options;
  const Running& running;
  const std::shared_ptr<const KernelView>& kernel;
  const std::unique_ptr<VrrpDriver>& vrrp;
  const std::unique_ptr<InstanceWatch>& watch;
  const std::unique_ptr<CheckDriver>& checks;
  const std::unique_ptr<BfdDriver>& bfd;
};

State collect(const Sources& from);

}  // namespace keepline::control::dump
