// A frame in the pipeline and a burst of them.
//
// PURE. This is the seam to DPDK: whoever received the frames keeps them alive and owns their
// memory; the pipeline sees only where the bytes are and may rewrite them in place.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/net/bytes.h"

namespace keepline::net {

/// Most frames handled in one turn of a worker.
inline constexpr std::size_t kBurstSize = 32;

/// Some of a burst's frames, by their place in it, in order.
struct Places {
  std::size_t count = 0;
  std::array<std::uint16_t, kBurstSize> at;  ///< Not bytes, which may alias anything.
};

/// Index of a dataplane port within this daemon, 0-based; the worker's port array has this order.
using PortId = std::uint8_t;
inline constexpr std::size_t kMaxPorts = 32;
inline constexpr PortId kNoPort = 0xff;

/// One Ethernet frame without FCS, in memory that somebody else owns.
struct Packet {
  std::uint8_t* data = nullptr;
  void* buffer = nullptr;  ///< The driver's handle; nothing to anybody but the port.
  std::uint16_t length = 0;
  std::uint16_t headroom = 0;  ///< Writable bytes before `data`.

  MutableBytes bytes() const { return {data, length}; }
  template <typename Header>
  Header* at(std::size_t offset) const {
    return reinterpret_cast<Header*>(data + offset);
  }
};

}  // namespace keepline::net
