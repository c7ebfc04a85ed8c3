// Services (virtual servers) and their real servers, as the workers see them: immutable values.
//
// PURE. Built by the planner, shared between snapshots: a change copies one service.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/lb/sched/maglev_ring.h"
#include "dataplane/lb/service/access_list.h"
#include "dataplane/net/addr.h"

namespace keepline::lb {

enum class Method : std::uint8_t { kNat, kFullNat, kDirectRouting, kTunnel };

/// Whether addresses are rewritten and answers come back through us.
constexpr bool translates(Method method) {
  return method <= Method::kFullNat;
}

/// How a real server of Method::kFullNat is told who the client is; see forward/tell.h.
enum class Tell : std::uint8_t {
  kNothing,
  kOption,     ///< TCP option (TOA).
  kProxy,      ///< PROXY protocol version 2.
  kProxyDone,  ///< Of a connection: it has acknowledged that.
};

enum class TunnelType : std::uint8_t { kIpip, kGre, kGue };

/// How packets reach a real server of Method::kTunnel; see forward/tunnel.h.
struct Tunnel {
  TunnelType type = TunnelType::kIpip;
  std::uint16_t port = 0;  ///< GUE: the destination port.
  bool checksum = false;   ///< GRE, GUE: over what is inside.
  friend bool operator==(const Tunnel&, const Tunnel&) = default;
};

/// As in kernel LVS (net/netfilter/ipvs/ip_vs_*.c); sched/scheduler.h says what each does.
enum class Scheduler : std::uint8_t {
  kRoundRobin,
  kWeightedRoundRobin,
  kLeastConnections,
  kWeightedLeastConnections,
  kShortestExpectedDelay,
  kNeverQueue,
  kLocality,
  kLocalityReplicated,
  kDestinationHash,
  kSourceHash,
  kMaglev,
  kFailover,
  kOverflow,
  kTwoChoices,
};
inline constexpr std::size_t kSchedulers = 14;

/// The name in configuration and listings: "rr", "wrr"...
std::string_view to_string(Scheduler scheduler);

/// Index into the per-worker counters and the snapshot's real server table. Stable for the life
/// of a (service, real server) pair; the generation (1 or more) tells successive users of a slot
/// apart.
using RealSlot = std::uint32_t;
inline constexpr std::size_t kMaxRealServers = 1u << 21;
using ServiceSlot = std::uint32_t;
inline constexpr std::size_t kMaxServices = 1u << 16;

struct RealServer {
  RealSlot slot = 0;
  std::uint16_t generation = 0;
  Method method = Method::kNat;
  Tunnel tunnel;                      ///< Of kTunnel.
  Tell tell = Tell::kNothing;         ///< Of kFullNat.
  net::Endpoint endpoint;             ///< Of kTunnel: of either family.
  std::uint32_t weight = 1;           ///< 0: no new connections, existing ones go on.
  bool failed = false;                ///< Its checks fail: not even for clients that it had.
  std::uint32_t upper_threshold = 0;  ///< No new connections from so many on; 0: no limit.
  std::uint32_t lower_threshold = 0;  ///< New ones again below this; 0: three quarters of upper.
  friend bool operator==(const RealServer&, const RealServer&) = default;
};

/// A real server that takes no new connections any more and whose connections may go on for a
/// while.
struct LeavingServer {
  RealServer real;
  bool failed = false;        ///< Its checks fail: what can go elsewhere does so at once.
  std::uint32_t until_s = 0;  ///< On the pipeline's clock; kNoLimit: as long as they last.
  static constexpr std::uint32_t kNoLimit = 0xffffffff;
  friend bool operator==(const LeavingServer&, const LeavingServer&) = default;
};

/// The ring of a service that has one. It follows from the pool: equal services have equal rings.
struct RingOf {
  std::shared_ptr<const MaglevRing> ring;
  const MaglevRing* operator->() const { return ring.get(); }
  friend bool operator==(const RingOf&, const RingOf&) { return true; }
};

/// How many new connections a client may have.
struct ClientRate {
  std::uint32_t per_s = 0;  ///< Connections a second; 0: no limit.
  std::uint32_t burst = 0;  ///< As many at once, after a rest; at least one.
  friend bool operator==(const ClientRate&, const ClientRate&) = default;
};

struct Service {
  ServiceSlot slot = 0;
  net::Endpoint vip;
  net::Protocol protocol = net::Protocol::kTcp;
  Scheduler scheduler = Scheduler::kRoundRobin;
  bool hash_port = false;             ///< sh, mh: by the client's port, too.
  bool hash_fallback = false;         ///< sh, mh: another server when that of the hash is full.
  std::uint32_t persistence_s = 0;    ///< A client's server is remembered for so long; 0: not.
  std::uint8_t persistence_bits = 0;  ///< Of the addresses that count as one client.
  bool one_packet = false;            ///< UDP: a server is chosen for each packet.
  bool syn_proxy = false;             ///< TCP: clients are answered before servers are asked.
  std::uint32_t ring_slots = 0;       ///< sh, mh, dh: at least so many in the ring.
  std::shared_ptr<const AccessList> access;  ///< Who may have connections; nullptr: everybody.
  ClientRate client_rate;                    ///< Of new ones; see client_bits().
  std::vector<net::IpAddr> locals;           ///< kFullNat: addresses to come from, of its family.
  std::vector<RealServer> pool;  ///< Only servers that may have connections, in config order.
  std::vector<LeavingServer> leaving;
  std::uint32_t weight_divisor = 1;  ///< Greatest common divisor of the weights; see seal().
  std::uint32_t weight_max = 0;      ///< Zero: nobody takes new connections.
  bool equal_weights = true;         ///< Of those above zero.
  RingOf ring;                       ///< Of sh, mh and dh: places in `pool`.

  /// Whether this client may have new connections.
  bool admits(const net::IpAddr& client) const {
    return access == nullptr || access->admits(client);
  }
  bool has_ring() const {
    return scheduler == Scheduler::kSourceHash || scheduler == Scheduler::kMaglev ||
           scheduler == Scheduler::kDestinationHash;
  }
  /// Whether each node that has this service leads a client to the same server.
  /// Not where a server that is full has its clients go elsewhere: another node has other figures.
  bool leads_alike() const;
  /// Whether the scheduler asks how many connections there are.
  bool counts_connections() const;

  /// Of a client's address that are with one worker, because something is counted or remembered for
  /// the client; 0: every port of it may be with another.
  std::uint8_t client_bits() const {
    if (client_rate.per_s == 0) return persistence_bits;
    const std::uint8_t bits = vip.address.is_v6() ? kRateBits6 : kRateBits4;
    return persistence_bits == 0 ? bits : std::min(bits, persistence_bits);
  }
  static constexpr std::uint8_t kRateBits4 = 32;
  static constexpr std::uint8_t kRateBits6 = 64;

  /// Computes what the schedulers need from `pool`, but for the ring. Call once, after the rest.
  void seal();
  /// Makes the ring, which takes longer, where the scheduler has one; after seal().
  void build_ring();
  friend bool operator==(const Service&, const Service&) = default;
};

}  // namespace keepline::lb
