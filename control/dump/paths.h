// Where the dumps are written.
//
// PURE. keepalived's names, because its users' tools look for them.
#pragma once

#include <string>
#include <string_view>

#include "control/config/model.h"

namespace keepline::control::dump {

struct Paths {
  std::string data;
  std::string check_data;
  std::string bfd_data;
  std::string parent_data;
  std::string stats;
  std::string json;
};

/// `folder`: $TMPDIR or /tmp. `instance` becomes part of the names of the four kinds of data, if
/// data_use_instance says so. state_dump_file moves them: that of the checks has `_check` behind
/// the name, that of BFD `_bfd`, that of keepalived's parent process `_parent`.
Paths paths_of(const config::DumpOptions& options, std::string_view folder,
               std::string_view instance);

}  // namespace keepline::control::dump
