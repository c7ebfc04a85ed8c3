// Mastership as a lease: which VIPs a worker may speak for right now.
//
// PURE apart from atomics. The control thread grants and revokes; every worker reads, and says
// when it hears that another node is about to come. A lease has
// a deadline that control renews with each advert, so a wedged control thread, a SIGSTOP or a
// paused machine silences the dataplane as well as the adverts. Times are ticks of one clock that
// all threads share (the TSC in production, anything in tests).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace keepline::lb {

/// Slot of a VRRP instance's lease; VIPs outside VRRP are always ours, and an address that is no
/// VIP (any more) never is.
using LeaseSlot = std::uint16_t;
inline constexpr LeaseSlot kAlwaysOurs = 0xffff;
inline constexpr LeaseSlot kNeverOurs = 0xfffe;
inline constexpr std::size_t kMaxLeases = 1024;

class LeaseTable {
 public:
  /// For so long after it began or was shared, and from mute() on, a lease is in other hands as
  /// well: packets of one flow may pass either node, seconds.
  static constexpr std::uint64_t kHandover_s = 3;
  /// For so long after that clients come with flows that another node began, seconds.
  static constexpr std::uint64_t kInherit_s = 120;

  explicit LeaseTable(std::uint64_t ticks_per_s) : ticks_per_s_(ticks_per_s) {}

  /// Lets workers act for the slot from `now` until `until`; muted, they answer no ARP. Control
  /// thread only.
  void grant(LeaseSlot slot, std::uint64_t now, std::uint64_t until, bool muted = false) {
    Lease& lease = leases_[slot];
    // One that was muted was in other hands until now.
    const bool was_muted = lease.muted.load(std::memory_order_relaxed);
    if (now >= lease.until.load(std::memory_order_relaxed) || (was_muted && !muted)) {
      lease.shared.store(now, std::memory_order_relaxed);
    }
    lease.muted.store(muted, std::memory_order_relaxed);
    lease.granted.store(now, std::memory_order_relaxed);
    lease.until.store(until, std::memory_order_release);
  }
  /// Ends the answering of ARP, not the forwarding; until the next grant. Control thread only.
  void mute(LeaseSlot slot) { leases_[slot].muted.store(true, std::memory_order_release); }
  /// Another node is about to act for the slot as well. Any thread.
  void share(LeaseSlot slot, std::uint64_t now) {
    leases_[slot].shared.store(now, std::memory_order_relaxed);
  }
  /// Silences the slot at once. Control thread only.
  void revoke(LeaseSlot slot) { leases_[slot].until.store(0, std::memory_order_release); }

 private:
  friend class LeaseView;
  struct Lease {
    std::atomic<std::uint64_t> granted{0};
    std::atomic<std::uint64_t> until{0};
    std::atomic<std::uint64_t> shared{0};  ///< When it began is a time at which it was, too.
    std::atomic<bool> muted{false};
  };
  const std::uint64_t ticks_per_s_;
  std::array<Lease, kMaxLeases> leases_;
};

/// One worker's look at the leases during one turn of its loop.
class LeaseView {
 public:
  /// `resumed` is when this worker last came back after a gap of `gap` ticks without running.
  LeaseView(LeaseTable& table, std::uint64_t now, std::uint64_t resumed, std::uint64_t gap)
      : table_(&table), now_(now), resumed_(resumed), gap_(gap) {}

  /// Whether frames for the slot may be answered and forwarded. False too when this worker slept
  /// through the lease's whole length and control has not renewed it since: what then lies in
  /// the receive ring is old, and the peer may have taken over meanwhile.
  bool holds(LeaseSlot slot) const {
    if (slot >= kMaxLeases) return slot == kAlwaysOurs;
    const auto& lease = table_->leases_[slot];
    const std::uint64_t until = lease.until.load(std::memory_order_acquire);
    if (now_ >= until) return false;
    const std::uint64_t granted = lease.granted.load(std::memory_order_relaxed);
    return granted >= resumed_ || until - granted > gap_;
  }

  /// Whether ARP is to be answered.
  bool answers(LeaseSlot slot) const {
    if (slot == kAlwaysOurs) return true;
    return holds(slot) && !is_muted(slot);
  }

  /// Whether the slot has a successor, whom ARP is left to.
  bool is_muted(LeaseSlot slot) const {
    return slot < kMaxLeases && table_->leases_[slot].muted.load(std::memory_order_acquire);
  }
  /// Whether another node forwards for the slot as well, or did a moment ago.
  bool changes_hands(LeaseSlot slot) const {
    return slot < kMaxLeases && (is_shared(slot, LeaseTable::kHandover_s) || is_muted(slot));
  }
  /// See LeaseTable::share; of a slot that is held.
  void share(LeaseSlot slot) const {
    if (slot < kMaxLeases) table_->share(slot, now_);
  }
  /// Whether flows may come that another node began.
  bool inherits(LeaseSlot slot) const {
    return slot < kMaxLeases && is_shared(slot, LeaseTable::kInherit_s);
  }

 private:
  bool is_shared(LeaseSlot slot, std::uint64_t age_s) const {
    const std::uint64_t since = table_->leases_[slot].shared.load(std::memory_order_relaxed);
    return now_ < since + age_s * table_->ticks_per_s_;
  }

  LeaseTable* table_;
  std::uint64_t now_;
  std::uint64_t resumed_;
  std::uint64_t gap_;
};

}  // namespace keepline::lb
