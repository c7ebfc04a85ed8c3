// The way of a burst through the balancer: parse, classify, find or make the connections, forward.
//
// PURE; one object per worker, which alone calls it. Frames in, verdicts and counters out: the
// caller owns the frames and carries the verdicts out. No allocation after construction.
//
// A burst's way has two halves. begin() ends with asking for the connections; whoever has a further
// burst begins that before it finishes this one, so that memory is fetched meanwhile.
#pragma once

#include "dataplane/lb/accounts.h"
#include "dataplane/lb/explanation.h"
#include "dataplane/lb/flow_path.h"
#include "dataplane/lb/stages.h"
#include "dataplane/lb/turn.h"

namespace keepline::lb {

struct PipelineConfig {
  std::size_t connections = 1'000'000;  ///< Capacity of the table, of each family.
  unsigned half_open_percent = 25;      ///< Of that, at most for what nobody has answered yet.
  Timeouts timeouts;
  std::uint64_t hash_key = 0;  ///< See net::client_hash.
  bool full_nat = false;       ///< Whether connections may take two slots of the index.
  std::uint8_t worker = 0;     ///< Whose pipeline it is: its shards are those of this worker.
};

class Pipeline {
 public:
  Pipeline(const PipelineConfig& config, std::uint32_t now_s);

  /// Parses, classifies and looks up. `now_s` is a monotonic second count. Several bursts may have
  /// been begun; the snapshot stays published until they are finished.
  void begin(const Snapshot& snapshot, const LeaseView& leases, Burst& burst, std::uint32_t now_s,
             StageProbe* probe = nullptr);
  /// Forwards; all verdicts are there afterwards. Frames that are transmitted or answered have been
  /// rewritten in place.
  void finish(const Snapshot& snapshot, const LeaseView& leases, Burst& burst, std::uint32_t now_s,
              StageProbe* probe = nullptr);
  /// Both halves at once.
  void process(const Snapshot& snapshot, const LeaseView& leases, Burst& burst, std::uint32_t now_s,
               StageProbe* probe = nullptr) {
    begin(snapshot, leases, burst, now_s, probe);
    finish(snapshot, leases, burst, now_s, probe);
  }

  /// The worker that has the connection of such a packet. Any thread.
  std::uint8_t owner_of(const Snapshot& snapshot, const net::Endpoint& source,
                        const net::Endpoint& destination, net::Protocol protocol) const;
  /// What would become of a packet between these ends; changes nothing.
  Explanation explain(const Snapshot& snapshot, const LeaseView& leases,
                      const net::Endpoint& source, const net::Endpoint& destination,
                      net::Protocol protocol, std::uint32_t now_s) const;

  /// Forgets connections whose time is up, looking at no more than `limit` of each family.
  void expire(std::uint32_t now_s, std::size_t limit);

  const PipelineCounters& counters() const { return counters_; }
  /// For what happens to a frame after its verdict.
  void count_drop(net::Drop reason) { counters_.drop(reason); }
  /// What its schedulers weigh; see Loads::set_elsewhere.
  Loads& loads() const { return accounts_.loads(); }
  const RealCounters& real_counters(RealSlot slot) const { return accounts_.of(slot); }
  const ConnectionTable<net::V4>& connections4() const { return v4_.table(); }
  const ConnectionTable<net::V6>& connections6() const { return v6_.table(); }

 private:
  Verdict handle_other(Turn& turn, Burst& burst, std::size_t at);
  Verdict answer_arp(Turn& turn, Burst& burst, std::size_t at);
  Verdict answer_solicitation(Turn& turn, Burst& burst, std::size_t at);
  Verdict hear_claim(const Turn& turn, const Vip& vip);
  Verdict answer_echo(Turn& turn, const net::Packet& packet, const net::Parsed& parsed);
  void update_gauges();

  PipelineCounters counters_;
  Accounts accounts_;
  FlowPath<net::V4> v4_;
  FlowPath<net::V6> v6_;
};

}  // namespace keepline::lb
