// A bond's NICs as one port. The bond itself is the kernel's: its LACP, its monitoring, its choice.
//
// BondState is written by control and read by the workers; a BondPort is one worker's.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "dataplane/port/port.h"

namespace keepline::port {

/// Which of the NICs carry traffic right now.
class BondState {
 public:
  static constexpr std::size_t kMaxNics = 32;

  /// Bit n: the n-th NIC carries traffic. None at first.
  void use(std::uint32_t nics) { nics_.store(nics, std::memory_order_relaxed); }
  std::uint32_t in_use() const { return nics_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> nics_{0};
};

class BondPort final : public Port {
 public:
  /// `nics`: the worker's queues of each, in the order of the state's bits; not empty, at most
  /// BondState::kMaxNics. All have their buffers from one pool.
  BondPort(const BondState& state, std::vector<std::unique_ptr<Port>> nics);

  /// From each NIC in turn. What one receives that carries no traffic is a copy: released.
  std::size_t receive(std::span<net::Packet> packets) override;
  /// The frames of a flow through the same NIC, as long as the same ones carry traffic.
  std::size_t transmit(Buffers buffers) override;
  void release(Buffers buffers) override { nics_.front()->release(buffers); }
  void resize(std::span<const net::Packet> packets) override { nics_.front()->resize(packets); }
  std::optional<net::Packet> make(net::Bytes bytes) override { return nics_.front()->make(bytes); }
  std::uint64_t missed() const override;

 private:
  const BondState& state_;
  std::vector<std::unique_ptr<Port>> nics_;
  std::size_t next_ = 0;
};

/// A number for an Ethernet frame that is the same for all frames between the same two ends:
/// addresses and ports, or what there is of them.
std::uint32_t ends_hash(net::Bytes frame);

}  // namespace keepline::port
