// A schedule: everything that one run of the simulation is made of, as plain numbers.
//
// generate() makes one from a seed, to_text() and from_text() keep one as a small file, and the
// same schedule always gives the same run. Every fault is a window: it begins, and it is over.
// Bounds: kNodeLimit nodes on kLanLimit LANs, kVipLimit addresses per instance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vrrp/types.h"

namespace keepline::vrrp::sim {

inline constexpr std::size_t kNodeLimit = 5;
inline constexpr std::size_t kLanLimit = 2;
inline constexpr std::size_t kVipLimit = 3;
/// Stations of a LAN are its nodes and, after them, one client.
inline constexpr std::size_t kClient = kNodeLimit;
inline constexpr std::size_t kStationLimit = kNodeLimit + 1;

struct NodePlan {
  std::int64_t priority = 100;
  std::int64_t interval_us = kSecond_us;
  std::int64_t drift_ppm = 0;
  std::int64_t offset_us = 1'000'000'000;
  std::int64_t wall_offset_us = 0;  ///< How far its wall clock is off; NTP keeps that.
  std::int64_t start_us = 0;
  std::int64_t down_adverts = 3;
  std::int64_t owner_ignore_adverts = 0;
  std::int64_t initial_master = 0;
  std::int64_t nopreempt = 0;
  std::int64_t preempt_delay_us = 0;
  std::int64_t lower_prio_no_advert = 0;
  std::int64_t higher_prio_send_advert = 0;
  std::int64_t skip_check_adv_addr = 0;
  std::int64_t garp_delay_us = 0;
  std::int64_t garp_repeat = 1;
  std::int64_t garp_refresh_us = 0;
  std::int64_t garp_lower_delay_us = 0;
  std::int64_t garp_lower_repeat = 1;
};

enum class FaultKind : std::uint8_t {
  kLoss,       ///< `value` percent of all packets on `lans` are lost.
  kDelay,      ///< Up to `value` microseconds more, so that packets overtake each other.
  kDuplicate,  ///< `value` percent arrive twice.
  kPartition,  ///< Between `stations` and the others; `way` 1: not from them, 2: not to them.
  kForger,     ///< Somebody without a key on `lans`, who hears all; only with `auth`.
  kPause,      ///< SIGSTOP of the node's control thread; its dataplane runs on.
  kCrash,      ///< Process and dataplane are gone; the end of the window starts it again.
  kLeave,      ///< A clean stop, and a start at the end of the window.
  kLinkDown,   ///< The node's port on `lans`.
  kPriority,   ///< Weighted tracking makes `value` the effective priority.
  kTracker,    ///< A tracked object without weight fails, for the instances on `lans`.
  kUnsent,     ///< The dataplane refuses what the node wants to send on `lans`.
  kSpeed,      ///< The node's clock runs with a drift of `value` ppm instead of its own.
  // What an operator does. A reload changes the node's file, and the end of its window changes it
  // back, with another reload.
  kFailover,        ///< `keepline failover` of `lans`, and then `--back`; `way` 1: without that.
  kReloadPriority,  ///< `priority` is `value`.
  kReloadInterval,  ///< `advert_int` is `value` microseconds; version 3 only.
  kReloadPreempt,   ///< `nopreempt` is there if it was not, and the reverse.
  kReloadRemove,    ///< The instances on `lans` are not there.
  kReloadGroups,    ///< The sync group is not there.
};
inline constexpr std::size_t kFaultKindCount = 19;
inline constexpr bool is_reload(FaultKind kind) {
  return kind >= FaultKind::kReloadPriority;
}

struct Fault {
  FaultKind kind = FaultKind::kLoss;
  std::int64_t at_us = 0;
  std::int64_t for_us = 0;
  std::int64_t node = 0;
  std::int64_t lans = 1;      ///< A bit per LAN.
  std::int64_t stations = 0;  ///< A bit per station.
  std::int64_t value = 0;
  std::int64_t way = 0;

  std::int64_t end_us() const { return at_us + for_us; }
  bool on_lan(std::size_t lan) const { return (lans >> lan & 1) != 0; }
  friend bool operator==(const Fault&, const Fault&) = default;
};

struct Schedule {
  std::int64_t seed = 0;  ///< Of delays, losses and latencies during the run.
  std::int64_t version = 3;
  std::int64_t ipv6 = 0;
  std::int64_t unicast = 0;
  std::int64_t lans = 1;  ///< Two: a sync group of one instance on each.
  std::int64_t vips = 1;
  std::int64_t auth = 0;        ///< auth_hmac: 1 with anti_replay time, 2 with monotonic.
  std::int64_t latency_us = 0;  ///< At most so long until a thread that has work to do runs.
  std::int64_t delay_us = 0;    ///< At most so long on the LAN, without faults.
  std::int64_t garp_gap_us = 0;
  /// Only what an operator plans happens, and the LANs lose nothing: clients must notice nothing.
  std::int64_t planned = 0;
  std::int64_t wire_us = 0;    ///< At most so long a client's frame is on its way, when planned.
  std::int64_t kernel_us = 0;  ///< At most so long the kernel takes for an address.
  std::vector<NodePlan> nodes;
  std::vector<Fault> faults;  ///< In order of at_us.

  std::size_t lan_count() const { return static_cast<std::size_t>(lans); }
  bool grouped() const { return lans > 1; }
};

Schedule generate(std::uint64_t seed);

std::string to_text(const Schedule& schedule);
/// No value = not a schedule, or out of bounds.
std::optional<Schedule> from_text(const std::string& text);
const char* name_of(FaultKind kind);

net::IpAddr address_of(const Schedule& schedule, std::size_t node, std::size_t lan);
net::IpAddr vip_of(const Schedule& schedule, std::size_t lan, std::size_t number);
/// The longest advert interval that any node ever has.
std::int64_t longest_interval_us(const Schedule& schedule);
/// The greatest drift that its clock ever has, fast or slow.
std::int64_t worst_drift_ppm(const Schedule& schedule, std::size_t node);
/// Of auth_hmac, seconds: small, but longer than an advert lies in the queue of a node that is
/// stopped for an interval.
std::int64_t time_window_s(const Schedule& schedule);
InstanceConfig config_of(const Schedule& schedule, std::size_t node, std::size_t lan);

}  // namespace keepline::vrrp::sim
