// Who is in a service's pool: quorum, sorry server, inhibit_on_failure.
//
// PURE. The rules are keepalived's: a failed server leaves the pool, or stays with weight 0 when
// inhibited; the quorum is lost below `quorum - hysteresis` and gained at `quorum + hysteresis`;
// without it the sorry server takes the place of all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "control/config/model.h"

namespace keepline::control {

enum class Health : std::uint8_t { kUnchecked, kUp, kDown };

/// A place in the pool. `real` is the index into real_servers, or kSorry.
struct PoolMember {
  static constexpr std::size_t kSorry = static_cast<std::size_t>(-1);
  std::size_t real = 0;
  std::uint32_t weight = 1;
  friend bool operator==(const PoolMember&, const PoolMember&) = default;
};

struct Pool {
  bool has_quorum = false;
  std::vector<PoolMember> members;  ///< In configuration order.
  friend bool operator==(const Pool&, const Pool&) = default;
};

/// The quorum state at start, before any check has run.
bool initial_quorum(const config::VirtualServer& server, const std::vector<Health>& health);

/// `health` has an entry for each real server; `had_quorum` is that of the pool before.
Pool make_pool(const config::VirtualServer& server, const std::vector<Health>& health,
               bool had_quorum);

}  // namespace keepline::control
