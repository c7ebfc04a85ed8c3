// The way of a burst through the balancer: parse, classify, find or make the connection, rewrite,
// next hop.
//
// PURE; one object per worker, which alone calls it. Frames in, verdicts and counters out: the
// caller owns the frames and carries the verdicts out. No allocation after construction.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "dataplane/lb/conn/connection_table.h"
#include "dataplane/lb/counters.h"
#include "dataplane/lb/sched/scheduler.h"
#include "dataplane/lb/snapshot.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

enum class Action : std::uint8_t {
  kDrop,       ///< Already counted.
  kTransmit,   ///< Through `port`.
  kToControl,  ///< A VRRP frame: copy to the control thread, then free.
  kHandOff,    ///< Its connection lives on another worker: `worker`.
};

struct Verdict {
  Action action = Action::kDrop;
  net::PortId port = net::kNoPort;
  std::uint8_t worker = 0;
};

/// Somebody who asked for a VIP by ARP: the kernel did not see it, so control may tell it.
struct NeighbourSeen {
  net::Ip4 address;
  net::Mac mac;
  net::PortId port = net::kNoPort;
};

/// What a burst became. Reused from burst to burst.
struct BurstResult {
  std::array<Verdict, net::kBurstSize> verdicts;
  std::array<NeighbourSeen, net::kBurstSize> neighbours;
  std::size_t neighbour_count = 0;
};

struct PipelineConfig {
  std::size_t connections = 1'000'000;  ///< Capacity of the table.
  Timeouts timeouts;
  std::uint64_t hash_key = 0;  ///< See net::client_hash.
  std::uint8_t worker = 0;     ///< Whose pipeline it is: its shards are those of this worker.
};

class Pipeline {
 public:
  Pipeline(const PipelineConfig& config, std::uint32_t now_s);

  /// Handles up to kBurstSize frames that arrived on `port`. `now_s` is a monotonic second
  /// count. Frames that are transmitted or answered have been rewritten in place.
  void process(const Snapshot& snapshot, const LeaseView& leases, net::PortId port,
               std::span<const net::Packet> packets, std::uint32_t now_s, BurstResult& result);

  /// Forgets connections whose time is up, looking at no more than `limit`.
  void expire(std::uint32_t now_s, std::size_t limit);

  const PipelineCounters& counters() const { return counters_; }
  /// For what happens to a frame after its verdict.
  void count_drop(net::Drop reason) { counters_.drop(reason); }
  const RealCounters& real_counters(RealSlot slot) const { return real_counters_[slot]; }
  const ConnectionTable& connections() const { return table_; }

 private:
  struct Turn;  // the arguments of process() for the steps below

  Verdict drop(net::Drop reason);
  Verdict handle(const Turn& turn, const net::Packet& packet, net::Parsed& parsed,
                 std::uint64_t hash, const Service* service);
  Verdict answer_arp(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed);
  Verdict answer_echo(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed);
  Verdict to_service(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                     std::uint64_t hash, const Service& service);
  Verdict from_real(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                    std::uint64_t hash);
  Verdict route(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed);
  Connection* connect(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                      std::uint64_t hash, const Service& service, net::Drop& reason);
  void track(Connection& connection, const net::Parsed& parsed, Sender sender, std::uint32_t now_s);
  Verdict send(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
               net::PortId port, const net::Mac& destination, const net::Mac* source);
  void forget(Connection& connection);
  RealCounters* counters_of(const Connection& connection);

  ConnectionTable table_;
  Timeouts timeouts_;
  std::uint64_t hash_key_;
  std::uint8_t worker_;
  PipelineCounters counters_;
  RealCounters nobody_;  // takes the figures of connections whose slot has a new user
  std::unique_ptr<RealCounters[]> real_counters_;      // kMaxRealServers
  std::unique_ptr<SchedulerState[]> scheduler_state_;  // kMaxServices
};

}  // namespace keepline::lb
