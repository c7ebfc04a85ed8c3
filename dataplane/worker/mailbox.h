// The bounded queues between control and one worker, and the doorbell of all workers.
//
// Boost.Lockfree single-producer single-consumer queues: neither side ever waits. Three lead to
// control, so that a flood of one kind never delays an advert. Full = refused, and the refuser
// counts it. The doorbell wakes a control thread that sleeps in its event loop.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <memory>
#include <optional>
#include <stdexcept>

#include "dataplane/bfd/session_table.h"
#include "dataplane/lb/conn/connection_filter.h"
#include "dataplane/lb/explanation.h"
#include "dataplane/lb/pipeline.h"
#include "dataplane/worker/capture.h"

namespace keepline::worker {

/// Longest frame that passes through a mailbox: the longest VRRP advert with 255 addresses.
inline constexpr std::size_t kMaxMailFrame = 1520;

struct MailFrame {
  net::PortId port = net::kNoPort;
  std::uint16_t length = 0;
  std::uint64_t not_after = 0;  ///< Ticks; to the worker: worthless when sent later.
  std::array<std::uint8_t, kMaxMailFrame> bytes;

  void assign(net::Bytes data) {
    length = static_cast<std::uint16_t>(std::min(data.size(), kMaxMailFrame));
    std::copy_n(data.begin(), length, bytes.begin());
  }
};

/// Asks for a page of connections, from a position of the table on.
struct ListingRequest {
  std::uint32_t number = 0;  ///< Chosen by who asks; comes back with the answers.
  std::uint64_t position = 0;
  lb::ConnectionFilter filter;
};

/// One connection, of either family.
struct ConnectionView {
  net::Endpoint client;
  net::Endpoint vip;
  net::Endpoint real;
  net::Endpoint local;  ///< The client itself, but for FULLNAT.
  net::Protocol protocol{};
  lb::FlowState state{};
  lb::Method method{};
  lb::RealSlot real_slot = 0;  ///< Of a tunnel, whose server may be of the other family.
};

template <typename F>
ConnectionView view_of(const lb::Connection<F>& c) {
  return {{F::generic(c.client), c.client_port.value()},
          {F::generic(c.vip), c.vip_port.value()},
          {F::generic(c.real), c.real_port.value()},
          {F::generic(c.local), c.local_port.value()},
          c.flow_protocol(),
          c.state,
          c.method,
          c.real_slot};
}

/// One connection of a page, or its end.
struct ConnectionRecord {
  ConnectionView connection;
  std::uint32_t listing = 0;        ///< The request's number.
  std::uint32_t remaining_s = 0;    ///< Until it is forgotten.
  bool is_end = false;              ///< Carries no connection.
  std::uint64_t next_position = 0;  ///< With is_end: where the next page begins; 0 = no more.
};

/// Asks what would become of a packet.
struct ExplainRequest {
  std::uint32_t number = 0;  ///< Chosen by who asks; comes back with the answer.
  net::Endpoint source;
  net::Endpoint destination;
  net::Protocol protocol = net::Protocol::kTcp;
};

struct ExplainRecord {
  std::uint32_t number = 0;  ///< The request's.
  lb::Explanation explanation;
};

/// What a BFD session shall be; see bfd::SessionTable.
struct BfdOrder {
  bfd::SessionNumber number = 0;
  std::optional<bfd::SessionConfig> config;  ///< Nothing: it is to stop.
};

/// What has become of a BFD session.
struct BfdEvent {
  bfd::SessionNumber number = 0;
  bool is_end = false;  ///< It was stopped and has said so; the number is free.
  bfd::StateChanged change;
  /// How often the neighbour was to be heard before that, at least.
  std::int64_t rx_interval_us = 0;
};

/// Wakes control through an eventfd, with one system call per sleep of control at most.
class Doorbell {
 public:
  Doorbell() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("eventfd");
  }
  ~Doorbell() { close(fd_); }
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  int fd() const { return fd_; }
  /// Control, before it looks into the queues a last time and goes to sleep.
  void arm() { armed_.store(true, std::memory_order_seq_cst); }
  /// Control, when it has heard it.
  void silence() {
    std::uint64_t rung = 0;
    [[maybe_unused]] const ssize_t taken = read(fd_, &rung, sizeof rung);
  }
  /// Worker, after it has put something into a queue.
  void ring() {
    if (!armed_.exchange(false, std::memory_order_seq_cst)) return;
    const std::uint64_t one = 1;
    // EAGAIN means that it rings already.
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
  }

 private:
  int fd_;
  std::atomic<bool> armed_{false};
};

template <typename T, std::size_t kCapacity>
using Queue = boost::lockfree::spsc_queue<T, boost::lockfree::capacity<kCapacity>>;

struct Mailbox {
  /// As many adverts as 255 instances with four peers each have to send at once.
  static constexpr std::size_t kFrames = 1024;
  // Control -> worker.
  /// To send, by port: adverts and gratuitous ARP. A port that takes nothing holds up no other.
  std::array<Queue<MailFrame, kFrames>, net::kMaxPorts> frames;
  Queue<ListingRequest, 32> listings;  ///< Pages of connections to list.
  /// As many as a reload can make of all sessions, twice.
  Queue<BfdOrder, 4 * bfd::kMaxSessions> bfd_orders;
  Queue<ExplainRequest, 32> questions;          ///< Packets to explain.
  Queue<std::shared_ptr<Capture>, 4> captures;  ///< The one to go on with; nullptr: none.
  // Worker -> control.
  Queue<MailFrame, 1024> adverts;
  Queue<lb::NeighbourSeen, 1024> neighbours;
  Queue<ConnectionRecord, 1024> connections;
  Queue<ExplainRecord, 32> explanations;
  Queue<BfdEvent, 4 * bfd::kMaxSessions> bfd_events;  ///< One lost is seen on the BfdBoard.
};

}  // namespace keepline::worker
