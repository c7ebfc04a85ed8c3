// Choosing a real server for a new connection.
//
// PURE. One state per service and worker: cursors are not shared, so with several workers each
// one deals out its own connections in turn.
#pragma once

#include "dataplane/lb/service/service.h"

namespace keepline::lb {

struct SchedulerState {
  std::uint32_t cursor = 0;          ///< Index into the pool of the server chosen last, plus one.
  std::uint32_t current_weight = 0;  ///< wrr: servers at least this heavy are in this round.
};

/// The next server with a weight above zero, or nullptr. Any state is valid for any service: a
/// pool that shrank or whose weights changed just goes on from a nearby place.
///
/// rr takes them in turn; wrr is the interleaved weighted round robin of kernel LVS (a round per
/// weight level, from the highest down in steps of the weights' common divisor).
const RealServer* choose(const Service& service, SchedulerState& state);

/// The server that the hash alone leads to, or nullptr: weighted rendezvous hashing. All workers
/// and nodes choose the same one, and a change of the pool moves only the flows of what changed.
/// Costs one hash per server (Thaler and Ravishankar 1998; weights by the logarithmic method).
const RealServer* choose_by_hash(const Service& service, std::uint64_t hash);

}  // namespace keepline::lb
