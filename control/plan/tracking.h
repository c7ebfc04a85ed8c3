// What tracked interfaces, scripts, files, processes and BFD sessions do to an instance: faults and
// priority.
//
// PURE. keepalived's rules: weight 0 = a failure is a fault; a positive weight is added while what
// is tracked is good, a negative one while it is bad; reversed, the outcome counts the other way
// round. The number in a file is multiplied by the weight; one of 254 and more either way is a
// fault or all that can be added.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "control/plan/kernel_view.h"
#include "vrrp/script_status.h"

namespace keepline::control {

/// Of scripts, processes or BFD sessions, by name; a process that is not there has not been counted
/// yet, a session that is not there is down.
using Outcomes = std::map<std::string, vrrp::Outcome>;

/// Of files, by name; one that is not there has not been read yet.
using FileValues = std::map<std::string, std::int64_t>;

struct Tracked {
  bool is_fault = false;
  /// Something without weight has no outcome yet: the instance waits for it before it starts.
  bool is_unknown = false;
  std::uint8_t priority = 100;  ///< Effective: clamped to 1..254; an owner's never changes.
};

/// Whether any instance tracks what has this name; `list`: its track_script and the like.
bool is_tracked(const config::Config& config,
                std::vector<config::Tracker> config::VrrpInstance::*list, const std::string& name);

Tracked track(const config::VrrpInstance& instance, const KernelView& kernel,
              const Outcomes& scripts, const FileValues& files = {}, const Outcomes& processes = {},
              const Outcomes& sessions = {});

}  // namespace keepline::control
