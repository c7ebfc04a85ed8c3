// What a reload cannot or must not do: most of what is settled when the daemon starts cannot
// change.
//
// PURE. The running value stays, with a warning; where the rest would not work without the change,
// the reload is refused. So is one to a file without anything to run: it is still being written.
#pragma once

#include "control/config/diagnostic.h"
#include "control/config/model.h"

namespace keepline::control {

void check_restart(const config::Config& running, const config::Config& wanted,
                   config::Diagnostics& diagnostics);

}  // namespace keepline::control
