// FULLNAT's choice of an address and port of our own for a new connection.
//
// PURE, single writer (its worker), no allocation. Ports are given out in turn, so that one is used
// again as late as can be: the server may remember it. A port serves one connection to each real
// server and port. Of the ports a worker takes only those whose answers come to it, which it finds
// by trying: no port belongs to a worker beforehand, and no answer is handed over.
#pragma once

#include <optional>
#include <vector>

#include "dataplane/net/addr.h"

namespace keepline::lb {

template <typename F>
class LocalPorts {
 public:
  static constexpr std::uint32_t kFirst = 1024;  ///< Those below are of services.
  static constexpr std::uint32_t kCount = 65536 - kFirst;
  /// Ports looked up, and ports looked at, before the pool counts as exhausted: with 95 % of them
  /// in use one connection in thirty is refused, with 80 % none.
  static constexpr int kTries = 64;
  static constexpr int kCandidates = 1024;

  struct End {
    typename F::Address address;
    net::be16 port;
  };

  /// Where it begins is to be another one after each start: servers remember what was used before.
  explicit LocalPorts(std::uint64_t seed) : cursor_(static_cast<std::uint32_t>(seed >> 32)) {}

  /// `is_ours(End)`: answers to it come to this worker. `is_free(End)`: towards the real server.
  template <typename IsOurs, typename IsFree>
  std::optional<End> choose(const std::vector<net::IpAddr>& pool, IsOurs&& is_ours,
                            IsFree&& is_free) {
    if (pool.empty()) return std::nullopt;
    const auto addresses = static_cast<std::uint32_t>(pool.size());
    int tries = 0;
    for (int i = 0; i < kCandidates && tries < kTries; ++i) {
      const std::uint32_t at = cursor_++;
      const auto port = static_cast<std::uint16_t>(kFirst + at / addresses % kCount);
      const End end{F::address_of(pool[at % addresses]), net::be16(port)};
      if (!is_ours(end)) continue;
      if (is_free(end)) return end;
      ++tries;
    }
    return std::nullopt;
  }

 private:
  std::uint32_t cursor_;
};

}  // namespace keepline::lb
