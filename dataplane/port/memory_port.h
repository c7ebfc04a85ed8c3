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

  std::size_t receive(std::span<net::Packet> packets) override {
    std::size_t count = 0;
    for (; count < packets.size() && !arrived_.empty(); ++count) {
      packets[count] = packet_of(arrived_.front());
      arrived_.pop_front();
    }
    return count;
  }
  std::size_t transmit(Buffers buffers) override {
    std::size_t count = 0;
    for (; count < buffers.size() && transmit_room_ > 0; ++count, --transmit_room_) {
      const Frame& frame = *static_cast<Frame*>(buffers[count]);
      sent_.emplace_back(frame.room.begin() + frame.start,
                         frame.room.begin() + frame.start + frame.length);
    }
    release(buffers.first(count));
    return count;
  }
  void release(Buffers buffers) override {
    for (void* buffer : buffers) delete static_cast<Frame*>(buffer);
  }
  void resize(std::span<const net::Packet> packets) override {
    for (const net::Packet& packet : packets) {
      auto& frame = *static_cast<Frame*>(packet.buffer);
      frame.start = packet.data - frame.room.data();
      frame.length = packet.length;
    }
  }
  std::optional<net::Packet> make(net::Bytes bytes) override {
    return packet_of(FrameBytes(bytes.begin(), bytes.end()));
  }
  std::uint64_t missed() const override { return 0; }

 private:
  static constexpr std::uint16_t kHeadroom = 128;
  struct Frame {
    FrameBytes room;
    std::ptrdiff_t start = kHeadroom;
    std::ptrdiff_t length = 0;
  };
  static net::Packet packet_of(const FrameBytes& bytes) {
    auto* frame = new Frame();
    frame->room.assign(kHeadroom, 0xee);
    frame->room.insert(frame->room.end(), bytes.begin(), bytes.end());
    frame->length = static_cast<std::ptrdiff_t>(bytes.size());
    return {frame->room.data() + kHeadroom, frame, static_cast<std::uint16_t>(bytes.size()),
            kHeadroom};
  }

  std::deque<FrameBytes> arrived_;
  std::vector<FrameBytes> sent_;
  std::size_t transmit_room_ = kCapacity;
};

}  // namespace keepline::port
