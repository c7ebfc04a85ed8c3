// Notices that FULLNAT's local ports run short towards a real server, before they are gone.
//
// PURE; control thread only. Memory: an entry for each real server that they are short for.
#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "dataplane/lb/service/service.h"

namespace keepline::control {

class LocalPortWatch {
 public:
  /// From here on new connections may be refused soon (see LocalPorts::kTries): time to say so.
  static constexpr std::uint64_t kScarcePercent = 80;
  static constexpr std::uint64_t kEnoughPercent = 70;

  enum class Change : std::uint8_t { kNone, kScarce, kEnough };

  /// `all`: zero for a real server that needs none.
  Change note(const lb::RealServer& real, std::uint64_t used, std::uint64_t all) {
    const Key key{real.slot, real.generation};
    if (used * 100 >= all * kScarcePercent && all != 0) {
      return scarce_.insert(key).second ? Change::kScarce : Change::kNone;
    }
    if (used * 100 < all * kEnoughPercent || all == 0) {
      return scarce_.erase(key) != 0 ? Change::kEnough : Change::kNone;
    }
    return Change::kNone;
  }

 private:
  using Key = std::pair<lb::RealSlot, std::uint16_t>;
  std::set<Key> scarce_;
};

}  // namespace keepline::control
