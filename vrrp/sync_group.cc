#include "vrrp/sync_group.h"

#include <algorithm>

namespace keepline::vrrp {

namespace {

// kSyncGroup is to be set exactly while another member is at fault by itself; said so, it does
// not matter in which order members fail and recover.
std::vector<MemberCommand> settle_faults(std::span<const MemberView> members) {
  const auto at_fault = std::count_if(members.begin(), members.end(),
                                      [](const MemberView& m) { return m.faults.own(); });
  std::vector<MemberCommand> commands;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const bool wanted = at_fault - (members[i].faults.own() ? 1 : 0) > 0;
    if (wanted == members[i].faults.has(FaultCause::kSyncGroup)) continue;
    commands.push_back({i, wanted ? GroupCommand::kFault : GroupCommand::kFaultCleared});
  }
  return commands;
}

}  // namespace

std::vector<MemberCommand> evaluate_group(std::span<const MemberView> members) {
  std::vector<MemberCommand> commands = settle_faults(members);
  if (!commands.empty()) return commands;

  const auto is_master = [](const MemberView& m) { return m.state == State::kMaster; };
  const auto masters = std::count_if(members.begin(), members.end(), is_master);
  if (masters == static_cast<std::ptrdiff_t>(members.size())) return commands;
  if (masters > 0) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (is_master(members[i])) commands.push_back({i, GroupCommand::kBecomeBackup});
    }
    return commands;
  }
  const bool agreed = std::all_of(members.begin(), members.end(), [](const MemberView& m) {
    return m.state == State::kBackup && m.wants_master;
  });
  for (std::size_t i = 0; agreed && i < members.size(); ++i) {
    commands.push_back({i, GroupCommand::kBecomeMaster});
  }
  return commands;
}

State group_state(std::span<const MemberView> members) {
  const auto any = [members](State state) {
    return std::any_of(members.begin(), members.end(),
                       [state](const MemberView& m) { return m.state == state; });
  };
  if (any(State::kFault)) return State::kFault;
  if (members.empty() || any(State::kInit)) return State::kInit;
  return any(State::kBackup) ? State::kBackup : State::kMaster;
}

}  // namespace keepline::vrrp
