// From the configuration's words to the dataplane's.
#pragma once

#include "control/options.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

/// Asks the kernel how many queues the netdevs have; nothing else.
worker::DataplaneConfig dataplane_config(const Options& options, const config::Config& config,
                                         const Topology& topology);

}  // namespace keepline::control
