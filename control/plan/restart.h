// What a reload cannot change, because it is settled when the daemon starts.
//
// PURE. The running value stays, with a warning; where the rest would not work without the change,
// the reload is refused.
#pragma once

#include "control/config/diagnostic.h"
#include "control/config/model.h"

namespace keepline::control {

void check_restart(const config::Config& running, const config::Config& wanted,
                   config::Diagnostics& diagnostics);

}  // namespace keepline::control
