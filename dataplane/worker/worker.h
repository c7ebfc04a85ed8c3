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
#include "dataplane/worker/bfd_desk.h"
#include "dataplane/worker/idle.h"
#include "dataplane/worker/mailbox.h"
#include "dataplane/worker/mesh.h"
#include "dataplane/worker/stage_sampler.h"

namespace keepline::worker {

struct WorkerCounters {
  lb::Counter turns;  ///< Rounds of the loop: the heartbeat.
  lb::Counter busy_turns;
  lb::Counter sleeps;
  lb::Counter stale_mail;   ///< Frames of control that came too late to be sent.
  lb::Counter handed_over;  ///< Frames given to other workers.
  lb::Counter taken_over;   ///< Frames taken from other workers.
  std::array<lb::Counter, net::kMaxPorts> received;
  std::array<lb::Counter, net::kMaxPorts> transmitted;
};

class Worker final : private FrameSender {
 public:
  struct Wiring {
    unsigned id = 0;  ///< Reader id in the RCU domain, and place in the mesh.
    /// This worker's queues, by port; nullptr: it has none of that port.
    std::vector<port::Port*> ports;
    /// By port: the worker that sends for those without a queue.
    std::vector<std::uint8_t> owners;
    port::Port* any_port = nullptr;  ///< To release buffers through: all are of one pool.
    Mesh* mesh = nullptr;
    Doorbell* doorbell = nullptr;
    rcu::Domain* domain = nullptr;
    const rcu::Cell<lb::Snapshot>* snapshot = nullptr;
    lb::LeaseTable* leases = nullptr;
    const TickSource* ticks = nullptr;
  };

  Worker(const Wiring& wiring, const lb::PipelineConfig& pipeline, IdleMode idle);

  /// Until stop(). On the worker's lcore.
  void run();
  /// One round of the loop; true when there was something to do. For run() and for tests.
  bool turn();
  void stop() { stop_.store(true, std::memory_order_relaxed); }

  Mailbox& mailbox() { return *mailbox_; }
  const WorkerCounters& counters() const { return counters_; }
  const lb::Pipeline& pipeline() const { return pipeline_; }
  /// Any thread may read its figures and switch it.
  StageSampler& stages() { return stages_; }
  /// nullptr: the BFD sessions are another worker's.
  const BfdBoard* bfd_board() const { return bfd_ != nullptr ? &bfd_->board() : nullptr; }
  const StageSampler& stages() const { return stages_; }

 private:
  /// Buffers waiting for a port's transmit ring; what does not fit is dropped and counted.
  struct TxBuffer {
    std::array<void*, net::kBurstSize> buffers;
    std::size_t count = 0;
  };
  /// Frames waiting for another worker's ring.
  struct Outbound {
    std::array<HandOver, net::kBurstSize> frames;
    std::size_t count = 0;
  };

  void sleep_us(std::uint32_t us);
  void note_gap(std::uint64_t now);
  bool must_wait();
  bool receive(const lb::Snapshot& snapshot, net::PortId id);
  bool relay(net::PortId from, net::PortId to);
  bool receive_measured(const lb::Snapshot& snapshot, net::PortId id);
  bool take(lb::Burst& burst, net::PortId id);
  lb::LeaseView look_at_leases();
  void finish(const lb::Snapshot& snapshot, const lb::LeaseView& leases, lb::Burst& burst);
  void flush_all();
  void carry_out(const lb::Burst& burst);
  void carry_out(const lb::Verdict& verdict, net::PortId arrival, const net::Packet& packet);
  std::size_t queue_run(const lb::Burst& burst, std::size_t from);
  void send_frame(net::PortId port, net::Bytes frame) override;
  void hand_to_control(net::PortId id, const net::Packet& packet);
  void queue_transmit(net::PortId id, const net::Packet& packet);
  void hand_over(unsigned worker, const HandOver& frame);
  bool take_over(const lb::Snapshot* snapshot, unsigned from);
  void release(const net::Packet& packet);
  std::size_t slot_of(const lb::Burst& burst) const {
    return static_cast<std::size_t>(&burst - bursts_.data());
  }
  void flush(net::PortId id);
  void flush_hand_over(unsigned worker);
  bool send_mail(net::PortId id);
  bool list_connections();
  bool explain(const lb::Snapshot* snapshot);
  void list_page(const ListingRequest& request);

  unsigned id_;
  std::vector<port::Port*> ports_;
  std::vector<std::uint8_t> owners_;
  port::Port* any_port_;
  rcu::Domain& domain_;
  const rcu::Cell<lb::Snapshot>& snapshot_;
  lb::LeaseTable& leases_;
  const TickSource& ticks_;
  Mesh& mesh_;
  Doorbell& doorbell_;
  lb::Pipeline pipeline_;
  Idle idle_;
  std::unique_ptr<Mailbox> mailbox_ = std::make_unique<Mailbox>();  // too large for a stack
  std::unique_ptr<BfdDesk> bfd_;                                    // of worker lb::kBfdWorker
  WorkerCounters counters_;
  StageSampler stages_;
  const std::size_t room_per_turn_;  // in each ring to other workers, frames
  std::atomic<bool> stop_{false};

  std::shared_ptr<Capture> capture_;  // nullptr: nobody looks
  std::array<lb::Burst, 2> bursts_;   // begun in turn: one is finished while the next is fetched
  std::array<TxBuffer, net::kMaxPorts> tx_;
  std::array<Outbound, kMaxWorkers> outbound_;
  std::size_t bursts_this_turn_ = 0;
  bfd::Inbox inbox_ = bfd::Inbox::kEmpty;  // after what was received in this turn
  std::uint64_t last_turn_ = 0;
  std::uint64_t resumed_ = 0;    // end of the last noticeable gap between turns
  std::uint64_t gap_ = 0;        // its length, in ticks
  std::size_t waited_room_ = 0;  // what was free in the rings when it last changed; 0: not waiting
  std::uint64_t waited_since_ = 0;
  std::uint32_t now_s_ = 0;
  std::uint64_t next_second_ = 0;
};

}  // namespace keepline::worker
