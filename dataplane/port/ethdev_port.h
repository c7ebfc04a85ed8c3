// DPDK ethdevs as ports: a device, and each worker's receive and transmit queues of it.
//
// Opened and closed by the thread that initialised the EAL; bursts by the workers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "dataplane/net/addr.h"
#include "dataplane/port/buffer_pool.h"
#include "dataplane/port/mbuf_port.h"

namespace keepline::port {

class EthdevDevice;

/// Some receive queues of a device, served in turn, and the transmit queue of the first of them.
class EthdevPort final : public MbufPort {
 public:
  /// `queues` is not empty.
  EthdevPort(const EthdevDevice& device, std::vector<std::uint16_t> queues);

  std::size_t receive(std::span<net::Packet> packets) override;
  std::size_t transmit(Buffers buffers) override;
  std::uint64_t missed() const override;

 private:
  std::uint16_t id_;
  std::vector<std::uint16_t> queues_;
  std::size_t next_queue_ = 0;
};

struct DeviceOptions {
  unsigned queues = 1;  ///< Receive and transmit queues; of an owned device at most what it has.
  /// All that it hears is ours, whatever the MAC or VLAN, and the MTU is ours to set.
  bool owned = false;
  unsigned mtu = 1500;
};

class EthdevDevice {
 public:
  using Opened = tl::expected<std::unique_ptr<EthdevDevice>, std::string>;

  /// Creates the virtual device `name` with DPDK's device arguments, e.g. "net_af_xdp0" and
  /// "iface=eth0,...", and starts it. The error says what DPDK objected to.
  static Opened open(const std::string& name, const std::string& arguments,
                     const DeviceOptions& options, BufferPool& pool);
  /// Starts the device that DPDK found at start, by its name or PCI address.
  static Opened find(const std::string& name, const DeviceOptions& options, BufferPool& pool);
  /// Starts a device that is already there, such as rte_eth_from_rings() makes.
  static Opened adopt(std::uint16_t id, const DeviceOptions& options, BufferPool& pool);
  ~EthdevDevice();
  EthdevDevice(const EthdevDevice&) = delete;
  EthdevDevice& operator=(const EthdevDevice&) = delete;

  std::uint16_t id() const { return id_; }
  rte_mempool* pool() const { return pool_; }
  unsigned queues() const { return queues_; }
  net::Mac mac() const;
  /// Whether there is a cable; asks the device. True when it cannot tell.
  bool link_up() const;
  std::uint64_t missed() const;

 private:
  EthdevDevice(std::uint16_t id, rte_mempool* pool);

  std::uint16_t id_;
  std::string name_;  // empty: not created by us
  unsigned queues_ = 0;
  rte_mempool* pool_;
};

}  // namespace keepline::port
