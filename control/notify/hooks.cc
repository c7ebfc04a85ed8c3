#include "control/notify/hooks.h"

namespace keepline::control {

namespace {

using What = NotifyEvent::What;

std::string_view kind_word(const NotifyEvent& event) {
  return event.kind == NotifyEvent::Kind::kGroup ? "GROUP" : "INSTANCE";
}

const config::Command& hook_of(const config::Notify& notify, What what) {
  switch (what) {
    case What::kMaster:
      return notify.master;
    case What::kBackup:
      return notify.backup;
    case What::kFault:
      return notify.fault;
    case What::kStop:
      return notify.stop;
    case What::kDeleted:
      return notify.deleted;
    case What::kLowerPriority:
    case What::kMasterPriority:
    case What::kBackupPriority:
      break;
  }
  return notify.master_rx_lower_pri;
}

}  // namespace

std::string_view what_word(What what) {
  switch (what) {
    case What::kMaster:
      return "MASTER";
    case What::kBackup:
      return "BACKUP";
    case What::kFault:
      return "FAULT";
    case What::kStop:
      return "STOP";
    case What::kMasterPriority:
      return "MASTER_PRIORITY";
    case What::kBackupPriority:
      return "BACKUP_PRIORITY";
    case What::kDeleted:
      return "DELETED";
    case What::kLowerPriority:
      break;
  }
  return "MASTER_RX_LOWER_PRI";
}

NotifyEvent::What told_state(vrrp::State to) {
  switch (to) {
    case vrrp::State::kMaster:
      return What::kMaster;
    case vrrp::State::kBackup:
      return What::kBackup;
    case vrrp::State::kFault:
      return What::kFault;
    case vrrp::State::kInit:
      break;
  }
  return What::kStop;
}

std::vector<config::Command> hooks(const config::Notify& notify, const NotifyEvent& event) {
  std::vector<config::Command> result;
  if (event.what == What::kMasterPriority || event.what == What::kBackupPriority) return result;
  if (const config::Command& hook = hook_of(notify, event.what); !hook.empty()) {
    result.push_back(hook);
  }
  if (notify.any.empty() || event.what == What::kLowerPriority) return result;
  config::Command generic = notify.any;
  for (const std::string_view word : {kind_word(event), event.name, what_word(event.what)}) {
    generic.arguments.emplace_back(word);
  }
  generic.arguments.push_back(std::to_string(event.priority));
  result.push_back(std::move(generic));
  return result;
}

std::string fifo_line(const NotifyEvent& event) {
  return std::string(kind_word(event)) + " \"" + std::string(event.name) + "\" " +
         std::string(what_word(event.what)) + ' ' + std::to_string(event.priority) + '\n';
}

}  // namespace keepline::control
