// FlowPath's burst stages, and the straight way through forward(): that of a packet of a connection
// that is and stays established, to or from a server that nothing is wrong with.
//
// The straight way decides nothing: whatever is unusual about a packet, it says no before it has
// changed anything, and the careful way of flow_path.cc looks at it from the start.
#include <cstddef>
#include <cstring>

#include "dataplane/lb/flow_path_inline.h"

namespace keepline::lb {

using net::Packet;
using net::Parsed;

namespace {

constexpr std::uint8_t kChangesState = net::kTcpSyn | net::kTcpFin | net::kTcpRst;

// Source and destination lie side by side in the header, in the entry and in what parse() found:
// both addresses, and both ports, in one comparison each.
template <typename T>
T load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename F>
bool same_addresses(const typename F::Address* a, const typename F::Address* b) {
  if constexpr (sizeof(*a) == 4) return load<std::uint64_t>(a) == load<std::uint64_t>(b);
  return a[0] == b[0] && a[1] == b[1];
}

template <typename F>
bool is_from_client(const Connection<F>& c, const typename F::Header& ip, const Parsed& parsed) {
  static_assert(offsetof(Connection<F>, vip) == sizeof(c.client));
  static_assert(offsetof(Connection<F>, vip_port) == offsetof(Connection<F>, client_port) + 2);
  return same_addresses<F>(&c.client, &ip.source) &&
         load<std::uint32_t>(&c.client_port) == load<std::uint32_t>(&parsed.ports) &&
         c.protocol == parsed.protocol;
}

template <typename F>
bool is_from_server(const Connection<F>& c, const typename F::Header& ip, const Parsed& parsed) {
  static_assert(offsetof(Connection<F>, local) == offsetof(Connection<F>, real) + sizeof(c.real));
  static_assert(offsetof(Connection<F>, local_port) == offsetof(Connection<F>, real_port) + 2);
  return same_addresses<F>(&c.real, &ip.source) &&
         load<std::uint32_t>(&c.real_port) == load<std::uint32_t>(&parsed.ports) &&
         c.protocol == parsed.protocol;
}

// A packet of BFD from a neighbour to this node itself.
template <typename F>
bool is_bfd(const Turn& turn, const typename F::Header& ip, const Parsed& parsed) {
  if (parsed.protocol != net::Protocol::kUdp) return false;
  const std::uint16_t port = parsed.ports.destination.value();
  if (port != net::kBfdPort && port != net::kBfdMultihopPort) return false;
  const BfdNeighbour from{F::generic(ip.source), port == net::kBfdMultihopPort};
  return turn.snapshot.is_bfd_neighbour(from) && turn.snapshot.is_own(F::generic(ip.destination));
}

}  // namespace

template <typename F>
void FlowPath<F>::classify(Turn& turn, Burst& burst) {
  net::Places& flows = burst.flows<F>();
  Lane<F>& lane = burst.lane<F>();
  const auto services = turn.snapshot.template service_view<F>();
  const std::size_t count = flows.count;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = flows.at[i];
    const Packet& packet = burst.packets[at];
    const Parsed& parsed = burst.parsed[at];
    if (const net::Drop drop = turn.check_destination(packet); drop != net::Drop::kNone)
        [[unlikely]] {
      burst.verdicts[at] = turn.misdirected(packet, parsed, drop);
      continue;
    }
    const auto* ip = parsed.template ip<F>(packet);
    const ServiceEntry* service =
        services.find(ip->destination, parsed.ports.destination, parsed.protocol);
    if (service == nullptr && turn.snapshot.has_bfd() && is_bfd<F>(turn, *ip, parsed))
        [[unlikely]] {
      burst.verdicts[at] = to_bfd(turn);
      continue;
    }
    const auto [hash, worker] =
        home_of(turn.snapshot, ip->source, ip->destination, parsed.ports, parsed.protocol,
                service != nullptr ? Direction::kForward : Direction::kReverse);
    if (worker != worker_) [[unlikely]] {
      burst.verdicts[at] = {Action::kHandOff, turn.port, worker};
      continue;
    }
    table_.prefetch(hash);
    flows.at[kept] = static_cast<std::uint16_t>(at);
    lane.service[kept] = service;
    lane.hash[kept] = hash;
    ++kept;
  }
  flows.count = kept;
}

template <typename F>
Verdict FlowPath<F>::to_bfd(Turn& turn) const {
  if (worker_ != kBfdWorker) return {Action::kHandOff, turn.port, kBfdWorker};
  turn.counters.bfd.add();
  return {Action::kToBfd, turn.port};
}

template <typename F>
void FlowPath<F>::look_up(Burst& burst) {
  Lane<F>& lane = burst.lane<F>();
  const std::size_t count = burst.flows<F>().count;
  for (std::size_t i = 0; i < count; ++i) lane.candidate[i] = table_.candidate(lane.hash[i]);
}

template <typename F>
void FlowPath<F>::forward(Turn& turn, Burst& burst) {
  const std::size_t count = burst.flows<F>().count;
  const Lane<F>& lane = burst.lane<F>();
  for (std::size_t i = 0; i < count; ++i) {
    if (lane.service[i] != nullptr) {
      if (!straight_to_server(turn, burst, i)) [[unlikely]]
        to_server(turn, burst, i);
    } else {
      if (!straight_to_client(turn, burst, i)) [[unlikely]]
        to_client(turn, burst, i);
    }
  }
}

template <typename F>
[[gnu::always_inline]] inline bool FlowPath<F>::straight_to_server(Turn& turn, Burst& burst,
                                                                   std::size_t i) {
  const Lane<F>& lane = burst.lane<F>();
  const std::size_t at = burst.flows<F>().at[i];
  Packet& packet = burst.packets[at];
  const Parsed& parsed = burst.parsed[at];
  if (lane.candidate[i] == Table::kNone || !turn.holds(lane.service[i]->lease)) return false;
  Entry& connection = table_[lane.candidate[i]];
  if (!is_from_client(connection, *parsed.template ip<F>(packet), parsed) ||
      (parsed.flags & kChangesState) != 0 || !Table::is_settled(connection)) {
    return false;
  }
  const RealEntry* real = turn.snapshot.real(connection.real_slot, connection.real_generation);
  if (real == nullptr || real->until_s != LeavingServer::kNoLimit || parsed.l3_length > real->mtu ||
      hops_left<F>(packet, parsed) <= 1) {
    return false;
  }
  keep_alive(connection, turn.now_s);
  accounts_.current(connection.real_slot).packet_in(parsed.l3_length);
  burst.verdicts[at] = send_to_server(turn, packet, parsed, connection, *real);
  return true;
}

template <typename F>
[[gnu::always_inline]] inline bool FlowPath<F>::straight_to_client(Turn& turn, Burst& burst,
                                                                   std::size_t i) {
  const Lane<F>& lane = burst.lane<F>();
  const std::size_t at = burst.flows<F>().at[i];
  const Packet& packet = burst.packets[at];
  const Parsed& parsed = burst.parsed[at];
  if (lane.candidate[i] == Table::kNone) return false;
  Entry& connection = table_[lane.candidate[i]];
  if (!is_from_server(connection, *parsed.template ip<F>(packet), parsed) ||
      (parsed.flags & kChangesState) != 0 || !Table::is_settled(connection) ||
      !translates(connection.method) || connection.hop_epoch != turn.snapshot.hop_epoch()) {
    return false;
  }
  const RealEntry* real = turn.snapshot.real(connection.real_slot, connection.real_generation);
  if (real == nullptr || real->vip == kNoVip) return false;
  const Vip& vip = turn.snapshot.vip(real->vip);
  if (!turn.holds(vip.lease) ||
      check_way_out<F>(turn, packet, parsed, connection.client_hop_port) != net::Drop::kNone) {
    return false;
  }
  if (!connection.replied) connection.replied = true;
  keep_alive(connection, turn.now_s);
  accounts_.current(connection.real_slot).packet_out(parsed.l3_length);
  burst.verdicts[at] = send_to_client(turn, packet, parsed, connection, vip);
  return true;
}

// The members of this file only; the rest of the class is instantiated where it is defined.
template void FlowPath<net::V4>::classify(Turn&, Burst&);
template void FlowPath<net::V6>::classify(Turn&, Burst&);
template Verdict FlowPath<net::V4>::to_bfd(Turn&) const;
template Verdict FlowPath<net::V6>::to_bfd(Turn&) const;
template void FlowPath<net::V4>::look_up(Burst&);
template void FlowPath<net::V6>::look_up(Burst&);
template void FlowPath<net::V4>::forward(Turn&, Burst&);
template void FlowPath<net::V6>::forward(Turn&, Burst&);

}  // namespace keepline::lb
