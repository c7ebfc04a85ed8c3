// Services (virtual servers) and their real servers, as the workers see them: immutable values.
//
// PURE. Built by the planner, shared between snapshots: a change copies one service.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/net/addr.h"

namespace keepline::lb {

enum class Method : std::uint8_t { kNat, kDirectRouting };
enum class Scheduler : std::uint8_t { kRoundRobin, kWeightedRoundRobin };

/// The name in configuration and listings: "rr", "wrr".
std::string_view to_string(Scheduler scheduler);

/// Index into the per-worker counters and the snapshot's real server table. Stable for the life
/// of a (service, real server) pair; the generation tells successive users of a slot apart.
using RealSlot = std::uint32_t;
/// The configuration's 65,536 real servers, a sorry server for each of its 4,096 virtual servers,
/// and slot 0, which the planner leaves empty.
inline constexpr std::size_t kMaxRealServers = 65536 + 4096 + 1;
using ServiceSlot = std::uint32_t;
inline constexpr std::size_t kMaxServices = 16384;

struct RealServer {
  RealSlot slot = 0;
  std::uint16_t generation = 0;
  Method method = Method::kNat;
  net::Endpoint4 endpoint;
  std::uint32_t weight = 1;  ///< 0: no new connections, existing ones go on.
  friend bool operator==(const RealServer&, const RealServer&) = default;
};

struct Service {
  ServiceSlot slot = 0;
  net::Endpoint4 vip;
  net::Protocol protocol = net::Protocol::kTcp;
  Scheduler scheduler = Scheduler::kRoundRobin;
  std::vector<RealServer> pool;      ///< Only servers that may have connections, in config order.
  std::uint32_t weight_divisor = 1;  ///< Greatest common divisor of the weights; see seal().
  std::uint32_t weight_max = 0;      ///< Zero: nobody takes new connections.

  /// Computes what the schedulers need from `pool`. Call once, last.
  void seal();
  friend bool operator==(const Service&, const Service&) = default;
};

}  // namespace keepline::lb
