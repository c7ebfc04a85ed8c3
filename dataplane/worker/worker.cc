#include "dataplane/worker/worker.h"

#include <sys/prctl.h>
#include <time.h>

namespace keepline::worker {

namespace {

constexpr std::size_t kExpirePerTurn = 32;
constexpr std::size_t kMailPerTurn = 32;
constexpr std::size_t kRoomPerTurn = net::kMaxPorts * net::kBurstSize;  // frames of one turn
constexpr std::uint64_t kWaitsPerSecond = 50;  // a wait without progress is 20 ms at most
constexpr int kTakenOverPerTurn = 16;          // bursts from each other worker
constexpr std::size_t kListedPerPage = 256;
constexpr std::size_t kLookedAtPerPage = 4096;  // positions of the table
constexpr std::uint64_t kGapsPerSecond = 500;   // shorter pauses than 2 ms are ordinary

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
      stages_(*wiring.ticks) {}

void Worker::run() {
  // Sleeps of 10 us would otherwise take the 50 us of the default timer slack more.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
  domain_.online(id_);
  last_turn_ = ticks_.now();
  while (!stop_.load(std::memory_order_relaxed)) {
    const std::uint32_t pause = idle_.after_turn(turn());
    if (pause != 0) sleep_us(pause);
  }
  domain_.offline(id_);
}

bool Worker::turn() {
  counters_.turns.add();
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
  if (snapshot != nullptr && !must_wait()) {
    const std::size_t count = std::min(ports_.size(), snapshot->port_count());
    for (std::size_t id = 0; id < count; ++id) {
      if (ports_[id] != nullptr) busy |= receive(*snapshot, static_cast<net::PortId>(id));
    }
  }
  flush_all();
  // With frames the clock was read when they were taken.
  if (!busy) note_gap(ticks_.now());
  pipeline_.expire(now_s_, kExpirePerTurn);
  busy |= list_connections();
  busy |= explain(snapshot);
  domain_.quiescent(id_);
  if (busy) counters_.busy_turns.add();
  return busy;
}

// Frames for a worker that does not keep up wait best where they are, in the receive queues. But
// one that stands still must not stop the others for longer than a moment.
bool Worker::must_wait() {
  bool congested = false;
  std::size_t room = 0;
  for (unsigned worker = 0; worker < mesh_.workers(); ++worker) {
    if (worker == id_) continue;
    const std::size_t available = mesh_.ring(id_, worker).write_available();
    congested = congested || available < kRoomPerTurn;
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

bool Worker::receive(const lb::Snapshot& snapshot, net::PortId id) {
  std::array<net::Packet, net::kBurstSize> packets;
  StageSampler* probe = stages_.next() ? &stages_ : nullptr;
  if (probe != nullptr) probe->begin();
  const std::size_t count = ports_[id]->receive(packets);
  if (count == 0) return false;
  counters_.received[id].add(count);
  if (probe != nullptr) probe->done(lb::Stage::kReceive);
  process(snapshot, id, std::span(packets).first(count), probe);
  if (probe != nullptr) {
    flush_all();
    probe->done(lb::Stage::kTransmit);
    probe->end(count);
  }
  return true;
}

void Worker::flush_all() {
  for (std::size_t id = 0; id < ports_.size(); ++id) flush(static_cast<net::PortId>(id));
  for (unsigned worker = 0; worker < mesh_.workers(); ++worker) flush_hand_over(worker);
}

void Worker::process(const lb::Snapshot& snapshot, net::PortId id,
                     std::span<const net::Packet> packets, lb::StageProbe* probe) {
  // Looked at after the frames were taken: a pause before that makes them old.
  const std::uint64_t now = ticks_.now();
  note_gap(now);
  const lb::LeaseView leases(leases_, now, resumed_, gap_);
  pipeline_.process(snapshot, leases, id, packets, now_s_, result_, probe);
  carry_out(id, packets);
}

inline void Worker::queue_transmit(net::PortId id, const net::Packet& packet) {
  if (ports_[id] == nullptr) [[unlikely]] {
    hand_over(owners_[id], {packet, id, true});
    return;
  }
  TxBuffer& buffer = tx_[id];
  buffer.buffers[buffer.count++] = packet.buffer;
  if (buffer.count == buffer.buffers.size()) flush(id);
}

void Worker::carry_out(net::PortId id, std::span<const net::Packet> packets) {
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const lb::Verdict verdict = result_.verdicts[i];
    switch (verdict.action) {
      [[likely]] case lb::Action::kTransmit : queue_transmit(verdict.port, packets[i]);
      break;
      case lb::Action::kHandOff:
        hand_over(verdict.worker, {packets[i], id, false});
        break;
      case lb::Action::kToControl:
        hand_to_control(id, packets[i]);
        release(packets[i]);
        break;
      case lb::Action::kDrop:
        release(packets[i]);
        break;
    }
  }
  for (std::size_t i = 0; i < result_.neighbour_count; ++i) {
    if (mailbox_.neighbours.push(result_.neighbours[i])) doorbell_.ring();
  }
}

void Worker::hand_to_control(net::PortId id, const net::Packet& packet) {
  MailFrame mail;
  mail.port = id;
  mail.assign(packet.bytes());
  if (!mailbox_.adverts.push(mail)) pipeline_.count_drop(net::Drop::kControlFull);
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
  std::array<net::Packet, net::kBurstSize> run;
  for (std::size_t i = 0; i < count;) {
    const HandOver& first = frames[i];
    if (first.transmit) {
      queue_transmit(first.port, first.packet);
      ++i;
      continue;
    }
    std::size_t length = 0;
    for (; i < count && frames[i].port == first.port && !frames[i].transmit; ++i) {
      run[length++] = frames[i].packet;
    }
    if (snapshot != nullptr && first.port < snapshot->port_count()) {
      process(*snapshot, first.port, std::span(run).first(length), nullptr);
    } else {
      for (std::size_t j = 0; j < length; ++j) release(run[j]);
    }
  }
  return true;
}

// Adverts and announcements go first, and stay in the queue while the transmit ring is full.
bool Worker::send_mail(net::PortId id) {
  auto& queue = mailbox_.frames[id];
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
    queue.pop();
  }
  return count > 0;
}

bool Worker::explain(const lb::Snapshot* snapshot) {
  if (mailbox_.questions.read_available() == 0 || snapshot == nullptr ||
      mailbox_.explanations.write_available() == 0) {
    return false;
  }
  const ExplainRequest& request = mailbox_.questions.front();
  const lb::LeaseView leases(leases_, ticks_.now(), resumed_, gap_);
  mailbox_.explanations.push(
      {request.number, pipeline_.explain(*snapshot, leases, request.source, request.destination,
                                         request.protocol, now_s_)});
  mailbox_.questions.pop();
  doorbell_.ring();
  return true;
}

bool Worker::list_connections() {
  // A page is only begun when all of it fits: nobody has to remember a half.
  if (mailbox_.listings.read_available() == 0 ||
      mailbox_.connections.write_available() <= kListedPerPage) {
    return false;
  }
  list_page(mailbox_.listings.front());
  mailbox_.listings.pop();
  doorbell_.ring();
  return true;
}

namespace {

// Lists connections of one family from `position` on until the page is full; returns where it
// stopped.
template <typename F>
std::size_t list_from(const lb::ConnectionTable<F>& table, std::size_t position,
                      ConnectionRecord record, std::uint32_t now_s, std::size_t& looked,
                      std::size_t& listed, Mailbox& mailbox) {
  for (; looked < kLookedAtPerPage && listed < kListedPerPage && position < table.high_water();
       ++looked, ++position) {
    const lb::Connection<F>* connection = table.at(position);
    if (connection == nullptr) continue;
    record.connection = view_of(*connection);
    record.remaining_s = connection->expires_s > now_s ? connection->expires_s - now_s : 0;
    mailbox.connections.push(record);
    ++listed;
  }
  return position;
}

}  // namespace

// Positions of the IPv6 table follow those of the IPv4 table.
void Worker::list_page(const ListingRequest& request) {
  const auto& v4 = pipeline_.connections4();
  const auto& v6 = pipeline_.connections6();
  ConnectionRecord record;
  record.listing = request.number;
  std::size_t looked = 0;
  std::size_t listed = 0;
  std::size_t position = request.position;
  if (position < v4.capacity()) {
    position = list_from(v4, position, record, now_s_, looked, listed, mailbox_);
    if (position >= v4.high_water()) position = v4.capacity();
  }
  if (position >= v4.capacity()) {
    position = v4.capacity() +
               list_from(v6, position - v4.capacity(), record, now_s_, looked, listed, mailbox_);
  }
  record.is_end = true;
  record.next_position = position < v4.capacity() + v6.high_water() ? position : 0;
  mailbox_.connections.push(record);
}

}  // namespace keepline::worker
