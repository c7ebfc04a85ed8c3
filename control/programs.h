// What the commands of a configuration become when they are run.
//
// Control thread, at start and at a reload: users are looked up in the system's tables, which may
// take long.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "checks/exec/children.h"
#include "control/config/model.h"

namespace keepline::control {

/// Makes programs of commands. Whom each runs as is looked up once, by prepare().
class Programs {
 public:
  explicit Programs(const config::GlobalDefs& global) : global_(global) {}

  /// At start. Why the command would not run: no such file, not executable, no such user, or
  /// (enable_script_security, as root) a part of its path that others than root can change.
  std::optional<std::string> prepare(const config::Command& command);
  /// A command that was prepared, whatever its arguments: as its own user, else script_user, else
  /// keepalived_script if there is one.
  checks::Program of(const config::Command& command) const;

 private:
  struct Identity {
    std::string user;   ///< A number; empty: as the daemon.
    std::string group;  ///< A number.
    std::string problem;
  };
  static Identity look_up(std::string user, const std::string& group);

  config::GlobalDefs global_;
  std::map<std::pair<std::string, std::string>, Identity> identities_;  ///< By user and group.
};

}  // namespace keepline::control
