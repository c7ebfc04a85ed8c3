#include "dataplane/worker/capture.h"

#include <algorithm>
#include <cstring>
#include <ctime>

namespace keepline::worker {

namespace {

std::uint64_t time_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

Capture::Capture(std::vector<bpf_insn> filter, std::uint16_t kept)
    : filter_(std::move(filter)), kept_(std::min<std::uint16_t>(kept, CapturedFrame::kMostKept)) {}

bool Capture::matches(net::Bytes frame) const {
  if (filter_.empty()) return true;
  const auto length = static_cast<unsigned>(frame.size());
  return bpf_filter(filter_.data(), frame.data(), length, length) != 0;
}

void Capture::push(CapturedFrame::Way way, net::PortId port, std::uint64_t when, std::size_t length,
                   net::Bytes kept, bool dropped) {
  matched_.add();
  if (ring_.write_available() == 0) {
    missed_.add();
    return;
  }
  scratch_.time_ns = when;
  scratch_.port = port;
  scratch_.way = way;
  scratch_.dropped = dropped;
  scratch_.length = static_cast<std::uint16_t>(length);
  scratch_.kept = static_cast<std::uint16_t>(std::min<std::size_t>(kept.size(), kept_));
  std::memcpy(scratch_.bytes.data(), kept.data(), scratch_.kept);
  ring_.push(scratch_);
}

void Capture::arriving(const lb::Burst& burst, std::size_t slot) {
  Arrived& arrived = arrived_[slot];
  arrived.time_ns = time_ns();
  for (std::size_t i = 0; i < burst.count; ++i) {
    const net::Packet& packet = burst.packets[i];
    arrived.length[i] = packet.length;
    arrived.matches[i] = matches(packet.bytes());
    const auto kept = std::min<std::size_t>(packet.length, kept_);
    std::memcpy(arrived.bytes[i].data(), packet.data, kept);
  }
}

void Capture::leaving(const lb::Burst& burst, std::size_t slot) {
  using Way = CapturedFrame::Way;
  const Arrived& arrived = arrived_[slot];
  const std::uint64_t now = time_ns();
  for (std::size_t i = 0; i < burst.count; ++i) {
    const lb::Verdict& verdict = burst.verdicts[i];
    const net::Packet& packet = burst.packets[i];
    const bool leaves = lb::transmits(verdict.action);
    if (!arrived.matches[i] && !(leaves && matches(packet.bytes()))) continue;
    if (burst.handed == lb::Handed::kNo) {
      const auto kept = std::min<std::size_t>(arrived.length[i], kept_);
      push(Way::kIn, burst.port, arrived.time_ns, arrived.length[i],
           net::Bytes(arrived.bytes[i]).first(kept), verdict.action == lb::Action::kDrop);
    }
    if (leaves) push(Way::kOut, verdict.port, now, packet.length, packet.bytes(), false);
  }
  for (std::size_t i = 0; i < burst.made_count; ++i) {
    if (burst.made[i].length != 0) made(burst.made[i].port, burst.made[i].view());
  }
}

void Capture::made(net::PortId port, net::Bytes frame) {
  if (matches(frame)) {
    push(CapturedFrame::Way::kOut, port, time_ns(), frame.size(), frame, false);
  }
}

}  // namespace keepline::worker
