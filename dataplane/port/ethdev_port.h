// DPDK ethdevs as ports: a device, and each worker's receive and transmit queues of it.
//
// Opened and closed by the thread that initialised the EAL; bursts by the workers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "dataplane/port/buffer_pool.h"
#include "dataplane/port/port.h"

namespace keepline::port {

class EthdevDevice;

/// Some receive queues of a device, served in turn, and the transmit queue of the first of them.
class EthdevPort final : public Port {
 public:
  /// `queues` is not empty.
  EthdevPort(const EthdevDevice& device, std::vector<std::uint16_t> queues);

  std::size_t receive(std::span<net::Packet> packets) override;
  std::size_t transmit(Buffers buffers) override;
  void release(Buffers buffers) override;
  void resize(std::span<const net::Packet> packets) override;
  std::optional<net::Packet> make(net::Bytes bytes) override;
  std::uint64_t missed() const override;

 private:
  std::uint16_t id_;
  std::vector<std::uint16_t> queues_;
  std::size_t next_queue_ = 0;
  rte_mempool* pool_;
};

class EthdevDevice {
 public:
  /// Creates the virtual device `name` with DPDK's device arguments, e.g. "net_af_xdp0" and
  /// "iface=eth0,...", and starts it with `queues` receive and transmit queues. The error says
  /// what DPDK objected to.
  static tl::expected<std::unique_ptr<EthdevDevice>, std::string> open(const std::string& name,
                                                                       const std::string& arguments,
                                                                       unsigned queues,
                                                                       BufferPool& pool);
  /// Starts a device that is already there, such as rte_eth_from_rings() makes.
  static tl::expected<std::unique_ptr<EthdevDevice>, std::string> adopt(std::uint16_t id,
                                                                        unsigned queues,
                                                                        BufferPool& pool);
  ~EthdevDevice();
  EthdevDevice(const EthdevDevice&) = delete;
  EthdevDevice& operator=(const EthdevDevice&) = delete;

  std::uint16_t id() const { return id_; }
  rte_mempool* pool() const { return pool_; }
  std::uint64_t missed() const;

 private:
  EthdevDevice(std::uint16_t id, std::string name, rte_mempool* pool);

  std::uint16_t id_;
  std::string name_;  // empty: not created by us
  rte_mempool* pool_;
};

}  // namespace keepline::port
