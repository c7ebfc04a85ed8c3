// A port as one worker sees it: bursts of frames in and out of its own queues.
//
// One worker calls receive() and transmit() of a Port object; release(), resize() and make() may be
// called by any worker. A call costs one virtual call per burst, none per packet. A buffer belongs
// to its holder until it is transmitted or released.
#pragma once

#include <optional>
#include <span>

#include "dataplane/net/packet.h"

namespace keepline::port {

using Buffers = std::span<void* const>;  ///< Packet::buffer of each.

class Port {
 public:
  Port() = default;
  virtual ~Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// Fills `packets` from its start; returns how many.
  virtual std::size_t receive(std::span<net::Packet> packets) = 0;
  /// Takes the first n buffers, n being the result; the others stay the caller's.
  virtual std::size_t transmit(Buffers buffers) = 0;
  virtual void release(Buffers buffers) = 0;
  /// Makes the frames in the buffers begin and end where the packets say.
  virtual void resize(std::span<const net::Packet> packets) = 0;
  /// A new frame with a copy of `bytes`; nullopt when buffers have run out.
  virtual std::optional<net::Packet> make(net::Bytes bytes) = 0;

  /// Frames the driver had to throw away for lack of room, as far as it tells. Any thread.
  virtual std::uint64_t missed() const = 0;
};

}  // namespace keepline::port
