// A port that makes its own traffic: for tests in which workers run on threads of their own.
//
// Each object belongs to one worker, with frames from memory of its own; whoever transmits one
// gives it back through an atomic flag. Frames that leave are checked for their checksums and
// counted.
#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <vector>

#include "dataplane/port/port.h"
#include "tests/golden/frames.h"

namespace keepline::worker {

class alignas(64) GeneratorPort final : public port::Port {
 public:
  using FrameBytes = testing::FrameBytes;
  static constexpr std::size_t kFrames = 1024;

  /// `count` frames arrive: first each of `first`, then those of `then` again and again.
  GeneratorPort(std::uint64_t count, std::vector<FrameBytes> first, std::vector<FrameBytes> then)
      : count_(count), first_(std::move(first)), then_(std::move(then)), slots_(kFrames) {}

  std::size_t receive(std::span<net::Packet> packets) override;
  std::size_t transmit(port::Buffers buffers) override {
    for (void* buffer : buffers) {
      const Slot& slot = *static_cast<Slot*>(buffer);
      if (!testing::checksums_ok({slot.bytes, slot.length})) ++damaged_;
      ++sent_;
    }
    release(buffers);
    return buffers.size();
  }
  void release(port::Buffers buffers) override {
    for (void* buffer : buffers) {
      static_cast<Slot*>(buffer)->used.store(false, std::memory_order_release);
    }
  }
  void resize(std::span<const net::Packet>) override {}
  std::optional<net::Packet> make(net::Bytes) override { return std::nullopt; }
  std::uint64_t missed() const override { return 0; }

  std::uint64_t sent() const { return sent_; }
  std::uint64_t damaged() const { return damaged_; }
  /// Whether the address lies in one of its frames.
  bool is_frame(std::uintptr_t address) const {
    const auto start = reinterpret_cast<std::uintptr_t>(slots_.data());
    return address >= start && address < start + slots_.size() * sizeof(Slot);
  }

 private:
  struct alignas(64) Slot {
    std::uint8_t bytes[256];
    std::size_t length = 0;
    alignas(64) std::atomic<bool> used{false};
  };
  Slot* free_slot() {
    for (std::size_t tried = 0; tried < 64; ++tried) {
      Slot& slot = slots_[position_++ % kFrames];
      if (!slot.used.load(std::memory_order_acquire)) {
        slot.used.store(true, std::memory_order_relaxed);
        return &slot;
      }
    }
    return nullptr;
  }

  const std::uint64_t count_;
  std::vector<FrameBytes> first_;
  std::vector<FrameBytes> then_;
  std::vector<Slot> slots_;
  std::size_t position_ = 0;
  std::atomic<std::uint64_t> made_{0};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> damaged_{0};
};

inline std::size_t GeneratorPort::receive(std::span<net::Packet> packets) {
  std::size_t made = 0;
  for (; made < packets.size() && made_ < count_; ++made) {
    Slot* slot = free_slot();
    if (slot == nullptr) break;
    const std::uint64_t number = made_++;
    const FrameBytes& bytes =
        number < first_.size() ? first_[number] : then_[number % then_.size()];
    std::memcpy(slot->bytes, bytes.data(), bytes.size());
    slot->length = bytes.size();
    packets[made] = {slot->bytes, slot, static_cast<std::uint16_t>(bytes.size()), 0};
  }
  return made;
}

}  // namespace keepline::worker
