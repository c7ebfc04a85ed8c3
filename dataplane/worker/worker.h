// One worker: the loop that carries bursts from ports through the pipeline to ports.
//
// run() is called on the worker's lcore and owns everything here until it returns; the control
// thread talks to it through the mailbox, the leases and the published snapshot, and reads its
// counters. It takes no lock, allocates nothing and logs nothing; the only system calls are the
// drivers' and the sleeps of the idle mode.
#pragma once

#include <array>
#include <atomic>
#include <span>
#include <vector>

#include "dataplane/lb/pipeline.h"
#include "dataplane/port/port.h"
#include "dataplane/rcu/rcu.h"
#include "dataplane/worker/idle.h"
#include "dataplane/worker/mailbox.h"

namespace keepline::worker {

struct WorkerCounters {
  lb::Counter turns;  ///< Rounds of the loop: the heartbeat.
  lb::Counter busy_turns;
  lb::Counter sleeps;
  lb::Counter stale_mail;  ///< Frames of control that came too late to be sent.
  std::array<lb::Counter, net::kMaxPorts> received;
  std::array<lb::Counter, net::kMaxPorts> transmitted;
};

/// The time that a worker goes by; the TSC in production.
class TickSource {
 public:
  virtual ~TickSource() = default;
  virtual std::uint64_t now() const = 0;
  virtual std::uint64_t hz() const = 0;
};

class Worker {
 public:
  struct Wiring {
    unsigned id = 0;  ///< Reader id in the RCU domain.
    std::vector<port::Port*> ports;
    rcu::Domain* domain = nullptr;
    const rcu::Cell<lb::Snapshot>* snapshot = nullptr;
    const lb::LeaseTable* leases = nullptr;
    const TickSource* ticks = nullptr;
  };

  Worker(const Wiring& wiring, const lb::PipelineConfig& pipeline, IdleMode idle);

  /// Until stop(). On the worker's lcore.
  void run();
  /// One round of the loop; true when there was something to do. For run() and for tests.
  bool turn();
  void stop() { stop_.store(true, std::memory_order_relaxed); }

  Mailbox& mailbox() { return mailbox_; }
  const WorkerCounters& counters() const { return counters_; }
  const lb::Pipeline& pipeline() const { return pipeline_; }

 private:
  /// Frames waiting for a port's transmit ring; what does not fit is dropped and counted.
  struct TxBuffer {
    std::array<port::Frame, net::kBurstSize> frames;
    std::size_t count = 0;
  };

  void sleep_us(std::uint32_t us);
  void note_gap(std::uint64_t now);
  bool receive(const lb::Snapshot& snapshot, net::PortId id);
  void carry_out(net::PortId id, std::span<port::Frame> frames);
  void hand_to_control(net::PortId id, const port::Frame& frame);
  void queue_transmit(net::PortId id, const port::Frame& frame);
  void flush(net::PortId id);
  bool send_mail(net::PortId id, std::uint64_t now);
  bool list_connections();
  void list_page(const ListingRequest& request);

  unsigned id_;
  std::vector<port::Port*> ports_;
  rcu::Domain& domain_;
  const rcu::Cell<lb::Snapshot>& snapshot_;
  const lb::LeaseTable& leases_;
  const TickSource& ticks_;
  lb::Pipeline pipeline_;
  Idle idle_;
  Mailbox mailbox_;
  WorkerCounters counters_;
  std::atomic<bool> stop_{false};

  lb::BurstResult result_;
  std::array<TxBuffer, net::kMaxPorts> tx_;
  std::uint64_t last_turn_ = 0;
  std::uint64_t resumed_ = 0;  // end of the last noticeable gap between turns
  std::uint64_t gap_ = 0;      // its length, in ticks
  std::uint32_t now_s_ = 0;
  std::uint64_t next_second_ = 0;
};

}  // namespace keepline::worker
