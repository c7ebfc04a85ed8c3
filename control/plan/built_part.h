// The part of a configuration that is built: all but VRRP over IPv6.
//
// PURE.
#pragma once

#include "control/config/diagnostic.h"
#include "control/config/model.h"
#include "control/plan/topology.h"

namespace keepline::control {

/// Without IPv6 instances (also as members of sync groups), of which the parser has warned, and
/// without the services on their addresses, of which `diagnostics` tells: nobody would hold them.
/// Where somebody else speaks VRRP, everything is left as it is.
config::Config built_part(config::Config config, Mode mode, config::Diagnostics& diagnostics);

}  // namespace keepline::control
