#include "dataplane/lb/conn/connection_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

namespace keepline::lb {

namespace {

constexpr std::uint16_t kNotFiled = 0xffff;  // wheel_slot of an entry that is in no list

}  // namespace

void ConnectionTable::Unmap::operator()(void* memory) const {
  munmap(memory, bytes);
}

// Anonymous memory is zero and costs nothing until it is touched; a table for ten million
// connections starts as fast as one for ten.
template <typename T>
ConnectionTable::Array<T> ConnectionTable::reserve(std::size_t count) {
  const std::size_t bytes = count * sizeof(T);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return Array<T>(static_cast<T*>(memory), Unmap{bytes});
}

ConnectionTable::ConnectionTable(std::size_t capacity, std::uint32_t now_s)
    : capacity_(std::clamp<std::size_t>(capacity, 1, kMaxCapacity)),
      bucket_mask_(std::bit_ceil(2 * capacity_ / kSlotsPerBucket + 1) - 1),
      wheel_now_s_(now_s),
      entries_(reserve<Connection>(capacity_)),
      buckets_(reserve<Bucket>(bucket_mask_ + 1)) {
  std::fill(std::begin(wheel_), std::end(wheel_), kNil);
}

ConnectionTable::~ConnectionTable() = default;

std::size_t ConnectionTable::bytes_per_connection() const {
  return sizeof(Connection) + (bucket_mask_ + 1) * sizeof(Bucket) / capacity_;
}

std::size_t ConnectionTable::other_bucket(std::size_t bucket, std::uint16_t tag) const {
  // An involution: from either bucket it leads to the other one.
  return bucket ^ ((std::size_t{tag} * 0x5bd1e995 + 1) & bucket_mask_);
}

void ConnectionTable::prefetch(std::uint64_t hash) const {
  __builtin_prefetch(&buckets_[first_bucket(static_cast<std::uint32_t>(hash))]);
}

Connection* ConnectionTable::find(std::uint64_t hash, const FlowKey& key, Direction direction) {
  const std::uint16_t tag = tag_of(hash);
  std::size_t at = first_bucket(static_cast<std::uint32_t>(hash));
  for (int choice = 0; choice < 2; ++choice, at = other_bucket(at, tag)) {
    const Bucket& bucket = buckets_[at];
    for (std::size_t i = 0; i < kSlotsPerBucket; ++i) {
      if (bucket.tags[i] != tag || bucket.entries[i] == 0) continue;
      Connection& connection = entries_[bucket.entries[i] - 1];
      if (connection.matches(key, direction)) return &connection;
    }
  }
  return nullptr;
}

std::uint32_t ConnectionTable::take_entry() {
  if (free_head_ != kNil) {
    const std::uint32_t entry = free_head_;
    free_head_ = entries_[entry].wheel_next;
    return entry;
  }
  if (high_water_ == capacity_) return kNil;
  return static_cast<std::uint32_t>(high_water_++);
}

bool ConnectionTable::put_index(std::uint64_t hash, std::uint32_t entry) {
  const std::uint16_t tag = tag_of(hash);
  const std::size_t first = first_bucket(static_cast<std::uint32_t>(hash));
  const std::size_t second = other_bucket(first, tag);
  const auto free_slots = [this](std::size_t at) {
    return std::count(std::begin(buckets_[at].entries), std::end(buckets_[at].entries), 0u);
  };
  Bucket& bucket = buckets_[free_slots(first) >= free_slots(second) ? first : second];
  auto* slot = std::find(std::begin(bucket.entries), std::end(bucket.entries), 0u);
  if (slot == std::end(bucket.entries)) return false;
  bucket.tags[slot - bucket.entries] = tag;
  *slot = entry + 1;
  return true;
}

Connection* ConnectionTable::insert(std::uint64_t hash, std::uint32_t expires_s) {
  const std::uint32_t entry = take_entry();
  if (entry == kNil) return nullptr;
  Connection& connection = entries_[entry];
  if (!put_index(hash, entry)) {
    connection.wheel_next = free_head_;
    free_head_ = entry;
    return nullptr;
  }
  connection = Connection{};
  connection.in_use = true;
  connection.hash_low = static_cast<std::uint32_t>(hash);
  connection.hash_tag = tag_of(hash);
  connection.wheel_slot = kNotFiled;
  connection.expires_s = expires_s;
  wheel_link(entry);
  ++size_;
  return &connection;
}

void ConnectionTable::set_expiry(Connection& connection, std::uint32_t expires_s) {
  const bool nearer = expires_s < connection.expires_s;
  connection.expires_s = expires_s;
  if (!nearer) return;
  const std::uint32_t entry = index_of(connection);
  wheel_unlink(entry);
  wheel_link(entry);
}

void ConnectionTable::drop_index(const Connection& connection, std::uint32_t entry) {
  const std::size_t first = first_bucket(connection.hash_low);
  for (const std::size_t at : {first, other_bucket(first, connection.hash_tag)}) {
    for (std::uint32_t& slot : buckets_[at].entries) {
      if (slot != entry + 1) continue;
      slot = 0;
      return;
    }
  }
}

void ConnectionTable::remove(Connection& connection) {
  const std::uint32_t entry = index_of(connection);
  drop_index(connection, entry);
  wheel_unlink(entry);
  connection.in_use = false;
  connection.wheel_next = free_head_;
  free_head_ = entry;
  --size_;
}

void ConnectionTable::wheel_link(std::uint32_t entry) {
  Connection& connection = entries_[entry];
  // Never into the slot that is being emptied; a deadline beyond the wheel's reach is looked at
  // again when its last slot comes round.
  const std::uint32_t due_s =
      std::clamp(connection.expires_s, wheel_now_s_ + 1,
                 wheel_now_s_ + static_cast<std::uint32_t>(kWheelSlots) - 1);
  const auto slot = static_cast<std::uint16_t>(due_s % kWheelSlots);
  connection.wheel_slot = slot;
  connection.wheel_prev = kNil;
  connection.wheel_next = wheel_[slot];
  if (wheel_[slot] != kNil) entries_[wheel_[slot]].wheel_prev = entry;
  wheel_[slot] = entry;
}

void ConnectionTable::wheel_unlink(std::uint32_t entry) {
  Connection& connection = entries_[entry];
  if (connection.wheel_slot == kNotFiled) return;
  if (connection.wheel_prev == kNil) {
    wheel_[connection.wheel_slot] = connection.wheel_next;
  } else {
    entries_[connection.wheel_prev].wheel_next = connection.wheel_next;
  }
  if (connection.wheel_next != kNil) {
    entries_[connection.wheel_next].wheel_prev = connection.wheel_prev;
  }
  connection.wheel_slot = kNotFiled;
}

const Connection* ConnectionTable::at(std::size_t position) const {
  if (position >= high_water_ || !entries_[position].in_use) return nullptr;
  return &entries_[position];
}

}  // namespace keepline::lb
