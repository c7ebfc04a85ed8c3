// The connections of one worker: a fixed pool of entries, an index, and an expiry wheel.
//
// PURE, single writer (its worker), no allocation after construction. Memory is reserved at
// construction and touched only as it is used. One index slot serves both directions, because
// the index is keyed by the client's endpoint, which both carry. Buckets of 8 slots with 16-bit
// tags, two choices per key, sized for a load of one half; a key whose two buckets are full is
// refused (kTableFull), nothing is evicted.
//
// Time is a count of seconds given by the caller. The wheel has a slot per second; an entry that
// was used since it was filed is filed again when its slot comes round, so a packet costs no
// wheel work.
#pragma once

#include <memory>
#include <span>

#include "dataplane/lb/conn/connection.h"

namespace keepline::lb {

class ConnectionTable {
 public:
  /// Entry index that means "none".
  static constexpr std::uint32_t kNil = 0xffffffff;
  static constexpr std::size_t kMaxCapacity = 1u << 30;

  /// `now_s` is the pipeline clock's present second.
  ConnectionTable(std::size_t capacity, std::uint32_t now_s);
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// Brings the bucket of `hash` into the cache before find().
  void prefetch(std::uint64_t hash) const;
  Connection* find(std::uint64_t hash, const FlowKey& key, Direction direction);

  /// A new zeroed entry filed under `hash`, to expire at `expires_s`; nullptr when full. The
  /// caller fills in the addresses before the next find().
  Connection* insert(std::uint64_t hash, std::uint32_t expires_s);

  /// Sets a new deadline. Cheap when it moves away from now; refiles when it comes nearer.
  void set_expiry(Connection& connection, std::uint32_t expires_s);

  void remove(Connection& connection);

  /// Advances the wheel towards `now_s`, looking at no more than `limit` entries, and calls
  /// `on_expired(Connection&)` before each removal.
  template <typename OnExpired>
  void expire(std::uint32_t now_s, std::size_t limit, OnExpired&& on_expired);

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  /// Bytes of memory per connection at capacity, index included.
  std::size_t bytes_per_connection() const;

  /// Entry by position, for listing in pieces: nullptr where nothing is. Positions reach from 0
  /// to high_water().
  const Connection* at(std::size_t position) const;
  std::size_t high_water() const { return high_water_; }

 private:
  static constexpr std::size_t kSlotsPerBucket = 8;
  static constexpr std::size_t kWheelSlots = 1024;  // seconds until a slot comes round again

  struct Bucket {
    std::uint16_t tags[kSlotsPerBucket];
    std::uint32_t entries[kSlotsPerBucket];  // entry index + 1; 0 = free
  };
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(void* memory) const;
  };
  template <typename T>
  using Array = std::unique_ptr<T[], Unmap>;
  template <typename T>
  static Array<T> reserve(std::size_t count);

  static std::uint16_t tag_of(std::uint64_t hash) { return static_cast<std::uint16_t>(hash >> 32); }
  std::size_t first_bucket(std::uint32_t hash_low) const { return hash_low & bucket_mask_; }
  std::size_t other_bucket(std::size_t bucket, std::uint16_t tag) const;
  std::uint32_t take_entry();
  bool put_index(std::uint64_t hash, std::uint32_t entry);
  void drop_index(const Connection& connection, std::uint32_t entry);
  void wheel_link(std::uint32_t entry);
  void wheel_unlink(std::uint32_t entry);
  std::uint32_t index_of(const Connection& connection) const {
    return static_cast<std::uint32_t>(&connection - entries_.get());
  }

  std::size_t capacity_;
  std::size_t bucket_mask_;
  std::size_t size_ = 0;
  std::size_t high_water_ = 0;      // entries below this have been used at least once
  std::uint32_t free_head_ = kNil;  // freed entries, linked through wheel_next
  std::uint32_t wheel_now_s_;       // the second whose slot is being emptied
  Array<Connection> entries_;
  Array<Bucket> buckets_;
  std::uint32_t wheel_[kWheelSlots];
};

template <typename OnExpired>
void ConnectionTable::expire(std::uint32_t now_s, std::size_t limit, OnExpired&& on_expired) {
  // After a long pause (and at the start of a clock that is not near zero) every slot is due: one
  // round of the wheel finds all, however long the pause was.
  constexpr auto kRound = static_cast<std::uint32_t>(kWheelSlots);
  if (now_s > wheel_now_s_ && now_s - wheel_now_s_ > kRound) wheel_now_s_ = now_s - kRound;
  while (true) {
    std::uint32_t entry = wheel_[wheel_now_s_ % kWheelSlots];
    while (entry != kNil) {
      if (limit-- == 0) return;
      Connection& connection = entries_[entry];
      wheel_unlink(entry);
      if (connection.expires_s <= now_s) {
        on_expired(connection);
        remove(connection);
      } else {
        wheel_link(entry);
      }
      entry = wheel_[wheel_now_s_ % kWheelSlots];
    }
    if (wheel_now_s_ >= now_s) return;
    ++wheel_now_s_;
  }
}

}  // namespace keepline::lb
