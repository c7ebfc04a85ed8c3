// How many new connections a client may have in a second: a token bucket for each client of each
// service.
//
// PURE, single writer (its worker), bounded: kClients clients are remembered, four in a cache line.
// A client that none of its four places is free for takes the one that was asked for longest ago:
// in a flood from very many addresses clients are forgotten, and begin with a full bucket.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/lb/lazy_array.h"
#include "dataplane/lb/service/service.h"

namespace keepline::lb {

class ClientRates {
 public:
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kClients = 1u << 16;

  ClientRates() : sets_(kClients / kWays) {}

  /// Whether this client (a hash of its address and the service) may have one more.
  bool take(std::uint64_t client, const ClientRate& rate, std::uint32_t now_s) {
    Set& set = sets_[client % sets_.size()];
    Bucket* bucket = std::ranges::find(set.buckets, client, &Bucket::client);
    if (bucket == std::end(set.buckets)) {
      bucket = std::ranges::min_element(set.buckets, {}, &Bucket::filled_s);
      *bucket = {client, now_s, rate.burst};
    }
    const std::uint64_t filled =
        bucket->tokens + std::uint64_t{rate.per_s} * (now_s - bucket->filled_s);
    bucket->tokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(filled, rate.burst));
    bucket->filled_s = now_s;
    if (bucket->tokens == 0) return false;
    --bucket->tokens;
    return true;
  }

 private:
  struct Bucket {
    std::uint64_t client;  // zero: free, and filled a long time ago
    std::uint32_t filled_s;
    std::uint32_t tokens;
  };
  struct alignas(64) Set {
    Bucket buckets[kWays];
  };

  LazyArray<Set> sets_;
};

}  // namespace keepline::lb
