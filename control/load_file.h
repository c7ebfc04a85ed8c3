// The configuration as the command line names it, and what there is to say about it.
#pragma once

#include "control/config/load.h"
#include "control/options.h"

namespace keepline::control {

/// Reads files: not for the control thread.
config::LoadResult load_file(const Options& options);

void log_diagnostics(const config::Diagnostics& diagnostics);

}  // namespace keepline::control
