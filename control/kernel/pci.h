// Whether a NIC can be a DPDK driver's: what the kernel says of it.
//
// Control thread, at start; reads sysfs.
#pragma once

#include "control/config/diagnostic.h"
#include "control/config/model.h"

namespace keepline::control {

/// A fatal diagnostic, with what to do, unless there is such a NIC and it is bound to a driver that
/// DPDK takes NICs from.
void check_pci(const config::DataplanePort& port, config::Diagnostics& diagnostics);

}  // namespace keepline::control
