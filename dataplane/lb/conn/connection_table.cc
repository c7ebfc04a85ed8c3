#include "dataplane/lb/conn/connection_table.h"

#include <algorithm>

namespace keepline::lb {

template <typename F>
ConnectionTable<F>::ConnectionTable(const Config& config, std::uint32_t now_s)
    : hash_key_(config.hash_key),
      half_open_limit_(config.half_open_limit),
      entries_(std::clamp<std::size_t>(config.capacity, 1, kMaxCapacity)),
      index_(config.two_ended ? 2 * entries_.size() : entries_.size()),
      expiry_(entries_.data(), now_s) {}

template <typename F>
auto ConnectionTable<F>::take(net::Protocol protocol) -> Entry* {
  std::uint32_t number = free_head_;
  if (number != kNone) {
    free_head_ = entries_[number].next;
  } else {
    if (high_water_ == entries_.size()) return nullptr;
    number = static_cast<std::uint32_t>(high_water_++);
  }
  Entry& entry = entries_[number];
  entry = Entry{};
  entry.protocol = protocol;
  entry.expiry_list = Lists::kNotFiled;
  ++size_;
  return &entry;
}

template <typename F>
auto ConnectionTable<F>::file(Entry& entry, std::uint64_t hash, std::uint32_t expires_s) -> File {
  using Insert = ConnectionIndex::Insert;
  const std::uint32_t number = number_of(entry);
  Insert inserted = index_.insert(hash, number);
  if (inserted == Insert::kDone && entry.has_own_local()) {
    inserted = index_.insert(answer_hash_of(entry), number);
    if (inserted == Insert::kFull) index_.remove(hash, number);
  }
  if (inserted == Insert::kFull) {
    give_back(entry);
    return File::kFull;
  }
  entry.expires_s = expires_s;
  file_by_state(entry);
  return File::kDone;
}

template <typename F>
void ConnectionTable<F>::file_by_state(Entry& entry) {
  if (entry.is_half_open()) {
    const bool udp = entry.protocol == net::Protocol::kUdp;
    expiry_.file_half_open(number_of(entry), udp ? Lists::kHalfOpenUdp : Lists::kHalfOpenTcp);
  } else {
    expiry_.file(number_of(entry));
  }
}

template <typename F>
void ConnectionTable<F>::settle(Entry& entry, std::uint32_t expires_s) {
  const bool stays = !entry.is_half_open() && !Lists::is_half_open(entry);
  const bool later = expires_s >= entry.expires_s;
  const bool same = expires_s == entry.expires_s;
  entry.expires_s = expires_s;
  if (stays && later) return;
  // A packet in the same second does not change a half-open entry's place in its queue.
  if (same && entry.is_half_open() && Lists::is_half_open(entry)) return;
  expiry_.unlink(number_of(entry));
  file_by_state(entry);
}

template <typename F>
void ConnectionTable<F>::remove(Entry& entry) {
  index_.remove(hash_of(entry), number_of(entry));
  if (entry.has_own_local()) index_.remove(answer_hash_of(entry), number_of(entry));
  expiry_.unlink(number_of(entry));
  give_back(entry);
}

template <typename F>
void ConnectionTable<F>::give_back(Entry& entry) {
  entry.protocol = net::Protocol{};
  entry.next = free_head_;
  free_head_ = number_of(entry);
  --size_;
}

template class ConnectionTable<net::V4>;
template class ConnectionTable<net::V6>;

}  // namespace keepline::lb
