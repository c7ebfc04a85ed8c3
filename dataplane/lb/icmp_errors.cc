// FlowPath's ICMP errors: those of others about its connections, and its own about what it drops.
#include "dataplane/lb/icmp/tunnelled.h"

#include "dataplane/lb/flow_path_inline.h"

namespace keepline::lb {

using net::Drop;
using net::Packet;
using net::Parsed;

template <typename F>
Verdict FlowPath<F>::pass_on_error(Turn& turn, Packet& packet, const Parsed& error) {
  const auto quoted = quoted_in<F>(packet, error);
  if (!quoted) return turn.not_ours(packet, error, Drop::kUnknown);
  if (!icmp_checksum_ok<F>(packet, error)) return turn.drop(Drop::kBadIcmp);
  const auto* about = quoted->template ip<F>(packet);
  // To the VIP that is said to have sent the packet: a real server did. Otherwise to a client.
  const bool for_real = about->source == error.template ip<F>(packet)->destination &&
                        turn.snapshot.template find_service<F>(about->source, quoted->ports.source,
                                                               quoted->protocol) != nullptr;
  // What it quotes went the other way.
  const FlowKey<F> key{about->destination, about->source, quoted->ports.destination,
                       quoted->ports.source, quoted->protocol};
  const auto [hash, worker] =
      home_of(turn.snapshot, key, for_real ? Direction::kForward : Direction::kReverse);
  if (worker != worker_) return {Action::kHandOff, turn.port, worker};
  return for_real ? error_for_real(turn, packet, error, *quoted, hash)
                  : error_for_client(turn, packet, error, *quoted, hash);
}

template <typename F>
Verdict FlowPath<F>::error_for_real(Turn& turn, Packet& packet, const Parsed& error,
                                    const Parsed& quoted, std::uint64_t hash) {
  const auto* about = quoted.template ip<F>(packet);
  const ServiceEntry& service =
      *turn.snapshot.template find_service<F>(about->source, quoted.ports.source, quoted.protocol);
  if (!turn.holds(service.lease)) return turn.drop(Drop::kNotMaster);
  const Entry* connection =
      table_.find(hash,
                  {about->destination, about->source, quoted.ports.destination, quoted.ports.source,
                   quoted.protocol},
                  Direction::kForward);
  if (connection == nullptr) return turn.drop(Drop::kNoConnection);
  const RealEntry* real = turn.snapshot.real(connection->real_slot, connection->real_generation);
  if (real == nullptr) return turn.drop(Drop::kServerGone);
  if (error.l3_length > real->mtu) return turn.drop(why_not(real->reach));
  if (hops_left<F>(packet, error) <= 1) return turn.drop(Drop::kTtlExpired);
  if (translates(connection->method)) {
    restore_quoted(packet, quoted, *connection);
    error_to_real(packet, error, quoted, *connection);
  } else {
    pass_on<F>(packet, error);
  }
  turn.counters.icmp_errors.add();
  if (connection->method == Method::kTunnel) {
    if (!put_into_tunnel(turn, packet, error, *connection, *real)) return {};
    return {Action::kTransmitResized, real->port};
  }
  set_link_header(packet, real->link);
  return {Action::kTransmit, real->port};
}

template <typename F>
Verdict FlowPath<F>::error_for_client(Turn& turn, const Packet& packet, const Parsed& error,
                                      const Parsed& quoted, std::uint64_t hash) {
  const auto* about = quoted.template ip<F>(packet);
  Entry* connection = table_.find(hash,
                                  {about->destination, about->source, quoted.ports.destination,
                                   quoted.ports.source, quoted.protocol},
                                  Direction::kReverse);
  if (connection == nullptr || !translates(connection->method)) {
    if (turn.has_kernel() || turn.is_refused(packet, error)) {
      return turn.not_ours(packet, error, Drop::kUnknown);
    }
    return route(turn, packet, error);
  }
  const Vip* vip = turn.snapshot.find_vip(F::generic(connection->vip));
  if (vip == nullptr || !turn.holds(vip->lease)) return turn.drop(Drop::kNotMaster);
  if (connection->hop_epoch != turn.snapshot.hop_epoch()) resolve_client(turn, *connection);
  const Drop drop = check_way_out<F>(turn, packet, error, connection->client_hop_port);
  if (drop != Drop::kNone) return turn.drop(drop);
  error_to_client(packet, error, quoted, *connection);
  const net::PortId port = connection->client_hop_port;
  set_link_header(packet, {connection->client_hop_mac, source_mac(turn, *vip, port)});
  turn.counters.icmp_errors.add();
  return {Action::kTransmit, port};
}

// Of a router on a tunnel's way, about what we have put into it: the client, whose packet it was,
// hears of it from the VIP. nullopt: not about a connection through a tunnel.
template <typename F>
std::optional<Verdict> FlowPath<F>::pass_on_tunnel_error(Turn& turn, Packet& packet,
                                                         const Parsed& error,
                                                         const Tunnelled& inside) {
  auto about = quoted_at<F>(packet, inside.l3, inside.length);
  if (!about) return std::nullopt;
  const FlowKey<F> key = key_of<F>(packet, *about);
  const ServiceEntry* service =
      turn.snapshot.template find_service<F>(key.destination, key.destination_port, key.protocol);
  if (service == nullptr) return std::nullopt;
  const auto [hash, worker] = home_of(turn.snapshot, key, Direction::kForward);
  if (worker != worker_) return Verdict{Action::kHandOff, turn.port, worker};
  if (!turn.holds(service->lease)) return turn.drop(Drop::kNotMaster);
  const Entry* connection = table_.find(hash, key, Direction::kForward);
  if (connection == nullptr || connection->method != Method::kTunnel) return std::nullopt;
  const TunnelHeader* tunnel = turn.snapshot.tunnel(connection->real_slot);
  if (tunnel == nullptr || far_end(*tunnel) != inside.server) return turn.drop(Drop::kUnknown);
  const bool sound = error.family == net::Family::kV6 ? icmp_checksum_ok<net::V6>(packet, error)
                                                      : icmp_checksum_ok<net::V4>(packet, error);
  if (!sound) return turn.drop(Drop::kBadIcmp);
  const auto hearing = hearing_of(packet, error, inside);
  if (!hearing) return turn.drop(Drop::kUnknown);
  if (refusals_.spend(turn.now_s) == RefusalBudget::Spend::kNothingLeft) {
    return turn.drop(Drop::kUnknown);
  }
  const Vip* vip = turn.snapshot.find_vip(F::generic(key.destination));
  // Its entry does not know the way back to the client: answers do not pass here.
  const neigh::NextHop hop = turn.snapshot.next_hops().resolve(key.source);
  if (vip == nullptr || hop.reach != neigh::Reach::kFound) return turn.drop(why_not(hop.reach));
  unwrap(packet, error, inside);
  about->l3 = error.l3;
  if (make_error<F>(packet, *about, hearing->refusal, hearing->mtu, key.destination) !=
      Made::kDone) {
    return turn.drop(Drop::kUnknown);
  }
  set_link_header(packet, {hop.mac, source_mac(turn, *vip, hop.port)});
  turn.counters.icmp_errors.add();
  return Verdict{Action::kTransmitResized, hop.port};
}

// The packet is dropped in any case; its sender hears why, when it may and can do something about
// it.
template <typename F>
Verdict FlowPath<F>::refuse(Turn& turn, const Arrival& arrival, Drop reason, std::uint16_t mtu,
                            const typename F::Address& speaker) {
  const Verdict dropped = turn.drop(reason);
  Refusal refusal{};
  switch (reason) {
    case Drop::kTooBig:
      refusal = Refusal::kTooBig;
      break;
    case Drop::kTtlExpired:
      refusal = Refusal::kTtlExpired;
      break;
    case Drop::kNoRealServer:
      refusal = Refusal::kPortUnreachable;
      break;
    default:
      return dropped;
  }
  if (refusals_.spend(turn.now_s) == RefusalBudget::Spend::kNothingLeft) return dropped;
  const typename F::Address from = speaker;  // may lie in the packet
  if (make_error<F>(arrival.packet, arrival.parsed, refusal, mtu, from) != Made::kDone) {
    return dropped;
  }
  turn.counters.refusals.add();
  return {Action::kTransmitResized, turn.port};
}

// The members of this file only; the rest of the class is instantiated where it is defined.
template Verdict FlowPath<net::V4>::pass_on_error(Turn&, Packet&, const Parsed&);
template Verdict FlowPath<net::V6>::pass_on_error(Turn&, Packet&, const Parsed&);
template std::optional<Verdict> FlowPath<net::V4>::pass_on_tunnel_error(Turn&, Packet&,
                                                                        const Parsed&,
                                                                        const Tunnelled&);
template std::optional<Verdict> FlowPath<net::V6>::pass_on_tunnel_error(Turn&, Packet&,
                                                                        const Parsed&,
                                                                        const Tunnelled&);
template Verdict FlowPath<net::V4>::refuse(Turn&, const Arrival&, Drop, std::uint16_t,
                                           const net::be32&);
template Verdict FlowPath<net::V6>::refuse(Turn&, const Arrival&, Drop, std::uint16_t,
                                           const net::Ip6&);

}  // namespace keepline::lb
