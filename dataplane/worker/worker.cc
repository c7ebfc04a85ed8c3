#include "dataplane/worker/worker.h"

#include <sys/prctl.h>
#include <time.h>

namespace keepline::worker {

namespace {

constexpr std::size_t kExpirePerTurn = 32;
constexpr std::size_t kMailPerTurn = 32;
constexpr std::size_t kListedPerPage = 256;
constexpr std::size_t kLookedAtPerPage = 4096;  // positions of the table
constexpr std::uint64_t kGapsPerSecond = 500;   // shorter pauses than 2 ms are ordinary

}  // namespace

Worker::Worker(const Wiring& wiring, const lb::PipelineConfig& pipeline, IdleMode idle)
    : id_(wiring.id),
      ports_(wiring.ports),
      domain_(*wiring.domain),
      snapshot_(*wiring.snapshot),
      leases_(*wiring.leases),
      ticks_(*wiring.ticks),
      pipeline_(pipeline, 0),
      idle_(idle) {}

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
  const std::uint64_t now = ticks_.now();
  note_gap(now);
  counters_.turns.add();
  bool busy = false;
  for (std::size_t id = 0; id < ports_.size(); ++id) {
    busy |= send_mail(static_cast<net::PortId>(id), now);
  }
  if (const lb::Snapshot* snapshot = snapshot_.load(); snapshot != nullptr) {
    const std::size_t count = std::min(ports_.size(), snapshot->port_count());
    for (std::size_t id = 0; id < count; ++id) {
      busy |= receive(*snapshot, static_cast<net::PortId>(id));
    }
  }
  for (std::size_t id = 0; id < ports_.size(); ++id) flush(static_cast<net::PortId>(id));
  pipeline_.expire(now_s_, kExpirePerTurn);
  busy |= list_connections();
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

bool Worker::receive(const lb::Snapshot& snapshot, net::PortId id) {
  std::array<port::Frame, net::kBurstSize> frames;
  const std::size_t count = ports_[id]->receive(frames);
  if (count == 0) return false;
  counters_.received[id].add(count);
  // Looked at after the frames were taken: a pause before that makes them old.
  const std::uint64_t now = ticks_.now();
  note_gap(now);
  const lb::LeaseView leases(leases_, now, resumed_, gap_);
  std::array<net::Packet, net::kBurstSize> packets;
  for (std::size_t i = 0; i < count; ++i) packets[i] = frames[i].packet;
  pipeline_.process(snapshot, leases, id, std::span(packets).first(count), now_s_, result_);
  carry_out(id, std::span(frames).first(count));
  return true;
}

void Worker::carry_out(net::PortId id, std::span<port::Frame> frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const lb::Verdict verdict = result_.verdicts[i];
    if (verdict.action == lb::Action::kTransmit) {
      queue_transmit(verdict.port, frames[i]);
      continue;
    }
    if (verdict.action == lb::Action::kToControl) hand_to_control(id, frames[i]);
    // With one worker every shard is its own; the rings between workers come with the second.
    if (verdict.action == lb::Action::kHandOff) pipeline_.count_drop(net::Drop::kNoHandOff);
    ports_[id]->release(frames.subspan(i, 1));
  }
  for (std::size_t i = 0; i < result_.neighbour_count; ++i) {
    if (mailbox_.neighbours.push(result_.neighbours[i])) mailbox_.doorbell.ring();
  }
}

void Worker::hand_to_control(net::PortId id, const port::Frame& frame) {
  MailFrame mail;
  mail.port = id;
  mail.assign(frame.packet.bytes());
  if (!mailbox_.adverts.push(mail)) pipeline_.count_drop(net::Drop::kControlFull);
  mailbox_.doorbell.ring();
}

void Worker::queue_transmit(net::PortId id, const port::Frame& frame) {
  TxBuffer& buffer = tx_[id];
  buffer.frames[buffer.count++] = frame;
  if (buffer.count == buffer.frames.size()) flush(id);
}

void Worker::flush(net::PortId id) {
  TxBuffer& buffer = tx_[id];
  if (buffer.count == 0) return;
  const auto frames = std::span(buffer.frames).first(buffer.count);
  const std::size_t sent = ports_[id]->transmit(frames);
  counters_.transmitted[id].add(sent);
  for (std::size_t i = sent; i < frames.size(); ++i) pipeline_.count_drop(net::Drop::kTxFull);
  ports_[id]->release(frames.subspan(sent));
  buffer.count = 0;
}

// Adverts and announcements go first, and stay in the queue while the transmit ring is full.
bool Worker::send_mail(net::PortId id, std::uint64_t now) {
  auto& queue = mailbox_.frames[id];
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
    if (port.transmit({&*frame, 1}) == 0) {
      port.release({&*frame, 1});
      break;
    }
    counters_.transmitted[id].add();
    queue.pop();
  }
  return count > 0;
}

bool Worker::list_connections() {
  // A page is only begun when all of it fits: nobody has to remember a half.
  if (mailbox_.listings.read_available() == 0 ||
      mailbox_.connections.write_available() <= kListedPerPage) {
    return false;
  }
  list_page(mailbox_.listings.front());
  mailbox_.listings.pop();
  mailbox_.doorbell.ring();
  return true;
}

void Worker::list_page(const ListingRequest& request) {
  const lb::ConnectionTable& table = pipeline_.connections();
  std::size_t position = request.position;
  std::size_t listed = 0;
  for (std::size_t looked = 0;
       looked < kLookedAtPerPage && listed < kListedPerPage && position < table.high_water();
       ++looked, ++position) {
    const lb::Connection* connection = table.at(position);
    if (connection == nullptr) continue;
    ConnectionRecord record;
    record.connection = *connection;
    record.listing = request.number;
    record.remaining_s = connection->expires_s > now_s_ ? connection->expires_s - now_s_ : 0;
    mailbox_.connections.push(record);
    ++listed;
  }
  ConnectionRecord end;
  end.listing = request.number;
  end.is_end = true;
  end.next_position = position < table.high_water() ? position : 0;
  mailbox_.connections.push(end);
}

}  // namespace keepline::worker
