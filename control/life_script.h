// startup_script and shutdown_script: run before anything is begun, and after everything is undone.
//
// The main thread, while no loop of the daemon runs yet or any more: it waits. Bound: the script's
// timeout and checks::Children::kGrace, after which it is killed with all that it has started.
#pragma once

#include <cstdint>
#include <string_view>

#include "control/config/model.h"

namespace keepline::control {

enum class LifeResult : std::uint8_t {
  kGoOn,        ///< Ended, well or not, or could not be run: that is logged.
  kAskedToEnd,  ///< SIGTERM or SIGINT came; the script has been asked to end, too.
};

/// `name` is for the log: "startup script". Without a command nothing happens.
LifeResult run_life_script(std::string_view name, const config::LifeScript& script,
                           const config::GlobalDefs& global);

}  // namespace keepline::control
