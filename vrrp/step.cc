#include "vrrp/step.h"

#include <array>

namespace keepline::vrrp {

namespace {

struct Row {
  State from;
  Event event;
  State to;
  Effect effect;
  Reason reason;
};

using S = State;
using E = Event;
using F = Effect;
using R = Reason;

// References: "9568" is RFC 9568, for version 2 the same clauses are RFC 3768 §6.4.1 - §6.4.3.
// FAULT is keepalived's: an Initialize state that a start-up event has not left yet.
constexpr std::array kRows = {
    // 9568 §6.4.1, 3768 §6.4.1. The owner transmits at once, others listen.
    Row{S::kInit, E::kStart, S::kBackup, F::kNone, R::kStarted},
    Row{S::kInit, E::kStartAsOwner, S::kMaster, F::kNone, R::kOwner},
    Row{S::kInit, E::kStartAtFault, S::kFault, F::kNone, R::kFault},

    // 9568 §6.4.2, 3768 §6.4.2. A priority 0 lets the successor start after its skew.
    Row{S::kBackup, E::kHeardRelease, S::kBackup, F::kAwaitSuccessor, R::kNone},
    // 9568 §6.4.2: Preempt_Mode false, or priority not lower than ours.
    Row{S::kBackup, E::kHeardMaster, S::kBackup, F::kFollowMaster, R::kNone},
    // 9568 §6.4.2: else discard the advert; the timer goes on.
    Row{S::kBackup, E::kHeardLower, S::kBackup, F::kNone, R::kNone},
    // 9568 §6.4.2: Active_Down_Timer fires.
    Row{S::kBackup, E::kMasterDown, S::kMaster, F::kNone, R::kMasterDown},
    Row{S::kBackup, E::kSuccession, S::kMaster, F::kNone, R::kMasterReleased},
    // No RFC: who takes over is decided by the timer as ever, but a shorter one.
    Row{S::kBackup, E::kMasterLost, S::kBackup, F::kHasten, R::kNone},
    // Sync group: the timer only makes a wish.
    Row{S::kBackup, E::kMasterDownAsk, S::kBackup, F::kAskGroup, R::kNone},
    Row{S::kBackup, E::kGroupAgreed, S::kMaster, F::kNone, R::kGroupAgreed},
    Row{S::kBackup, E::kFault, S::kFault, F::kNone, R::kFault},
    // 9568 §6.4.2: a Shutdown event; nothing is said.
    Row{S::kBackup, E::kStop, S::kInit, F::kNone, R::kStopped},

    // 9568 §6.4.3: Adver_Timer fires.
    Row{S::kMaster, E::kAdvertDue, S::kMaster, F::kAdvertise, R::kNone},
    // 9568 §6.4.3: priority 0 is answered at once, so that other backups keep waiting.
    Row{S::kMaster, E::kHeardRelease, S::kMaster, F::kWinBack, R::kNone},
    // 9568 §6.4.3: lower priority, or equal and a lower address: "forcing new election".
    Row{S::kMaster, E::kHeardLower, S::kMaster, F::kForceElection, R::kNone},
    // 9568 §6.4.3: higher priority, or equal and a higher address.
    Row{S::kMaster, E::kHeardMaster, S::kBackup, F::kYield, R::kHigherPriority},
    // Sync group: one left, all leave; peers of the others hear of it by their own timers.
    Row{S::kMaster, E::kGroupLeft, S::kBackup, F::kNone, R::kGroupLeft},
    // No RFC: make before break, the goodbye was said and a successor heard (speaker.h).
    Row{S::kMaster, E::kHandedOver, S::kBackup, F::kYield, R::kHandedOver},
    Row{S::kMaster, E::kGroupHandedOver, S::kBackup, F::kNone, R::kHandedOver},
    // No RFC: the node was stopped for so long that a peer may be master.
    Row{S::kMaster, E::kLeaseLapsed, S::kBackup, F::kListen, R::kTimeJump},
    // No RFC: nobody hears us, so that a peer is master, or will be.
    Row{S::kMaster, E::kUnsent, S::kBackup, F::kListen, R::kUnsent},
    // 9568 §6.4.3: a Shutdown event says priority 0; a fault is one.
    Row{S::kMaster, E::kFault, S::kFault, F::kSayRelease, R::kFault},
    Row{S::kMaster, E::kStop, S::kInit, F::kSayRelease, R::kStopped},

    // 9568 §6.4.1 again, for a start that had to wait.
    Row{S::kFault, E::kFaultCleared, S::kBackup, F::kNone, R::kFaultCleared},
    Row{S::kFault, E::kFaultClearedOwner, S::kMaster, F::kNone, R::kOwner},
    Row{S::kFault, E::kStop, S::kInit, F::kNone, R::kStopped},
};

}  // namespace

Step step(State state, Event event) {
  for (const Row& row : kRows) {
    if (row.from == state && row.event == event) {
      return {row.from, row.to, row.effect, row.reason};
    }
  }
  return {state, state, Effect::kNone, Reason::kNone};
}

}  // namespace keepline::vrrp
