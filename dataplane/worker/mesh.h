// The rings between workers: frames whose connection lives on another worker, and frames to be sent
// through a port of which a worker has no queue.
//
// One single-producer single-consumer ring for each ordered pair of workers; nobody waits. A full
// ring refuses, and the sender drops and counts (hand_off_full). These rings, and the frames that
// pass through them, are the only memory that two workers write while they forward.
#pragma once

#include <boost/lockfree/spsc_queue.hpp>
#include <memory>

#include "dataplane/net/packet.h"

namespace keepline::worker {

/// Most workers of a daemon.
inline constexpr unsigned kMaxWorkers = 16;

struct HandOver {
  net::Packet packet;
  net::PortId port = net::kNoPort;  ///< That it arrived on, or that it is to leave through.
  bool transmit = false;            ///< Finished: only to be sent.
};

class Mesh {
 public:
  static constexpr std::size_t kCapacity = 2048;
  using Ring = boost::lockfree::spsc_queue<HandOver, boost::lockfree::capacity<kCapacity>>;

  explicit Mesh(unsigned workers)
      : workers_(workers), rings_(std::make_unique<Ring[]>(std::size_t{workers} * workers)) {}

  unsigned workers() const { return workers_; }
  /// Pushed into by worker `from` alone, popped by worker `to` alone.
  Ring& ring(unsigned from, unsigned to) { return rings_[std::size_t{from} * workers_ + to]; }

 private:
  unsigned workers_;
  std::unique_ptr<Ring[]> rings_;
};

}  // namespace keepline::worker
