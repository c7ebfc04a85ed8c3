// The connections of one worker and one family: a fixed pool of entries, an index and expiry
// lists.
//
// PURE, single writer (its worker), no allocation after construction. Memory is reserved at
// construction and touched only as it is used. One index slot serves both directions, because
// the index is keyed by the client's endpoint, which both carry; FULLNAT's answers do not,
// and have a slot of their own. Time is a count of seconds given by the caller.
#pragma once

#include <utility>

#include "dataplane/lb/conn/connection.h"
#include "dataplane/lb/conn/connection_index.h"
#include "dataplane/lb/conn/expiry_lists.h"
#include "dataplane/lb/lazy_array.h"
#include "dataplane/net/flow.h"

namespace keepline::lb {

template <typename F>
class ConnectionTable {
 public:
  using Entry = Connection<F>;
  static constexpr std::uint32_t kNone = ConnectionIndex::kNone;
  static constexpr std::size_t kMaxCapacity = 1u << 30;

  struct Config {
    std::size_t capacity = 1'000'000;
    std::size_t half_open_limit = 250'000;  ///< Entries that nobody has answered yet.
    std::uint64_t hash_key = 0;             ///< See net::client_hash.
    bool two_ended = false;                 ///< Room in the index for a second slot each.
  };

  /// `now_s` is the pipeline clock's present second.
  ConnectionTable(const Config& config, std::uint32_t now_s);
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  std::uint64_t hash_of(const typename F::Address& client, net::be16 port,
                        net::Protocol protocol) const {
    return net::client_hash(client, port, protocol, hash_key_);
  }

  /// Of an answer to an address of FULLNAT: many servers share each of those ends.
  std::uint64_t answer_hash(const FlowKey<F>& answer) const {
    return hash_of(answer.destination, answer.destination_port, answer.protocol) ^
           hash_of(answer.source, answer.source_port, answer.protocol);
  }

  // A burst is looked up in three passes, each of which waits for memory that the one before has
  // asked for: prefetch(), candidate(), then the entry itself.
  void prefetch(std::uint64_t hash) const { index_.prefetch(hash); }
  /// Number of the entry that is probably the one, on its way into the cache; or kNone.
  std::uint32_t candidate(std::uint64_t hash) const {
    const std::uint32_t number = index_.candidate(hash);
    if (number == kNone) return kNone;
    const auto* lines = reinterpret_cast<const char*>(&entries_[number]);
    __builtin_prefetch(lines, 1);
    if constexpr (sizeof(Entry) > 64) __builtin_prefetch(lines + 64, 1);
    return number;
  }
  Entry& operator[](std::uint32_t number) { return entries_[number]; }
  std::uint32_t number_of(const Entry& entry) const {
    return static_cast<std::uint32_t>(&entry - entries_.data());
  }

  Entry* find(std::uint64_t hash, const FlowKey<F>& key, Direction direction) {
    return const_cast<Entry*>(std::as_const(*this).find(hash, key, direction));
  }
  const Entry* find(std::uint64_t hash, const FlowKey<F>& key, Direction direction) const {
    const std::uint32_t number =
        index_.find(hash, [&](std::uint32_t at) { return entries_[at].matches(key, direction); });
    return number == kNone ? nullptr : &entries_[number];
  }

  /// A new entry, zero but for `protocol`, in no expiry list and not indexed before the caller has
  /// filled in the addresses and called file(); nullptr when the table is full.
  Entry* take(net::Protocol protocol);
  enum class File : std::uint8_t { kDone, kFull };
  /// Puts a taken and filled entry into the index (under `hash`) and the expiry lists. When the
  /// index is full the entry is given back.
  File file(Entry& entry, std::uint64_t hash, std::uint32_t expires_s);

  /// Whether the entry is in the wheel: with the same state and a later deadline it may stay there.
  static bool is_settled(const Entry& entry) { return Lists::is_in_wheel(entry); }
  /// Sets a new deadline, after a packet: cheap for what is and stays established.
  void settle(Entry& entry, std::uint32_t expires_s);
  void remove(Entry& entry);

  /// Looks at no more than `limit` entries and calls `on_expired(Entry&)` before each removal,
  /// which a later deadline prevents.
  template <typename OnExpired>
  void expire(std::uint32_t now_s, std::size_t limit, OnExpired&& on_expired) {
    expiry_.expire(now_s, limit, [&](std::uint32_t number) {
      Entry& entry = entries_[number];
      on_expired(entry);
      if (entry.expires_s <= now_s) return remove(entry);
      expiry_.unlink(number);
      file_by_state(entry);
    });
  }

  /// Whether a further half-open entry would exceed their share.
  bool half_open_full() const { return expiry_.half_open() >= half_open_limit_; }
  std::size_t half_open() const { return expiry_.half_open(); }
  /// The half-open entry to give up first; nullptr when there is none.
  Entry* oldest_half_open() {
    const std::uint32_t number = expiry_.oldest_half_open();
    return number == kNone ? nullptr : &entries_[number];
  }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return entries_.size(); }
  /// Bytes of memory per connection at capacity, index included.
  std::size_t bytes_per_connection() const {
    return (entries_.size() * sizeof(Entry) + index_.bytes() + entries_.size() - 1) /
           entries_.size();
  }
  /// Percent of the index slots that are in use at capacity.
  std::size_t index_load_percent() const { return 100 * entries_.size() / index_.slots(); }

  /// Entry by position, for listing in pieces: nullptr where nothing is. Positions reach from 0
  /// to high_water().
  const Entry* at(std::size_t position) const {
    return position < high_water_ && entries_[position].in_use() ? &entries_[position] : nullptr;
  }
  std::size_t high_water() const { return high_water_; }

 private:
  using Lists = ExpiryLists<Entry>;
  static_assert(Lists::kNil == kNone);

  std::uint64_t hash_of(const Entry& entry) const {
    return hash_of(entry.client, entry.client_port, entry.protocol);
  }
  std::uint64_t answer_hash_of(const Entry& entry) const {
    return answer_hash(
        {entry.real, entry.local, entry.real_port, entry.local_port, entry.protocol});
  }
  void file_by_state(Entry& entry);
  void give_back(Entry& entry);

  std::uint64_t hash_key_;
  std::size_t half_open_limit_;
  LazyArray<Entry> entries_;
  ConnectionIndex index_;
  Lists expiry_;
  std::size_t size_ = 0;
  std::size_t high_water_ = 0;       // entries below this have been used at least once
  std::uint32_t free_head_ = kNone;  // given back ones, linked through `next`
};

}  // namespace keepline::lb
