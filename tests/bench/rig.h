// The benchmark's rig: the real worker on a net_null port whose received buffers are filled by a
// Source, one balanced service with kServers servers.
//
// Used by the main thread; the workers run on lcores of their own while run() lasts.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/lb/snapshot_builder.h"
#include "dataplane/port/ethdev_port.h"
#include "dataplane/worker/eal.h"
#include "dataplane/worker/worker.h"
#include "tests/bench/traffic.h"

struct rte_eth_rxtx_callback;

namespace keepline::bench {

struct RigConfig {
  lb::Method method = lb::Method::kNat;
  bool syn_proxy = false;
  int family = 4;
  unsigned workers = 1;
  std::size_t connections = 1 << 20;
  unsigned half_open_percent = 100;
  std::uint64_t clock_factor = 1;  ///< The worker's time runs so much faster.
};

/// What only one process can have once: DPDK, a device, its buffers.
class Ground {
 public:
  explicit Ground(unsigned workers);
  worker::Eal& eal() { return eal_; }
  bool hugepages() const { return eal_.hugepages(); }

 private:
  friend class Rig;
  worker::Eal eal_;
  port::BufferPool pool_;
};

class Rig {
 public:
  Rig(Ground& ground, const RigConfig& config);
  ~Rig();

  /// Runs the workers until each has received `packets` of its source (by worker), or for
  /// `seconds` when zero.
  struct Taken {
    double wall_s = 0;  ///< Of the worker that took longest.
    double cpu_s = 0;   ///< Processor time of all workers.
  };
  Taken run(std::vector<Source*> sources, std::uint64_t packets, double seconds);

  /// Whether the workers sample their stages.
  void sample_stages(bool on);
  /// Seconds that one turn of the first worker takes, on the calling thread.
  double turn(Source& source);

  std::uint64_t received() const;
  const worker::Worker& worker(unsigned index) const { return *workers_[index]; }
  std::uint64_t drops() const;
  /// By reason, such as "no_connection=3".
  std::string drop_reasons() const;
  lb::SnapshotBuilder& builder() { return builder_; }
  void publish();

 private:
  class Clock;
  class Gate;
  Taken run_one(unsigned index, std::uint64_t packets, std::uint64_t ticks);
  void finish(unsigned index, std::atomic<std::size_t>& running);
  void make_world(const RigConfig& config);

  Ground& ground_;
  RigConfig config_;
  std::unique_ptr<port::EthdevDevice> device_;
  std::vector<std::unique_ptr<Gate>> ports_;
  std::unique_ptr<Clock> clock_;
  rcu::Domain domain_;
  rcu::Cell<lb::Snapshot> snapshot_{domain_};
  std::unique_ptr<lb::LeaseTable> leases_;
  worker::Mesh mesh_;
  worker::Doorbell doorbell_;
  lb::SnapshotBuilder builder_;
  std::vector<std::unique_ptr<worker::Worker>> workers_;
  std::vector<std::unique_ptr<Source*>> sources_;  // where the callbacks find theirs
  std::vector<const rte_eth_rxtx_callback*> callbacks_;
};

}  // namespace keepline::bench
