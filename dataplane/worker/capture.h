// The frames of one worker for somebody who captures: as they come in and as they leave.
//
// The worker matches and pushes, control pops; a full ring loses frames, which are counted. Exists
// only while a capture runs: 1.6 MB, and for every frame the filter twice and a copy. Frames that
// other workers hand over were seen coming in by them.
#pragma once

#include <sys/types.h>
// It needs the one above.
#include <pcap/bpf.h>

#include <array>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/lb/burst.h"
#include "dataplane/lb/counters.h"

namespace keepline::worker {

struct CapturedFrame {
  static constexpr std::size_t kMostKept = 1536;
  enum class Way : std::uint8_t { kIn, kOut };

  std::uint64_t time_ns = 0;  ///< Since 1970.
  net::PortId port = net::kNoPort;
  Way way = Way::kIn;
  bool dropped = false;      ///< Came in and goes nowhere.
  std::uint16_t length = 0;  ///< Of the frame.
  std::uint16_t kept = 0;    ///< Bytes of it that are here.
  std::array<std::uint8_t, kMostKept> bytes;
};

class Capture {
 public:
  static constexpr std::size_t kFrames = 1024;

  /// An empty filter matches everything. `kept` bytes of each frame at most.
  Capture(std::vector<bpf_insn> filter, std::uint16_t kept);

  /// Worker: frames that came in, before they are handled. `slot` tells two bursts apart that are
  /// under way at a time.
  void arriving(const lb::Burst& burst, std::size_t slot);
  /// Worker: the same ones, before their verdicts are carried out. A frame is kept as it came and
  /// as it leaves when either matches.
  void leaving(const lb::Burst& burst, std::size_t slot);
  /// Worker: a frame of our own.
  void made(net::PortId port, net::Bytes frame);

  /// Control: calls `each(frame)` for at most `most` of them; how many there were.
  template <typename Each>
  std::size_t drain(std::size_t most, Each&& each) {
    std::size_t count = 0;
    for (; count < most && ring_.read_available() > 0; ++count) {
      each(ring_.front());
      ring_.pop();
    }
    return count;
  }
  /// Any thread: frames that matched, and those of them that found no room.
  std::uint64_t matched() const { return matched_.get(); }
  std::uint64_t missed() const { return missed_.get(); }

 private:
  struct Arrived {
    std::uint64_t time_ns = 0;
    std::array<bool, net::kBurstSize> matches{};
    std::array<std::uint16_t, net::kBurstSize> length{};
    std::array<std::array<std::uint8_t, CapturedFrame::kMostKept>, net::kBurstSize> bytes;
  };
  bool matches(net::Bytes frame) const;
  void push(CapturedFrame::Way way, net::PortId port, std::uint64_t time_ns, std::size_t length,
            net::Bytes kept, bool dropped);

  std::vector<bpf_insn> filter_;
  std::uint16_t kept_;
  std::array<Arrived, 2> arrived_;
  boost::lockfree::spsc_queue<CapturedFrame, boost::lockfree::capacity<kFrames>> ring_;
  CapturedFrame scratch_;
  lb::Counter matched_;
  lb::Counter missed_;
};

}  // namespace keepline::worker
