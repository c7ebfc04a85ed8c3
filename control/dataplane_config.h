// From the configuration's words to the dataplane's.
#pragma once

#include <map>

#include "control/options.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

/// Of the NICs that a DPDK driver owns, by name.
using Taps = std::map<std::string, std::shared_ptr<port::TapDevice>>;

/// Asks the kernel how many queues the netdevs have; nothing else. Throws std::runtime_error when
/// those of a bond differ.
worker::DataplaneConfig dataplane_config(const Options& options, const config::Config& config,
                                         const Topology& topology, const Taps& taps);

/// Tells the dataplane which NICs of its bonds the kernel uses.
void use_bonds(worker::Dataplane& dataplane, const Topology& topology, const KernelView& kernel);

}  // namespace keepline::control
