#include "dataplane/worker/worker.h"

#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <utility>

namespace keepline::worker {

namespace {

constexpr std::size_t kMailPerTurn = 32;
constexpr std::size_t kBurstsPerTurn = 4;      // of each port
constexpr int kTakenOverPerTurn = 16;          // bursts from each other worker
constexpr std::uint64_t kGapsPerSecond = 500;  // shorter pauses than 2 ms are ordinary

}  // namespace

Worker::Worker(const Wiring& wiring, const lb::PipelineConfig& pipeline, IdleMode idle)
    : id_(wiring.id),
      ports_(wiring.ports),
      owners_(wiring.owners),
      any_port_(wiring.any_port),
      domain_(*wiring.domain),
      snapshot_(*wiring.snapshot),
      leases_(*wiring.leases),
      ticks_(*wiring.ticks),
      mesh_(*wiring.mesh),
      doorbell_(*wiring.doorbell),
      pipeline_(pipeline, 0),
      idle_(idle),
      stages_(*wiring.ticks),
      room_per_turn_(
          std::min(wiring.ports.size() * kBurstsPerTurn * net::kBurstSize, Mesh::kCapacity / 2)) {
  if (id_ != lb::kBfdWorker) return;
  bfd_ = std::make_unique<BfdDesk>(*mailbox_, doorbell_, ticks_, static_cast<FrameSender&>(*this));
}

void Worker::run() {
  // Sleeps of 10 us would otherwise take the 50 us of the default timer slack more.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
  domain_.online(id_);
  last_turn_ = ticks_.now();
  while (!stop_.load(std::memory_order_relaxed)) {
    std::uint32_t pause = idle_.after_turn(turn());
    if (bfd_ != nullptr) pause = bfd_->bounded_sleep_us(pause);
    if (pause != 0) sleep_us(pause);
  }
  domain_.offline(id_);
}

bool Worker::turn() {
  counters_.turns.add();
  bursts_this_turn_ = 0;
  inbox_ = bfd::Inbox::kEmpty;
  bool busy = false;
  for (std::size_t id = 0; id < ports_.size(); ++id) {
    if (ports_[id] != nullptr) busy |= send_mail(static_cast<net::PortId>(id));
  }
  const lb::Snapshot* snapshot = snapshot_.load();
  // What others have begun goes before what is new: it would be lost otherwise.
  for (unsigned worker = 0; worker < mesh_.workers(); ++worker) {
    for (int burst = 0; worker != id_ && burst < kTakenOverPerTurn; ++burst) {
      if (!take_over(snapshot, worker)) break;
      busy = true;
    }
  }
  if (must_wait()) {
    inbox_ = bfd::Inbox::kMayHoldMore;
  } else if (snapshot != nullptr) {
    const std::size_t count = std::min(ports_.size(), snapshot->port_count());
    for (std::size_t id = 0; id < count; ++id) {
      if (ports_[id] != nullptr) busy |= receive(*snapshot, static_cast<net::PortId>(id));
    }
  }
  if (bfd_ != nullptr) bfd_->turn(snapshot, inbox_);
  flush_all();
  // With frames the clock was read when they were taken.
  if (!busy) note_gap(ticks_.now());
  // As many may go as can have come.
  pipeline_.expire(now_s_, (1 + bursts_this_turn_) * net::kBurstSize);
  while (mailbox_->captures.read_available() > 0) {
    capture_ = mailbox_->captures.front();
    mailbox_->captures.pop();
  }
  busy |= list_connections();
  busy |= explain(snapshot);
  domain_.quiescent(id_);
  if (busy) counters_.busy_turns.add();
  return busy;
}

void Worker::sleep_us(std::uint32_t us) {
  counters_.sleeps.add();
  domain_.offline(id_);
  const timespec pause{0, static_cast<long>(us) * 1000};
  nanosleep(&pause, nullptr);
  domain_.online(id_);
}

void Worker::note_gap(std::uint64_t now) {
  if (now >= next_second_) {
    now_s_ = static_cast<std::uint32_t>(now / ticks_.hz());
    next_second_ = (std::uint64_t{now_s_} + 1) * ticks_.hz();
  }
  const std::uint64_t gap = now - last_turn_;
  last_turn_ = now;
  if (gap < ticks_.hz() / kGapsPerSecond) return;
  resumed_ = now;
  gap_ = gap;
}

// Each burst is begun before the one in front of it is finished, see lb::Pipeline.
bool Worker::receive(const lb::Snapshot& snapshot, net::PortId id) {
  if (snapshot.port(id).nic != net::kNoPort) return relay(id, snapshot.port(id).nic);
  if (stages_.next()) return receive_measured(snapshot, id);
  lb::Burst* begun = nullptr;
  bool is_full = true;
  for (std::size_t n = 0; n < kBurstsPerTurn && is_full; ++n) {
    lb::Burst& burst = bursts_[n % bursts_.size()];
    is_full = take(burst, id) && burst.count == burst.packets.size();
    if (burst.count == 0) break;
    const lb::LeaseView leases = look_at_leases();
    pipeline_.begin(snapshot, leases, burst, now_s_);
    if (begun != nullptr) finish(snapshot, leases, *begun);
    begun = &burst;
  }
  if (is_full) inbox_ = bfd::Inbox::kMayHoldMore;
  if (begun == nullptr) return false;
  finish(snapshot, look_at_leases(), *begun);
  return true;
}

// What the kernel sends through the TAP of a NIC.
bool Worker::relay(net::PortId from, net::PortId to) {
  lb::Burst& burst = bursts_[0];
  const std::size_t count = ports_[from]->receive(burst.packets);
  counters_.received[from].add(count);
  for (std::size_t i = 0; i < count; ++i) queue_transmit(to, burst.packets[i]);
  return count != 0;
}

// One burst alone, so that each stage has its own time.
bool Worker::receive_measured(const lb::Snapshot& snapshot, net::PortId id) {
  flush_all();
  stages_.begin();
  lb::Burst& burst = bursts_[0];
  if (!take(burst, id)) return false;
  if (burst.count == burst.packets.size()) inbox_ = bfd::Inbox::kMayHoldMore;
  stages_.done(lb::Stage::kReceive);
  const lb::LeaseView leases = look_at_leases();
  pipeline_.begin(snapshot, leases, burst, now_s_, &stages_);
  pipeline_.finish(snapshot, leases, burst, now_s_, &stages_);
  carry_out(burst);
  flush_all();
  stages_.done(lb::Stage::kTransmit);
  stages_.end(burst.count);
  return true;
}

bool Worker::take(lb::Burst& burst, net::PortId id) {
  burst.handed = lb::Handed::kNo;
  burst.port = id;
  burst.count = ports_[id]->receive(burst.packets);
  counters_.received[id].add(burst.count);
  if (capture_ != nullptr) [[unlikely]]
    capture_->arriving(burst, slot_of(burst));
  bursts_this_turn_ += burst.count != 0;
  return burst.count != 0;
}

void Worker::flush_all() {
  for (std::size_t id = 0; id < ports_.size(); ++id) flush(static_cast<net::PortId>(id));
  for (unsigned worker = 0; worker < mesh_.workers(); ++worker) flush_hand_over(worker);
}

// Looked at after the frames were taken: a pause before that makes them old.
lb::LeaseView Worker::look_at_leases() {
  const std::uint64_t now = ticks_.now();
  note_gap(now);
  return {leases_, now, resumed_, gap_};
}

void Worker::finish(const lb::Snapshot& snapshot, const lb::LeaseView& leases, lb::Burst& burst) {
  pipeline_.finish(snapshot, leases, burst, now_s_);
  carry_out(burst);
}

void Worker::queue_transmit(net::PortId id, const net::Packet& packet) {
  if (ports_[id] == nullptr) {
    hand_over(owners_[id], {packet, id, true});
    return;
  }
  TxBuffer& buffer = tx_[id];
  buffer.buffers[buffer.count++] = packet.buffer;
  if (buffer.count == buffer.buffers.size()) flush(id);
}

// A run of frames that leave through one port of ours; returns where it ends. Counted in a
// register: through memory each frame would wait for the one before.
std::size_t Worker::queue_run(const lb::Burst& burst, std::size_t from) {
  const net::PortId port = burst.verdicts[from].port;
  const lb::Action action = burst.verdicts[from].action;
  TxBuffer& buffer = tx_[port];
  std::size_t count = buffer.count;
  std::size_t at = from;
  do {
    buffer.buffers[count++] = burst.packets[at++].buffer;
    if (count == buffer.buffers.size()) {
      buffer.count = count;
      flush(port);
      count = 0;
    }
  } while (at < burst.count && burst.verdicts[at].action == action &&
           burst.verdicts[at].port == port);
  buffer.count = count;
  return at;
}

void Worker::carry_out(const lb::Burst& burst) {
  if (capture_ != nullptr) [[unlikely]]
    capture_->leaving(burst, slot_of(burst));
  bool resized = false;
  for (std::size_t i = 0; i < burst.count;) {
    const lb::Verdict verdict = burst.verdicts[i];
    // All that are left at once: the others are as long as they were.
    if (verdict.action == lb::Action::kTransmitResized && !resized) {
      any_port_->resize(std::span(burst.packets).first(burst.count).subspan(i));
      resized = true;
    }
    if (lb::transmits(verdict.action) && ports_[verdict.port] != nullptr) [[likely]] {
      i = queue_run(burst, i);
    } else {
      carry_out(verdict, burst.port, burst.packets[i++]);
    }
  }
  for (std::size_t i = 0; i < burst.made_count; ++i) {
    const lb::MadeFrame& made = burst.made[i];
    if (made.length == 0 || made.port >= ports_.size()) continue;
    if (const auto packet = any_port_->make(made.view())) {
      queue_transmit(made.port, *packet);
    } else {
      pipeline_.count_drop(net::Drop::kTxFull);
    }
  }
  for (std::size_t i = 0; i < burst.neighbour_count; ++i) {
    if (mailbox_->neighbours.push(burst.neighbours[i])) doorbell_.ring();
  }
}

void Worker::carry_out(const lb::Verdict& verdict, net::PortId arrival, const net::Packet& packet) {
  switch (verdict.action) {
    case lb::Action::kTransmit:
    case lb::Action::kTransmitResized:
      queue_transmit(verdict.port, packet);
      return;
    case lb::Action::kHandOff:
      hand_over(verdict.worker, {packet, arrival, false});
      return;
    case lb::Action::kToControl:
      hand_to_control(arrival, packet);
      release(packet);
      return;
    case lb::Action::kToBfd:
      if (bfd_ != nullptr) bfd_->receive(*snapshot_.load(), packet);
      release(packet);
      return;
    case lb::Action::kDrop:
      release(packet);
      return;
  }
}

void Worker::send_frame(net::PortId port, net::Bytes frame) {
  if (capture_ != nullptr) [[unlikely]]
    capture_->made(port, frame);
  if (const auto packet = any_port_->make(frame)) {
    queue_transmit(port, *packet);
  } else {
    pipeline_.count_drop(net::Drop::kTxFull);
  }
}

void Worker::hand_to_control(net::PortId id, const net::Packet& packet) {
  MailFrame mail;
  mail.port = id;
  mail.assign(packet.bytes());
  if (!mailbox_->adverts.push(mail)) pipeline_.count_drop(net::Drop::kControlFull);
  doorbell_.ring();
}

void Worker::release(const net::Packet& packet) {
  any_port_->release({&packet.buffer, 1});
}

void Worker::flush(net::PortId id) {
  TxBuffer& buffer = tx_[id];
  if (buffer.count == 0) return;
  const auto buffers = port::Buffers(buffer.buffers).first(buffer.count);
  const std::size_t sent = ports_[id]->transmit(buffers);
  counters_.transmitted[id].add(sent);
  for (std::size_t i = sent; i < buffers.size(); ++i) pipeline_.count_drop(net::Drop::kTxFull);
  if (sent < buffers.size()) ports_[id]->release(buffers.subspan(sent));
  buffer.count = 0;
}

// Adverts and announcements go first, and stay in the queue while the transmit ring is full.
bool Worker::send_mail(net::PortId id) {
  auto& queue = mailbox_->frames[id];
  if (queue.read_available() == 0) return false;
  const std::uint64_t now = ticks_.now();
  port::Port& port = *ports_[id];
  std::size_t count = 0;
  for (; count < kMailPerTurn && queue.read_available() > 0; ++count) {
    const MailFrame& mail = queue.front();
    if (now > mail.not_after) {
      counters_.stale_mail.add();
      queue.pop();
      continue;
    }
    auto frame = port.make({mail.bytes.data(), mail.length});
    if (!frame) break;
    if (port.transmit({&frame->buffer, 1}) == 0) {
      port.release({&frame->buffer, 1});
      break;
    }
    counters_.transmitted[id].add();
    if (capture_ != nullptr) capture_->made(id, {mail.bytes.data(), mail.length});
    queue.pop();
  }
  return count > 0;
}

}  // namespace keepline::worker
