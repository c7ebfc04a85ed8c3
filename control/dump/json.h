// keepalived.json of our state, with keepalived's fields.
//
// PURE. The secret of an authentication is never shown: `********` stands for it. Lists that are
// empty and scripts that nobody wrote are left out, as keepalived does it. Bound: the
// configuration.
#pragma once

#include <string>

#include "control/dump/state.h"

namespace keepline::control::dump {

/// Version 1 is an array of {data, stats}, an element an instance; version 2 an object with that
/// array as "vrrp", and "track_process" if processes are tracked.
std::string json_text(const State& state);

}  // namespace keepline::control::dump
