// A DPDK ethdev as a Port: one worker's receive and transmit queues of it.
//
// Opened and closed by the thread that initialised the EAL; bursts by its worker.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "dataplane/port/port.h"

struct rte_mempool;

namespace keepline::port {

/// Packet buffers shared by all ports of the daemon.
class BufferPool {
 public:
  /// Room for `buffers` frames of up to `mtu` bytes of IP. Throws std::runtime_error.
  BufferPool(unsigned buffers, unsigned mtu);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  rte_mempool* get() const { return pool_; }

 private:
  rte_mempool* pool_;
};

class EthdevPort final : public Port {
 public:
  /// Creates the virtual device `name` with DPDK's device arguments, e.g. "net_af_xdp0" and
  /// "iface=eth0,...", and starts it with `queues` receive queues. The error says what DPDK
  /// objected to.
  static tl::expected<std::unique_ptr<EthdevPort>, std::string> open(const std::string& name,
                                                                     const std::string& arguments,
                                                                     unsigned queues,
                                                                     BufferPool& pool);
  ~EthdevPort() override;

  std::size_t receive(std::span<Frame> frames) override;
  std::size_t transmit(std::span<Frame> frames) override;
  void release(std::span<Frame> frames) override;
  std::optional<Frame> make(net::Bytes bytes) override;
  std::uint64_t missed() const override;

 private:
  EthdevPort(std::uint16_t id, std::string name, unsigned queues, BufferPool& pool);

  std::uint16_t id_;
  std::string name_;
  unsigned queues_;
  unsigned next_queue_ = 0;  // receive() serves the queues in turn
  BufferPool& pool_;
};

}  // namespace keepline::port
