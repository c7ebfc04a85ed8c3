// A port as the worker sees it: bursts of frames in and out.
//
// One worker calls receive() of a port; any call costs one virtual call per burst, none per
// packet. A Frame owns a buffer of the port until it is transmitted or released.
#pragma once

#include <optional>
#include <span>

#include "dataplane/net/packet.h"

namespace keepline::port {

/// A frame and the driver's own handle of its buffer.
struct Frame {
  net::Packet packet;
  void* buffer = nullptr;
};

class Port {
 public:
  Port() = default;
  virtual ~Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// Fills `frames` from its start; returns how many.
  virtual std::size_t receive(std::span<Frame> frames) = 0;
  /// Takes the first n frames, n being the result; the others stay the caller's.
  virtual std::size_t transmit(std::span<Frame> frames) = 0;
  virtual void release(std::span<Frame> frames) = 0;
  /// A new frame with a copy of `bytes`; nullopt when buffers have run out.
  virtual std::optional<Frame> make(net::Bytes bytes) = 0;

  /// Frames the driver had to throw away for lack of room, as far as it tells. Any thread.
  virtual std::uint64_t missed() const = 0;
};

}  // namespace keepline::port
