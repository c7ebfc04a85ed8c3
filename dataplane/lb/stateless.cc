// FlowPath's packets without a connection: forwarded by hash in an overload, or routed.
#include "dataplane/lb/flow_path_inline.h"

namespace keepline::lb {

using net::Drop;

// By the hash alone: the table has no room, or this server would have been chosen in an overload.
template <typename F>
Verdict FlowPath<F>::without_entry(Turn& turn, const Arrival& arrival, const RealServer& real) {
  if (real.method == Method::kFullNat) return turn.drop(Drop::kTableFull);
  const auto* ip = arrival.parsed.template ip<F>(arrival.packet);
  const RealEntry* entry = turn.snapshot.real(real.slot, real.generation);
  Entry passing{};
  passing.client = ip->source;
  passing.client_port = arrival.parsed.ports.source;
  passing.vip = ip->destination;
  passing.vip_port = arrival.parsed.ports.destination;
  passing.real = F::address_of(real.endpoint.address);
  passing.real_port = port_at(real, arrival.parsed);
  passing.local = ip->source;
  passing.local_port = arrival.parsed.ports.source;
  passing.method = real.method;
  passing.real_slot = real.slot;
  passing.real_generation = real.generation;
  set_deltas(passing);
  turn.counters.stateless.add();
  return deliver(turn, arrival, passing, *entry);
}

// From a real server's port, but of no connection. In an overload, or with one-packet scheduling,
// it may answer a packet that went without one, and while the VIP changes hands one that the other
// node forwarded; otherwise it is ordinary traffic of that server, routed if this node is a router.
template <typename F>
Verdict FlowPath<F>::answer_without_entry(Turn& turn, const Arrival& arrival) {
  if (turn.has_kernel() && is_kernels(turn, arrival)) return turn.not_ours(Drop::kUnknown);
  const auto* ip = arrival.parsed.template ip<F>(arrival.packet);
  const auto& origins = turn.snapshot.nat_origins();
  const net::IpAddr server = F::generic(ip->source);
  const net::be16 port = arrival.parsed.ports.source;
  const auto slot = origins.only_service({server, port.value()}, arrival.parsed.protocol);
  if (!slot) return route(turn, arrival.packet, arrival.parsed);
  const Service& service = *turn.snapshot.service(*slot);
  const Vip* vip = turn.snapshot.find_vip(service.vip.address);
  const bool changes_hands = vip != nullptr && turn.changes_hands(vip->lease);
  if (!service.one_packet && !overloaded(turn.now_s) && !changes_hands) {
    return route(turn, arrival.packet, arrival.parsed);
  }
  if (vip == nullptr || !turn.holds(vip->lease)) return turn.drop(Drop::kNotMaster);
  const neigh::NextHop hop = turn.snapshot.next_hops().resolve(ip->destination);
  const Drop drop = check_way_out<F>(turn, arrival.packet, arrival.parsed, hop);
  if (drop != Drop::kNone) return turn.drop(drop);
  Entry passing{};
  passing.vip = F::address_of(service.vip.address);
  passing.vip_port = service.vip.port != 0 ? net::be16(service.vip.port) : port;
  passing.client = passing.local = ip->destination;
  passing.client_port = passing.local_port = arrival.parsed.ports.destination;
  passing.real = ip->source;
  passing.real_port = port;
  set_deltas(passing);
  nat_to_client<F>(arrival.packet, arrival.parsed, passing);
  set_link_header(arrival.packet, {hop.mac, source_mac(turn, *vip, hop.port)});
  turn.counters.stateless.add();
  return {Action::kTransmit, hop.port};
}

// On a NIC that we own, what steering would have kept from us: all but the answers of real servers,
// and of those what they answer the node itself.
template <typename F>
bool FlowPath<F>::is_kernels(const Turn& turn, const Arrival& arrival) const {
  const auto* ip = arrival.parsed.template ip<F>(arrival.packet);
  if (turn.snapshot.template is_local<F>(ip->destination)) return false;
  const net::Endpoint source{F::generic(ip->source), arrival.parsed.ports.source.value()};
  return turn.snapshot.is_own(F::generic(ip->destination)) ||
         !turn.snapshot.nat_origins().has(source, arrival.parsed.protocol);
}

template <typename F>
Verdict FlowPath<F>::route(Turn& turn, const net::Packet& packet, const net::Parsed& parsed) {
  const auto& destination = parsed.template ip<F>(packet)->destination;
  // Nor is anything routed to an address of ours: it would be an answer of FULLNAT.
  if (!turn.snapshot.ip_forward(F::kFamily) || turn.snapshot.template is_local<F>(destination)) {
    return turn.drop(Drop::kNoConnection);
  }
  const neigh::NextHop hop = turn.snapshot.next_hops().resolve(destination);
  const Drop drop = check_way_out<F>(turn, packet, parsed, hop);
  if (drop != Drop::kNone) return turn.drop(drop);
  pass_on<F>(packet, parsed);
  set_link_header(packet, {hop.mac, turn.snapshot.port(hop.port).mac});
  return {Action::kTransmit, hop.port};
}

// The members of this file only; the rest of the class is instantiated where it is defined.
template Verdict FlowPath<net::V4>::without_entry(Turn&, const Arrival&, const RealServer&);
template Verdict FlowPath<net::V6>::without_entry(Turn&, const Arrival&, const RealServer&);
template Verdict FlowPath<net::V4>::answer_without_entry(Turn&, const Arrival&);
template Verdict FlowPath<net::V4>::route(Turn&, const net::Packet&, const net::Parsed&);
template Verdict FlowPath<net::V6>::route(Turn&, const net::Packet&, const net::Parsed&);
template Verdict FlowPath<net::V6>::answer_without_entry(Turn&, const Arrival&);

}  // namespace keepline::lb
