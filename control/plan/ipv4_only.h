// The part of a configuration that is built: IPv4. The parser has warned of the rest.
//
// PURE.
#pragma once

#include "control/config/model.h"

namespace keepline::control {

/// Without the IPv6 instances (also as members of sync groups), VIPs, virtual and real servers.
config::Config ipv4_only(config::Config config);

}  // namespace keepline::control
