// Choosing a real server for a new connection.
//
// PURE. One state per service and worker: cursors are not shared, so with several workers each
// one deals out its own connections in turn. Names and rules are those of kernel LVS
// (net/netfilter/ipvs/ip_vs_rr.c, ip_vs_wrr.c and so on):
//
//   rr      in turn                        lc     fewest connections
//   wrr     in turn, by weight             wlc    fewest for the weight
//   sh      by the client's address        sed    fewest active, the new one counted, for the
//   weight mh      the same, by a Maglev ring     nq     an idle one first, then sed dh      by the
//   VIP                     fo     the heaviest twos    the better of two random ones  ovf    the
//   heaviest that has fewer active than its weight lblc    the VIP's last server, until it has more
//   active ones than its weight while another has
//           less than half of its own; then that of wlc
//   lblcr   the same with a set of servers, which grows then and loses its busiest once in a while
//
// An active connection counts as 256 inactive ones, except for sed, nq and ovf, which count active
// ones only. No server with weight zero or above its upper threshold is chosen by any of them.
#pragma once

#include <array>

#include "dataplane/lb/sched/loads.h"
#include "dataplane/lb/service/service.h"

namespace keepline::lb {

struct SchedulerState {
  static constexpr std::size_t kSetSize = 8;
  /// Of lblcr, seconds after its last growth that a set loses a server (lblcr_expiration).
  static constexpr std::uint32_t kSetLife_s = 86'400;

  std::uint32_t cursor = 0;          ///< Index into the pool of the server chosen last, plus one.
  std::uint32_t current_weight = 0;  ///< wrr: servers at least this heavy are in this round.
  std::uint64_t random = 0;          ///< twos: the last number.
  std::uint32_t grown_s = 0;         ///< lblcr: when the set last changed.
  std::uint32_t set_size = 0;
  std::array<RealSlot, kSetSize> set{};  ///< lblc, lblcr: servers of the VIP.
};

/// What schedulers look at of a new flow.
struct NewFlow {
  std::uint64_t hash = 0;         ///< Of the client's address, port and protocol.
  std::uint64_t source_hash = 0;  ///< sh, mh: of its address, or of address and port.
  std::uint32_t now_s = 0;
};

/// The next server, or nullptr when none takes connections. Any state is valid for any service: a
/// pool that shrank or whose weights changed just goes on from a nearby place.
const RealServer* choose(const Service& service, const NewFlow& flow, Loads& loads,
                         SchedulerState& state);

/// The server that a hash alone leads to, or nullptr: of the scheduler's ring where there is one,
/// otherwise by weighted rendezvous hashing. All workers and nodes choose the same one, and a
/// change of the pool moves few flows but those of what changed. Rendezvous hashing costs one hash
/// per server (Thaler and Ravishankar 1998; weights by the logarithmic method).
const RealServer* choose_by_hash(const Service& service, const NewFlow& flow);

}  // namespace keepline::lb
