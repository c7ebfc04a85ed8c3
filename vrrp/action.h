// What an instance wants done. The machine decides, the driver (control) carries out, in order.
//
// PURE values. The order of actions is part of the contract; see Instance::poll_action.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "dataplane/net/addr.h"
#include "vrrp/types.h"

namespace keepline::vrrp {

/// Why the state changed.
enum class Reason : std::uint8_t {
  kNone,
  kStarted,         ///< start() without faults.
  kOwner,           ///< Priority 255 does not wait.
  kMasterDown,      ///< No advert for the master-down interval.
  kMasterReleased,  ///< The master announced priority 0, and its skew is over.
  kHigherPriority,  ///< A better master: higher priority, or equal and a higher address.
  kGroupAgreed,     ///< Every member of the sync group wants to be master.
  kGroupLeft,       ///< Another member of the sync group is no longer master.
  kTimeJump,        ///< The lease ran out before control was here again.
  kUnsent,          ///< No advert could be sent for a lease, or not the first one.
  kFault,           ///< A fault cause appeared (Instance::faults says which).
  kFaultCleared,    ///< The last fault cause is gone.
  kStopped,
  kHandedOver,  ///< As it was asked to, to a successor.
};
inline constexpr std::size_t kReasonCount = 14;

enum class GarpReason : std::uint8_t { kBecameMaster, kLowerPriorityAdvert, kVipsChanged };

/// Encode (encode_advert) and send at once. Only a master, or one that is just leaving, is ever
/// asked to, so the frame carries the virtual MAC if there is one.
struct SendAdvert {
  std::uint8_t priority = 0;
};
/// Answer for the VIPs in the dataplane and wait until every worker has the flag; the kernel's
/// addresses follow when there is time. Idempotent.
struct AcquireVips {};
/// The reverse: silence first, then the kernel's addresses.
struct ReleaseVips {};
/// Workers may act for this instance until then.
struct GrantLease {
  std::int64_t until_us = 0;
};
struct RevokeLease {};
/// A successor speaks: instead of RevokeLease and ReleaseVips at once, forward for a moment what is
/// still on its way here.
struct Linger {
  /// Whether this instance's own successor was heard, so that ARP is to be answered no more.
  bool is_succeeded = false;
};
struct StartGarpBurst {
  GarpReason reason = GarpReason::kBecameMaster;
};
/// The member of a sync group would become master; evaluate the group (sync_group.h).
struct WantMaster {};
struct StateChanged {
  State from = State::kInit;
  State to = State::kInit;
  Reason reason = Reason::kNone;
};

/// Events for the log. All but kLowerPriorityAdvert come once per master and state.
enum class NoticeKind : std::uint8_t {
  kLowerPriorityAdvert,  ///< While MASTER: somebody worse believes to be master.
  kIntervalMismatch,     ///< Version 3: learned; version 2: the advert was dropped.
  kAddressListMismatch,  ///< The advert was used nevertheless.
  kRejected,
  kOwnerConflict,  ///< Two nodes with priority 255.
  kPaused,         ///< This BACKUP had not been running; it listens before it speaks.
  kUnsigned,       ///< auth_hmac: no trailer, but the mode takes such an advert.
  kClockApart,     ///< auth_hmac: used, but its time is more than half the window away.
};
struct Notice {
  NoticeKind kind = NoticeKind::kRejected;
  Reject reject = Reject::kIpHeader;  ///< With kRejected and kIntervalMismatch of version 2.
  net::IpAddr from;
  std::uint8_t priority = 0;
  std::int64_t interval_us = 0;  ///< kIntervalMismatch: theirs. kPaused: how long. kClockApart: by.
};

using Action = std::variant<SendAdvert, AcquireVips, ReleaseVips, GrantLease, RevokeLease, Linger,
                            StartGarpBurst, WantMaster, StateChanged, Notice>;

/// One verb emits at most this many: leaving MASTER by a time jump and then judging an advert
/// makes 3 + 4, stopping or becoming master 5. Twice that, so that a driver may be one verb late.
inline constexpr std::size_t kActionLimit = 16;

/// A ring of actions. When it is full the new one is refused; the instance counts that. Losing
/// one is survivable: a lost RevokeLease or ReleaseVips is covered by the lease's own end.
class ActionQueue {
 public:
  enum class Push : std::uint8_t { kQueued, kFull };

  Push push(Action action) {
    if (size_ == kActionLimit) return Push::kFull;
    ring_[(head_ + size_) % kActionLimit] = std::move(action);
    ++size_;
    return Push::kQueued;
  }
  std::optional<Action> pop() {
    if (size_ == 0) return std::nullopt;
    Action action = std::move(ring_[head_]);
    head_ = (head_ + 1) % kActionLimit;
    --size_;
    return action;
  }
  bool empty() const { return size_ == 0; }

 private:
  std::array<Action, kActionLimit> ring_{};
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace keepline::vrrp
