#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

#include "tests/sim/forger.h"

namespace keepline::vrrp::sim {

namespace {

bool is_later(const Packet& a, const Packet& b) {
  return a.at_us != b.at_us ? a.at_us > b.at_us : a.number > b.number;
}

}  // namespace

Network::Network(const Schedule& schedule, Random random) : schedule_(schedule), random_(random) {}

void Network::change(const Fault& fault, int by, std::int64_t now_us) {
  for (std::size_t i = 0; i < schedule_.lan_count(); ++i) {
    if (!fault.on_lan(i)) continue;
    Lan& lan = lans_[i];
    const bool disturbs = fault.kind == FaultKind::kLoss || fault.kind == FaultKind::kDelay;
    if (disturbs) {
      lan.disturbed += by;
      // The last packet that was held up may still come.
      const std::int64_t held_us = fault.kind == FaultKind::kDelay ? fault.value : 0;
      lan.calm_since_us = std::max(lan.calm_since_us, now_us + held_us);
    }
    if (fault.kind == FaultKind::kLoss) lan.loss_percent += by * fault.value;
    if (fault.kind == FaultKind::kDelay) lan.extra_delay_us += by * fault.value;
    if (fault.kind == FaultKind::kDuplicate) lan.duplicate_percent += by * fault.value;
    if (fault.kind == FaultKind::kForger && schedule_.auth != 0) {
      lan.forger.active += by;
      lan.forger.next_us = lan.forger.active > 0 ? now_us : kNever_us;
    }
    if (fault.kind == FaultKind::kUnsent) {
      const auto node = static_cast<std::size_t>(fault.node);
      lan.mute[node] += by;
      lan.open_since_us[node].fill(now_us);
    }
    if (fault.kind == FaultKind::kPartition) partition(fault, i, by, now_us);
    if (fault.kind != FaultKind::kLinkDown) continue;
    const auto node = static_cast<std::size_t>(fault.node);
    ports_down_[i][node] += by;
    for (std::size_t other = 0; other < kStationLimit; ++other) {
      block(i, node, other, by, now_us);
      block(i, other, node, by, now_us);
    }
  }
}

void Network::partition(const Fault& fault, std::size_t lan, int by, std::int64_t now_us) {
  for (std::size_t a = 0; a < kStationLimit; ++a) {
    for (std::size_t b = 0; b < kStationLimit; ++b) {
      const bool splits = (fault.stations >> a & 1) != 0 && (fault.stations >> b & 1) == 0;
      if (!splits) continue;
      if (fault.way != 2) block(lan, a, b, by, now_us);
      if (fault.way != 1) block(lan, b, a, by, now_us);
    }
  }
}

void Network::block(std::size_t lan, std::size_t from, std::size_t to, int by,
                    std::int64_t now_us) {
  lans_[lan].blocked[from][to] += by;
  lans_[lan].open_since_us[from][to] = now_us;
}

std::int64_t Network::open_since_us(std::size_t lan, std::size_t from, std::size_t to) const {
  const Lan& at = lans_[lan];
  const bool is_mute = from < kNodeLimit && at.mute[from] > 0;
  if (at.disturbed > 0 || is_mute || at.blocked[from][to] > 0) return kNever_us;
  return std::max(at.open_since_us[from][to], at.calm_since_us);
}

std::int64_t Network::whole_since_us(std::size_t lan, std::size_t a, std::size_t b) const {
  return std::max(open_since_us(lan, a, b), open_since_us(lan, b, a));
}

bool Network::reaches_client(std::size_t from, std::size_t lan) {
  const Lan& at = lans_[lan];
  return at.blocked[from][kClient] == 0 && !random_.chance(at.loss_percent);
}

std::int64_t Network::draw_delay_us(const Lan& lan) {
  return random_.between(0, schedule_.delay_us) + random_.between(0, lan.extra_delay_us);
}

void Network::send(std::size_t from, std::size_t lan, const net::IpAddr& destination,
                   net::Bytes bytes, std::int64_t now_us) {
  Packet packet;
  packet.from = static_cast<std::uint8_t>(from);
  packet.lan = static_cast<std::uint8_t>(lan);
  packet.size = static_cast<std::uint8_t>(std::min(bytes.size(), kPacketBytes));
  std::copy_n(bytes.begin(), packet.size, packet.data.begin());
  keep(packet);
  for (std::size_t to = 0; to < schedule_.nodes.size(); ++to) {
    const bool is_meant = schedule_.unicast == 0 || address_of(schedule_, to, lan) == destination;
    if (to != from && is_meant) send_to(packet, to, now_us);
  }
}

// Old ones stay among the new ones.
void Network::keep(const Packet& packet) {
  if (schedule_.auth == 0) return;
  std::vector<Packet>& kept = lans_[packet.lan].forger.kept;
  if (kept.size() < Forger::kKept) {
    kept.push_back(packet);
  } else if (random_.chance(50)) {
    kept[random_.next() % kept.size()] = packet;
  }
}

// To some of the nodes, wherever they are; also to the one that it seems to come from.
void Network::forge(std::size_t lan, std::int64_t now_us) {
  Forger& forger = lans_[lan].forger;
  forger.next_us = now_us + random_.between(1, longest_interval_us(schedule_));
  Packet packet;
  if (!forger.kept.empty() && random_.chance(50)) {
    packet = forger.kept[random_.next() % forger.kept.size()];
    packet.origin = Origin::kReplayed;
  } else {
    packet = make_forgery(schedule_, lan, forger.kept, random_, now_us);
  }
  packet.at_us = now_us;
  for (std::size_t to = 0; to < schedule_.nodes.size(); ++to) {
    if (!random_.chance(70)) continue;
    packet.to = static_cast<std::uint8_t>(to);
    packet.number = sent_++;
    in_flight_.push_back(packet);
    std::push_heap(in_flight_.begin(), in_flight_.end(), is_later);
  }
}

std::int64_t Network::next_us() const {
  std::int64_t next_us = arrival_us();
  for (const Lan& lan : lans_) next_us = std::min(next_us, lan.forger.next_us);
  return next_us;
}

void Network::send_to(Packet packet, std::size_t to, std::int64_t now_us) {
  const Lan& lan = lans_[packet.lan];
  if (lan.blocked[packet.from][to] > 0 || random_.chance(lan.loss_percent)) return;
  packet.to = static_cast<std::uint8_t>(to);
  const int copies = random_.chance(lan.duplicate_percent) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    packet.at_us = now_us + draw_delay_us(lan);
    packet.number = sent_++;
    in_flight_.push_back(packet);
    std::push_heap(in_flight_.begin(), in_flight_.end(), is_later);
  }
}

std::optional<Packet> Network::receive(std::int64_t now_us) {
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (lans_[lan].forger.next_us <= now_us) forge(lan, now_us);
  }
  while (arrival_us() <= now_us) {
    std::pop_heap(in_flight_.begin(), in_flight_.end(), is_later);
    const Packet packet = in_flight_.back();
    in_flight_.pop_back();
    if (port_up(packet.to, packet.lan)) return packet;
  }
  return std::nullopt;
}

}  // namespace keepline::vrrp::sim
