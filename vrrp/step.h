// The decision of the VRRP state machine: state x event -> next state, effect, reason.
//
// PURE and total: every pair has an answer, and one that is not a row of the table means "nothing
// happens". Timers, lease and actions are consequences that Instance::commit draws. Control
// thread. RFC sections are on the rows in step.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vrrp/action.h"
#include "vrrp/types.h"

namespace keepline::vrrp {

/// What can happen, already judged against configuration and timers.
enum class Event : std::uint8_t {
  kStart,
  kStartAsOwner,
  kStartAtFault,
  kHeardRelease,   ///< Priority 0.
  kHeardMaster,    ///< BACKUP: one to respect. MASTER: one that beats us.
  kHeardLower,     ///< One that we beat.
  kHeardYielding,  ///< The same, but that we have just preempted: it is on its way out.
  kMasterDown,     ///< The timer expired and we may take over.
  kSuccession,     ///< The timer that a priority 0 had shortened expired.
  kMasterLost,     ///< Somebody else (BFD) knows that the master has died.
  kMasterDownAsk,  ///< Either of them in a sync group, which has to agree.
  kGroupAgreed,
  kGroupLeft,
  kHandedOver,       ///< The master was asked to leave, and its successor speaks.
  kGroupHandedOver,  ///< The same, but the one who speaks is that of another member.
  kAdvertDue,
  kLeaseLapsed,
  kUnsent,  ///< The lease ends because our adverts do not leave.
  kFault,
  kFaultCleared,
  kFaultClearedOwner,
  kStop,
};
inline constexpr std::size_t kEventCount = 22;

/// What to do besides changing state.
enum class Effect : std::uint8_t {
  kNone,
  kFollowMaster,    ///< Whole master-down interval again, learn the master.
  kAwaitSuccessor,  ///< Timer := skew.
  kAdvertise,       ///< Send our advert, renew the lease.
  kWinBack,         ///< The same, and gratuitous ARP.
  kForceElection,   ///< The same, the advert only if it is configured.
  kHasten,          ///< Timer := skew, in terms of who knows.
  kAskGroup,
  kSayRelease,  ///< While leaving: priority 0.
  kYield,       ///< While leaving: one more advert if configured, learn the master.
  kListen,      ///< While leaving: the next timer is a whole one, and no word.
};
inline constexpr std::size_t kEffectCount = 10;

struct Step {
  State from = State::kInit;
  State to = State::kInit;
  Effect effect = Effect::kNone;
  Reason reason = Reason::kNone;
};

Step step(State state, Event event);

}  // namespace keepline::vrrp
