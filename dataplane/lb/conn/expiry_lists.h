// When connections are to be looked at: a wheel for those that are established, and a queue each
// for half-open TCP and unanswered UDP ones.
//
// PURE, single writer. Lists run through the entries themselves. The wheel has a slot per second;
// an entry that was used since it was filed is filed again when its slot comes round, so a packet
// costs no wheel work. Within a queue all entries have the same lifetime and the newest is in
// front, so the last one is the oldest and the next to expire.
#pragma once

#include <algorithm>
#include <cstdint>

namespace keepline::lb {

/// `Entry` has next, previous, expiry_list and expires_s; `entries` outlives this.
template <typename Entry>
class ExpiryLists {
 public:
  static constexpr std::uint32_t kNil = 0xffffffff;  ///< No entry.
  static constexpr std::uint16_t kNotFiled = 0xffff;
  static constexpr std::uint16_t kWheelSlots = 1024;  ///< Seconds until a slot comes round again.
  static constexpr std::uint16_t kHalfOpenTcp = kWheelSlots;
  static constexpr std::uint16_t kHalfOpenUdp = kWheelSlots + 1;

  ExpiryLists(Entry* entries, std::uint32_t now_s) : entries_(entries), now_s_(now_s) {}

  static bool is_in_wheel(const Entry& entry) { return entry.expiry_list < kWheelSlots; }
  static bool is_half_open(const Entry& entry) {
    return entry.expiry_list == kHalfOpenTcp || entry.expiry_list == kHalfOpenUdp;
  }

  /// Files an entry of the wheel by its expires_s.
  void file(std::uint32_t number) {
    // Never into the slot that is being emptied; a deadline beyond the wheel's reach is looked at
    // again when its last slot comes round.
    const std::uint32_t due_s =
        std::clamp(entries_[number].expires_s, now_s_ + 1, now_s_ + kWheelSlots - 1u);
    push(number, static_cast<std::uint16_t>(due_s % kWheelSlots));
  }
  /// Files an entry in front of one of the queues.
  void file_half_open(std::uint32_t number, std::uint16_t queue) {
    push(number, queue);
    ++queued_[queue - kWheelSlots];
  }
  void unlink(std::uint32_t number) {
    Entry& entry = entries_[number];
    if (entry.expiry_list == kNotFiled) return;
    List& list = lists_[entry.expiry_list];
    (entry.previous == kNil ? list.head : entries_[entry.previous].next) = entry.next;
    (entry.next == kNil ? list.tail : entries_[entry.next].previous) = entry.previous;
    if (entry.expiry_list >= kWheelSlots) --queued_[entry.expiry_list - kWheelSlots];
    entry.expiry_list = kNotFiled;
  }

  std::size_t half_open() const { return queued_[0] + queued_[1]; }
  /// The oldest entry of the longer queue: of the kind that there is too much of.
  std::uint32_t oldest_half_open() const {
    return lists_[queued_[0] >= queued_[1] ? kHalfOpenTcp : kHalfOpenUdp].tail;
  }

  /// Looks at no more than `limit` entries that may be due at `now_s` and calls
  /// `on_due(number)`, which has to remove the entry, for those that are.
  template <typename OnDue>
  void expire(std::uint32_t now_s, std::size_t limit, OnDue&& on_due) {
    for (const std::uint16_t queue : {kHalfOpenTcp, kHalfOpenUdp}) {
      while (lists_[queue].tail != kNil && entries_[lists_[queue].tail].expires_s <= now_s) {
        if (limit-- == 0) return;
        on_due(lists_[queue].tail);
      }
    }
    // After a long pause (and at the start of a clock that is not near zero) every slot is due:
    // one round of the wheel finds all, however long the pause was.
    if (now_s > now_s_ && now_s - now_s_ > kWheelSlots) now_s_ = now_s - kWheelSlots;
    while (true) {
      List& slot = lists_[now_s_ % kWheelSlots];
      while (slot.head != kNil) {
        if (limit-- == 0) return;
        const std::uint32_t number = slot.head;
        if (entries_[number].next != kNil) __builtin_prefetch(&entries_[entries_[number].next]);
        if (entries_[number].expires_s <= now_s) {
          on_due(number);
        } else {
          unlink(number);
          file(number);
        }
      }
      if (now_s_ >= now_s) return;
      ++now_s_;
    }
  }

 private:
  struct List {
    std::uint32_t head = kNil;
    std::uint32_t tail = kNil;
  };

  void push(std::uint32_t number, std::uint16_t to) {
    Entry& entry = entries_[number];
    List& list = lists_[to];
    entry.expiry_list = to;
    entry.previous = kNil;
    entry.next = list.head;
    (list.head == kNil ? list.tail : entries_[list.head].previous) = number;
    list.head = number;
  }

  Entry* entries_;
  std::uint32_t now_s_;  // the second whose slot is being emptied
  List lists_[kWheelSlots + 2];
  std::size_t queued_[2] = {0, 0};
};

}  // namespace keepline::lb
