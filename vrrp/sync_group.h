// The rules of a sync group: members are master together or not at all.
//
// PURE and stateless: from what the members are follows what each is told, so there is nothing
// that could get out of step. The control thread calls evaluate_group() after every verb on a
// member and carries the commands out with Instance::handle_group; it repeats until no command
// comes, which takes at most kGroupRounds evaluations. Bound: the number of members.
//
// Rules, first match wins:
//   1. a member has the cause kSyncGroup exactly while *another* one is at fault by itself: one
//      in FAULT takes all along (masters say priority 0), the last recovery frees all;
//   2. a master next to one that is not -> the masters go BACKUP;
//   3. every member wants to be master  -> all become MASTER together.
// That an owner's group starts as master only if all are owners follows from 3: each grouped
// owner wants to be master at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vrrp/instance.h"

namespace keepline::vrrp {

inline constexpr std::size_t kGroupRounds = 4;

/// What a group sees of a member.
struct MemberView {
  State state = State::kInit;
  bool wants_master = false;
  FaultSet faults;
};

struct MemberCommand {
  std::size_t member = 0;  ///< Index into the views.
  GroupCommand command = GroupCommand::kBecomeBackup;
  friend bool operator==(const MemberCommand&, const MemberCommand&) = default;
};

inline MemberView view_of(const Instance& instance) {
  return {instance.state(), instance.wants_master(), instance.faults()};
}

/// Commands in member order; empty = the group is at rest.
std::vector<MemberCommand> evaluate_group(std::span<const MemberView> members);

/// The state of the group as notifications name it: FAULT if any member is, MASTER if all are,
/// INIT if any is, else BACKUP.
State group_state(std::span<const MemberView> members);

}  // namespace keepline::vrrp
