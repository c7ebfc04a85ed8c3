// What the commands of a configuration become when they are run.
//
// Control thread, at start: users are looked up in the system's tables.
#pragma once

#include "checks/exec/children.h"
#include "control/config/model.h"

namespace keepline::control {

/// As the command's own user, else script_user, else keepalived_script if there is one.
checks::Program program_of(const config::Command& command, const config::GlobalDefs& global);

/// Why it would not run: no such file, not executable, or (enable_script_security, as root) a part
/// of its path that others than root can change.
std::optional<std::string> why_not_run(const config::Command& command,
                                       const config::GlobalDefs& global);

}  // namespace keepline::control
