#include "dataplane/lb/conn/connection_index.h"

#include <algorithm>

namespace keepline::lb {

namespace {

// At capacity a primary bucket holds 4.6 entries on average. By Poisson 4.7 % of the buckets then
// need an overflow bucket; there is one for every eight, and some for small tables.
constexpr std::size_t kPrimarySlotsPerTenEntries = 17;
constexpr std::size_t kOverflowShare = 8;
constexpr std::size_t kSmallest = 32;

std::size_t primary_buckets(std::size_t capacity) {
  return capacity * kPrimarySlotsPerTenEntries / (10 * ConnectionIndex::kSlots) + 1;
}

}  // namespace

ConnectionIndex::ConnectionIndex(std::size_t capacity)
    : primary_(primary_buckets(capacity)),
      buckets_(1 + primary_ + primary_ / kOverflowShare + kSmallest),
      next_overflow_(static_cast<std::uint32_t>(1 + primary_)) {}

std::uint32_t ConnectionIndex::take_overflow() {
  if (free_overflow_ != 0) {
    const std::uint32_t taken = free_overflow_;
    free_overflow_ = buckets_[taken].overflow;
    buckets_[taken].overflow = 0;
    return taken;
  }
  return next_overflow_ < buckets_.size() ? next_overflow_++ : 0;
}

ConnectionIndex::Insert ConnectionIndex::insert(std::uint64_t hash, std::uint32_t entry) {
  std::uint32_t at = bucket_of(hash);
  for (int depth = 1;; ++depth) {
    Bucket& bucket = buckets_[at];
    if (const unsigned free = matching(bucket, 0); free != 0) {
      const int slot = std::countr_zero(free);
      bucket.tags[slot] = tag_of(hash);
      bucket.entries[slot] = entry;
      return Insert::kDone;
    }
    if (bucket.overflow == 0) {
      if (depth == kMaxChain) return Insert::kFull;
      const std::uint32_t more = take_overflow();
      if (more == 0) return Insert::kFull;
      bucket.overflow = more;
    }
    at = bucket.overflow;
  }
}

void ConnectionIndex::remove(std::uint64_t hash, std::uint32_t entry) {
  std::uint32_t before = 0;
  for (std::uint32_t at = bucket_of(hash); at != 0; before = at, at = buckets_[at].overflow) {
    Bucket& bucket = buckets_[at];
    for (unsigned hits = matching(bucket, tag_of(hash)); hits != 0; hits &= hits - 1) {
      const int slot = std::countr_zero(hits);
      if (bucket.entries[slot] != entry) continue;
      bucket.tags[slot] = 0;
      // An empty overflow bucket goes back to the pool.
      if (before != 0 && matching(bucket, 0) == (1u << kSlots) - 1) {
        buckets_[before].overflow = bucket.overflow;
        bucket.overflow = free_overflow_;
        free_overflow_ = at;
      }
      return;
    }
  }
}

}  // namespace keepline::lb
