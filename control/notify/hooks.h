// What is said about a change of state, and to whom: scripts and the lines of FIFOs.
//
// PURE. keepalived's words: the hook of the state first, then `notify` with four further arguments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/model.h"
#include "vrrp/action.h"

namespace keepline::control {

/// A change of state or priority, or MASTER_RX_LOWER_PRI.
struct NotifyEvent {
  enum class Kind : std::uint8_t { kInstance, kGroup };
  enum class What : std::uint8_t {
    kMaster,
    kBackup,
    kFault,
    kStop,
    kDeleted,
    kLowerPriority,
    kMasterPriority,  ///< Of a master; FIFOs only, as is the next.
    kBackupPriority,  ///< Of one that is none.
  };
  Kind kind = Kind::kInstance;
  std::string_view name;
  What what = What::kBackup;
  int priority = 0;  ///< Of a group: 0.
};

/// "MASTER".
std::string_view what_word(NotifyEvent::What what);

/// INIT is what a stopped one is in.
NotifyEvent::What told_state(vrrp::State to);

/// Scripts in the order to be run.
std::vector<config::Command> hooks(const config::Notify& notify, const NotifyEvent& event);

/// `INSTANCE "VI_1" MASTER 100`, with the newline.
std::string fifo_line(const NotifyEvent& event);

}  // namespace keepline::control
