#include "dataplane/worker/bfd_desk.h"

#include <algorithm>

namespace keepline::worker {

namespace {

// From the address that the file names, or that this node has on the way out.
std::optional<bfd::Way> way_to(const lb::Snapshot& snapshot, const bfd::SessionConfig& config,
                               net::PortId& port) {
  const neigh::NextHop hop = snapshot.next_hops().resolve(config.neighbour);
  if (hop.reach != neigh::Reach::kFound || hop.port >= snapshot.port_count()) return std::nullopt;
  const lb::PortInfo& out = snapshot.port(hop.port);
  const net::IpAddr own =
      config.neighbour.is_v6() ? net::IpAddr(out.source6) : net::IpAddr(out.source4);
  const net::IpAddr& source = config.source.is_zero() ? own : config.source;
  if (source.is_zero()) return std::nullopt;
  port = hop.port;
  return bfd::Way{{hop.mac, out.mac}, source};
}

}  // namespace

BfdDesk::BfdDesk(Mailbox& mailbox, Doorbell& doorbell, const TickSource& ticks, FrameSender& sender)
    : mailbox_(mailbox), doorbell_(doorbell), ticks_(ticks), sender_(sender), table_(ticks.now()) {}

void BfdDesk::receive(const lb::Snapshot& snapshot, const net::Packet& frame) {
  snapshot_ = &snapshot;
  const auto number = table_.handle_frame(frame, net::parse(frame), now_us(), *this);
  if (!number) {
    board_->unclaimed.show(table_.unclaimed());
  } else if (const bfd::Session* session = table_.find(*number)) {
    board_->sessions[*number].show(*session);
    rx_interval_us_[*number] = session->rx_interval_us();
  }
}

void BfdDesk::turn(const lb::Snapshot* snapshot, bfd::Inbox inbox) {
  const bool has_orders = mailbox_.bfd_orders.read_available() > 0;
  if (!has_orders && !table_.next_timeout()) return;
  snapshot_ = snapshot;
  const std::int64_t now = now_us();
  if (has_orders) take_orders(now);
  table_.handle_timeout(now, *this, inbox);
}

void BfdDesk::take_orders(std::int64_t now) {
  auto& orders = mailbox_.bfd_orders;
  for (std::size_t i = 0; i < kOrdersPerTurn && orders.read_available() > 0; ++i) {
    const BfdOrder& order = orders.front();
    if (order.config) {
      table_.set(order.number, *order.config, now, *this);
      board_->sessions[order.number].show(*table_.find(order.number));
    } else {
      table_.stop(order.number, now, *this);
    }
    orders.pop();
  }
}

std::uint32_t BfdDesk::bounded_sleep_us(std::uint32_t sleep_us) const {
  const auto due_us = table_.next_timeout();
  if (!due_us) return sleep_us;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(*due_us - now_us(), 0, sleep_us));
}

void BfdDesk::send(bfd::SessionNumber number, const bfd::Session& session,
                   const bfd::ControlPacket& packet) {
  BfdFigures& figures = board_->sessions[number];
  figures.sent.set(session.statistics().sent);
  net::PortId port = net::kNoPort;
  const auto way = snapshot_ == nullptr ? std::nullopt : way_to(*snapshot_, session.config(), port);
  if (!way) {
    figures.unsent.add();
    return;
  }
  sender_.send_frame(port, make_frame(packet, session.config(), *way).view());
}

void BfdDesk::changed(bfd::SessionNumber number, const bfd::Session& session,
                      const bfd::StateChanged& change) {
  board_->sessions[number].show(session);
  tell({number, false, change, rx_interval_us_[number]});
}

void BfdDesk::ended(bfd::SessionNumber number) {
  board_->sessions[number].discriminator.set(0);
  board_->sessions[number].unsent.set(0);
  tell({number, true, {}, 0});
}

void BfdDesk::tell(const BfdEvent& event) {
  if (mailbox_.bfd_events.push(event)) doorbell_.ring();
}

}  // namespace keepline::worker
