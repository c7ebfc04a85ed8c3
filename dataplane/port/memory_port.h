// An in-memory port for tests: frames are put in by hand and taken out by hand.
//
// Single-threaded; bounded by kCapacity frames each way, so that tests of overload are possible.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "dataplane/port/port.h"

namespace keepline::port {

class MemoryPort final : public Port {
 public:
  static constexpr std::size_t kCapacity = 4096;
  using FrameBytes = std::vector<std::uint8_t>;

  /// Test side: a frame arrives. False: the ring is full.
  bool arrive(FrameBytes bytes) {
    if (arrived_.size() >= kCapacity) return false;
    arrived_.push_back(std::move(bytes));
    return true;
  }
  /// Test side: everything sent since the last call.
  std::vector<FrameBytes> take_sent() { return std::exchange(sent_, {}); }
  /// Test side: how many frames transmit() will still accept.
  void limit_transmit(std::size_t frames) { transmit_room_ = frames; }

  std::size_t receive(std::span<Frame> frames) override {
    std::size_t count = 0;
    for (; count < frames.size() && !arrived_.empty(); ++count) {
      frames[count] = frame_of(std::move(arrived_.front()));
      arrived_.pop_front();
    }
    return count;
  }
  std::size_t transmit(std::span<Frame> frames) override {
    std::size_t count = 0;
    for (; count < frames.size() && transmit_room_ > 0; ++count, --transmit_room_) {
      const net::Packet& packet = frames[count].packet;
      sent_.emplace_back(packet.data, packet.data + packet.length);
    }
    release(frames.first(count));
    return count;
  }
  void release(std::span<Frame> frames) override {
    for (Frame& frame : frames) delete static_cast<FrameBytes*>(frame.buffer);
  }
  std::optional<Frame> make(net::Bytes bytes) override {
    return frame_of({bytes.begin(), bytes.end()});
  }
  std::uint64_t missed() const override { return 0; }

 private:
  static Frame frame_of(FrameBytes bytes) {
    auto* owned = new FrameBytes(std::move(bytes));
    return {{owned->data(), static_cast<std::uint16_t>(owned->size()), 0}, owned};
  }

  std::deque<FrameBytes> arrived_;
  std::vector<FrameBytes> sent_;
  std::size_t transmit_room_ = kCapacity;
};

}  // namespace keepline::port
