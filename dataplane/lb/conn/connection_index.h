// From the hash of a client's endpoint to the numbers of its connections.
//
// PURE, single writer, no allocation after construction. Buckets of one cache line: eight 16-bit
// tags that are compared at once, eight entry numbers, and a link to an overflow bucket for the
// few keys that find theirs full. Sized so that at capacity over half of all slots are in use. A
// chain has at most kMaxChain buckets: one client endpoint has at most 8 × kMaxChain connections,
// so nobody can make look-ups slow.
#pragma once

#include <immintrin.h>

#include <bit>
#include <cstdint>

#include "dataplane/lb/lazy_array.h"

namespace keepline::lb {

class ConnectionIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr std::size_t kSlots = 8;
  static constexpr int kMaxChain = 16;

  /// For up to `capacity` entries.
  explicit ConnectionIndex(std::size_t capacity);

  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&buckets_[bucket_of(hash)], 1); }

  /// The first entry of the key's first bucket that may be the one; kNone when there is none in it.
  std::uint32_t candidate(std::uint64_t hash) const {
    const Bucket& bucket = buckets_[bucket_of(hash)];
    const unsigned hits = matching(bucket, tag_of(hash));
    return hits == 0 ? kNone : bucket.entries[std::countr_zero(hits)];
  }

  /// The first entry with this hash for which `is_it(entry)`; kNone when there is none.
  template <typename IsIt>
  std::uint32_t find(std::uint64_t hash, IsIt&& is_it) const {
    for (std::uint32_t at = bucket_of(hash); at != 0; at = buckets_[at].overflow) {
      for (unsigned hits = matching(buckets_[at], tag_of(hash)); hits != 0; hits &= hits - 1) {
        const std::uint32_t entry = buckets_[at].entries[std::countr_zero(hits)];
        if (is_it(entry)) return entry;
      }
    }
    return kNone;
  }

  enum class Insert : std::uint8_t { kDone, kFull };
  Insert insert(std::uint64_t hash, std::uint32_t entry);
  /// Forgets `entry`, which was inserted with this hash.
  void remove(std::uint64_t hash, std::uint32_t entry);

  std::size_t bytes() const { return buckets_.size() * sizeof(Bucket); }
  std::size_t slots() const { return buckets_.size() * kSlots; }

 private:
  struct alignas(64) Bucket {
    std::uint16_t tags[kSlots];  // zero = free
    std::uint32_t entries[kSlots];
    std::uint32_t overflow;  // bucket number; zero = none, as bucket 0 is never used
  };
  static_assert(sizeof(Bucket) == 64);

  // Multiply-shift instead of a mask: any number of buckets, not just powers of two.
  std::uint32_t bucket_of(std::uint64_t hash) const {
    return 1 + static_cast<std::uint32_t>(((hash & 0xffffffff) * primary_) >> 32);
  }
  static std::uint16_t tag_of(std::uint64_t hash) {
    const auto tag = static_cast<std::uint16_t>(hash >> 36);
    return tag == 0 ? 1 : tag;
  }
  // One bit per slot whose tag is equal. SSE2 is part of every x86-64.
  static unsigned matching(const Bucket& bucket, std::uint16_t tag) {
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags));
    const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
  }
  std::uint32_t take_overflow();

  std::uint64_t primary_;            // buckets that keys hash to: 1..primary_
  LazyArray<Bucket> buckets_;        // bucket 0 unused, then these, then the overflow buckets
  std::uint32_t next_overflow_;      // first overflow bucket that was never used
  std::uint32_t free_overflow_ = 0;  // emptied ones, linked through `overflow`
};

}  // namespace keepline::lb
