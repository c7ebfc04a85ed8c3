// Several ports on one device: a VLAN each, and one for frames without a tag.
//
// One worker's. Frames are received without their tag, and are tagged when they are sent: what
// handles them knows no VLANs. A VlanTrunk outlives its ports.
#pragma once

#include <array>
#include <vector>

#include "dataplane/port/mbuf_port.h"

namespace keepline::port {

class VlanPort;

/// Deals out what a worker's queues of a device receive.
class VlanTrunk {
 public:
  static constexpr std::uint16_t kUntagged = 0;

  /// `device`: the worker's queues. It has to outlive the trunk.
  explicit VlanTrunk(Port& device);

 private:
  friend class VlanPort;
  void add(VlanPort& port);
  /// A burst of frames to their ports, if each has room for it. Those of VLANs without a port go as
  /// they are to the port for frames without a tag; without that one, they are lost.
  void poll();
  VlanPort* port_of(net::Packet& packet, bool& stripped);

  Port& device_;
  std::vector<VlanPort*> ports_;
  std::array<VlanPort*, 4096> by_vlan_{};
};

class VlanPort final : public MbufPort {
 public:
  /// `vlan`: 1..4094, or VlanTrunk::kUntagged.
  VlanPort(VlanTrunk& trunk, std::uint16_t vlan, rte_mempool* pool);

  std::size_t receive(std::span<net::Packet> packets) override;
  std::size_t transmit(Buffers buffers) override;
  /// The device's, of all its ports together.
  std::uint64_t missed() const override { return trunk_.device_.missed(); }

 private:
  friend class VlanTrunk;
  static constexpr std::size_t kWaiting = 2 * net::kBurstSize;
  std::size_t room() const { return kWaiting - count_; }
  void arrive(const net::Packet& packet) { waiting_[count_++] = packet; }

  VlanTrunk& trunk_;
  std::uint16_t vlan_;
  std::size_t count_ = 0;
  std::array<net::Packet, kWaiting> waiting_;
};

}  // namespace keepline::port
