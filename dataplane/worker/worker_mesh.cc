// What a worker gives to the others and takes from them.
#include "dataplane/worker/worker.h"

namespace keepline::worker {

namespace {

constexpr std::uint64_t kWaitsPerSecond = 50;  // a wait without progress is 20 ms at most

}  // namespace

// Frames for a worker that does not keep up wait best where they are, in the receive queues. But
// one that stands still must not stop the others for longer than a moment.
bool Worker::must_wait() {
  bool congested = false;
  std::size_t room = 0;
  for (unsigned worker = 0; worker < mesh_.workers(); ++worker) {
    if (worker == id_) continue;
    const std::size_t available = mesh_.ring(id_, worker).write_available();
    congested = congested || available < room_per_turn_;
    room += available;
  }
  if (!congested) {
    waited_room_ = 0;
    return false;
  }
  const std::uint64_t now = ticks_.now();
  if (waited_room_ == 0 || room > waited_room_)
    waited_since_ = now;  // just begun, or they take some
  waited_room_ = room;
  return now - waited_since_ < ticks_.hz() / kWaitsPerSecond;
}

void Worker::hand_over(unsigned worker, const HandOver& frame) {
  if (worker >= mesh_.workers()) {
    pipeline_.count_drop(net::Drop::kHandOffFull);
    release(frame.packet);
    return;
  }
  Outbound& outbound = outbound_[worker];
  outbound.frames[outbound.count++] = frame;
  if (outbound.count == outbound.frames.size()) flush_hand_over(worker);
}

void Worker::flush_hand_over(unsigned worker) {
  Outbound& outbound = outbound_[worker];
  if (outbound.count == 0) return;
  const std::size_t pushed = mesh_.ring(id_, worker).push(outbound.frames.data(), outbound.count);
  counters_.handed_over.add(pushed);
  for (std::size_t i = pushed; i < outbound.count; ++i) {
    pipeline_.count_drop(net::Drop::kHandOffFull);
    release(outbound.frames[i].packet);
  }
  outbound.count = 0;
}

// A burst from another worker, in runs of frames that arrived on the same port.
bool Worker::take_over(const lb::Snapshot* snapshot, unsigned from) {
  std::array<HandOver, net::kBurstSize> frames;
  const std::size_t count = mesh_.ring(from, id_).pop(frames.data(), frames.size());
  if (count == 0) return false;
  counters_.taken_over.add(count);
  ++bursts_this_turn_;
  lb::Burst& run = bursts_[0];
  for (std::size_t i = 0; i < count;) {
    const HandOver& first = frames[i];
    if (first.transmit) {
      queue_transmit(first.port, first.packet);
      ++i;
      continue;
    }
    run.handed = lb::Handed::kYes;
    run.port = first.port;
    run.count = 0;
    for (; i < count && frames[i].port == first.port && !frames[i].transmit; ++i) {
      run.packets[run.count++] = frames[i].packet;
    }
    if (snapshot != nullptr && first.port < snapshot->port_count()) {
      const lb::LeaseView leases = look_at_leases();
      if (capture_ != nullptr) capture_->arriving(run, slot_of(run));
      pipeline_.begin(*snapshot, leases, run, now_s_);
      finish(*snapshot, leases, run);
    } else {
      for (std::size_t j = 0; j < run.count; ++j) release(run.packets[j]);
    }
  }
  return true;
}

}  // namespace keepline::worker
