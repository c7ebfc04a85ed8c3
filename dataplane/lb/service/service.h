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
  net::Endpoint endpoint;
  std::uint32_t weight = 1;  ///< 0: no new connections, existing ones go on.
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

struct Service {
  ServiceSlot slot = 0;
  net::Endpoint vip;
  net::Protocol protocol = net::Protocol::kTcp;
  Scheduler scheduler = Scheduler::kRoundRobin;
  std::vector<RealServer> pool;  ///< Only servers that may have connections, in config order.
  std::vector<LeavingServer> leaving;
  std::uint32_t weight_divisor = 1;  ///< Greatest common divisor of the weights; see seal().
  std::uint32_t weight_max = 0;      ///< Zero: nobody takes new connections.
  bool equal_weights = true;         ///< Of those above zero.

  /// Computes what the schedulers need from `pool`. Call once, last.
  void seal();
  friend bool operator==(const Service&, const Service&) = default;
};

}  // namespace keepline::lb
