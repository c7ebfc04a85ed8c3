#include "dataplane/lb/flow_path.h"

#include "dataplane/lb/flow_path_inline.h"
#include "dataplane/lb/forward/tcp_options.h"

namespace keepline::lb {

using net::Drop;
using net::Packet;
using net::Parsed;

namespace {

// A SYN says how long segments may be: each end is told what fits on the links of both.
template <typename F>
void limit_segments(const Packet& packet, const Parsed& parsed, std::uint16_t mtu) {
  const std::uint16_t most = most_segment<F>(mtu);
  if (parsed.protocol == net::Protocol::kTcp && (parsed.flags & net::kTcpSyn) != 0 && most != 0) {
    clamp_mss(packet, parsed, most);
  }
}

// Whether it may be from the middle of one.
bool resumes_flow(const Parsed& parsed) {
  switch (parsed.protocol) {
    case net::Protocol::kTcp:
      return (parsed.flags & (net::kTcpSyn | net::kTcpRst)) == 0;
    case net::Protocol::kSctp:
      return static_cast<net::SctpEvent>(parsed.flags) != net::SctpEvent::kInit &&
             static_cast<net::SctpEvent>(parsed.flags) != net::SctpEvent::kAbort;
    default:
      return true;
  }
}

}  // namespace

template <typename F>
FlowPath<F>::FlowPath(const typename Table::Config& config, const Timeouts& timeouts,
                      std::uint8_t worker, Accounts& accounts, std::uint32_t now_s)
    : table_(config, now_s),
      worker_(worker),
      local_ports_(config.hash_key),
      streams_(table_.capacity()),
      cookies_(config.hash_key),
      accounts_(accounts) {
  for (std::size_t state = 0; state < kFlowStates; ++state) {
    timeouts_s_[state] = timeouts.of(static_cast<FlowState>(state));
  }
}

template <typename F>
auto FlowPath<F>::find(const Arrival& arrival, Direction direction) -> Entry* {
  return table_.find(arrival.hash, key_of<F>(arrival.packet, arrival.parsed), direction);
}

template <typename F>
void FlowPath<F>::to_server(Turn& turn, Burst& burst, std::size_t i) {
  const std::size_t at = burst.flows<F>().at[i];
  const Arrival arrival{burst.packets[at], burst.parsed[at], burst.lane<F>().hash[i]};
  burst.verdicts[at] = to_service(turn, arrival, *burst.lane<F>().service[i]);
}

template <typename F>
Verdict FlowPath<F>::to_service(Turn& turn, const Arrival& arrival, const ServiceEntry& service) {
  if (!turn.holds(service.lease)) return turn.drop(Drop::kNotMaster);
  const Parsed& parsed = arrival.parsed;
  Entry* connection = find(arrival, Direction::kForward);
  const RealEntry* real = connection == nullptr ? nullptr
                                                : turn.snapshot.real(connection->real_slot,
                                                                     connection->real_generation);
  const bool starts = starts_flow(parsed);
  if (connection != nullptr) {
    const bool gone = real == nullptr || real->until_s <= turn.now_s;
    // A client that uses its port again, or whose server has left, gets a server anew.
    if (starts && (gone || real->failed || is_over(connection->state))) {
      forget(*connection);
      connection = nullptr;
    } else if (gone) {
      return turn.drop(Drop::kServerGone);
    }
  }
  const bool one_sided = connection != nullptr && !translates(connection->method);
  // Its answers go past us: a second packet has to do as the sign of life that a reply is.
  if (one_sided && parsed.protocol == net::Protocol::kUdp) connection->replied = true;
  if (connection == nullptr) {
    const Service& pool = *turn.snapshot.service(service.slot);
    if (pool.syn_proxy) return meet_client(turn, arrival, pool);
    // In an overload the entry may have been given up while the client was answering, and after a
    // change of master another node has it; what does not begin a flow may then go on where its
    // hash leads.
    const bool is_inherited = turn.inherits(service.lease) && pool.leads_alike();
    const bool resumes = (overloaded(turn.now_s) || is_inherited) && resumes_flow(parsed);
    if (!starts && !resumes) return turn.drop(Drop::kNoConnection);
    if (const Drop drop = check_client(turn, arrival, pool); drop != Drop::kNone) {
      return turn.drop(drop);
    }
    const RealServer* chosen = schedule(turn, arrival, pool);
    if (chosen == nullptr) {
      return refuse(turn, arrival, Drop::kNoRealServer, 0,
                    parsed.template ip<F>(arrival.packet)->destination);
    }
    if (pool.one_packet) return without_entry(turn, arrival, *chosen);
    // A new end would be another connection to the server.
    if (!starts && chosen->method == Method::kFullNat) return turn.drop(Drop::kNoConnection);
    const auto local = local_end(turn, arrival, pool, *chosen);
    if (!local) return turn.drop(Drop::kNoLocalPort);
    connection = admit(turn, arrival, pool, *chosen, *local);
    // Without an entry the next packet is to find the same server.
    if (connection == nullptr) return without_entry(turn, arrival, *schedule(turn, arrival, pool));
    real = turn.snapshot.real(connection->real_slot, connection->real_generation);
  }
  if (connection->proxied && stream_of(*connection).waits && (parsed.flags & net::kTcpRst) == 0) {
    return wait_for_server(turn, arrival, *connection, *real, *turn.snapshot.service(service.slot));
  }
  track(*connection, parsed, translates(connection->method) ? Sender::kClient : Sender::kClientOnly,
        turn.now_s);
  return deliver(turn, arrival, *connection, *real);
}

template <typename F>
void FlowPath<F>::to_client(Turn& turn, Burst& burst, std::size_t i) {
  const std::size_t at = burst.flows<F>().at[i];
  const Arrival arrival{burst.packets[at], burst.parsed[at], burst.lane<F>().hash[i]};
  burst.verdicts[at] = from_server(turn, arrival);
}

template <typename F>
Verdict FlowPath<F>::from_server(Turn& turn, const Arrival& arrival) {
  const Packet& packet = arrival.packet;
  const Parsed& parsed = arrival.parsed;
  Entry* connection = find(arrival, Direction::kReverse);
  if (connection == nullptr || !translates(connection->method)) {
    if (turn.is_refused(packet, parsed)) return turn.drop(Drop::kNotAccepted);
    return answer_without_entry(turn, arrival);
  }
  const RealEntry* real = turn.snapshot.real(connection->real_slot, connection->real_generation);
  const Vip* vip = real != nullptr && real->vip != kNoVip
                       ? &turn.snapshot.vip(real->vip)
                       : turn.snapshot.find_vip(F::generic(connection->vip));
  if (vip == nullptr || !turn.holds(vip->lease)) return turn.drop(Drop::kNotMaster);
  connection->replied = true;
  if (connection->proxied) [[unlikely]] {
    Stream& stream = stream_of(*connection);
    const auto* tcp = packet.template at<net::TcpHeader>(parsed.l4);
    const std::uint8_t syn_ack = net::kTcpSyn | net::kTcpAck;
    const bool ours = tcp->acknowledgement.value() == stream.first;
    if ((parsed.flags & syn_ack) == syn_ack && ours && real != nullptr) {
      if (connection->hop_epoch != turn.snapshot.hop_epoch()) resolve_client(turn, *connection);
      return server_answers(turn, arrival, *connection, *real, *vip);
    }
    if (stream.waits) {
      if ((parsed.flags & net::kTcpRst) == 0) {
        return ours ? turn.drop(Drop::kNoConnection) : reset_server(turn, arrival);
      }
      // A refusal has the number that its client waits for.
      stream.shift = tcp->sequence.value() - (stream.cookie + 1);
      stream.waits = false;
    } else if ((parsed.flags & syn_ack) == syn_ack) {
      // The client has begun anew from the same port, and the server answers it itself.
      connection->proxied = false;
    }
  }
  track(*connection, parsed, Sender::kServer, turn.now_s);
  accounts_.of(*connection).packet_out(parsed.l3_length);
  if (connection->hop_epoch != turn.snapshot.hop_epoch()) resolve_client(turn, *connection);
  if (real != nullptr) limit_segments<F>(packet, parsed, real->mtu);
  const Drop drop = check_way_out<F>(turn, packet, parsed, connection->client_hop_port);
  if (drop != Drop::kNone) {
    const std::uint16_t mtu =
        drop == Drop::kTooBig ? turn.snapshot.port(connection->client_hop_port).mtu : 0;
    return refuse(turn, arrival, drop, mtu, connection->vip);
  }
  return send_to_client(turn, packet, parsed, *connection, *vip);
}

// After all that can go wrong with the way to the server.
template <typename F>
Verdict FlowPath<F>::deliver(Turn& turn, const Arrival& arrival, Entry& connection,
                             const RealEntry& real) {
  const Parsed& parsed = arrival.parsed;
  accounts_.of(connection).packet_in(parsed.l3_length);
  const auto& vip = parsed.template ip<F>(arrival.packet)->destination;
  if (parsed.l3_length > real.mtu) return refuse(turn, arrival, why_not(real.reach), real.mtu, vip);
  if (hops_left<F>(arrival.packet, parsed) <= 1) {
    return refuse(turn, arrival, Drop::kTtlExpired, 0, vip);
  }
  if (translates(connection.method)) {
    limit_segments<F>(arrival.packet, parsed, turn.snapshot.port(turn.port).mtu);
  }
  return send_to_server(turn, arrival.packet, parsed, connection, real);
}

// Once per connection and change of routes or neighbours, not per packet. Unresolved, the way back
// is where the client's last frame came from.
template <typename F>
void FlowPath<F>::resolve_client(const Turn& turn, Entry& connection) {
  const neigh::NextHop hop = turn.snapshot.next_hops().resolve(connection.client);
  connection.hop_epoch = turn.snapshot.hop_epoch();
  connection.hop_resolved = hop.reach == neigh::Reach::kFound;
  if (!connection.hop_resolved) return;
  connection.client_hop_port = hop.port;
  connection.client_hop_mac = hop.mac;
}

template <typename F>
void FlowPath<F>::track(Entry& connection, const Parsed& parsed, Sender sender,
                        std::uint32_t now_s) {
  if (connection.protocol != net::Protocol::kUdp) {
    const bool was_active = connection.is_active();
    connection.state =
        connection.protocol == net::Protocol::kTcp
            ? next_tcp_state(connection.state, parsed.flags, sender)
            : next_sctp_state(connection.state, static_cast<net::SctpEvent>(parsed.flags), sender);
    accounts_.changed(connection, was_active);
  }
  table_.settle(connection, now_s + timeout_s(connection.state));
}

template <typename F>
void FlowPath<F>::forget(Entry& connection) {
  if (connection.template_bits != 0) leave_template(connection);
  accounts_.closed(connection);
  table_.remove(connection);
}

// Its time is up, if it is not a template that still has connections.
template <typename F>
void FlowPath<F>::retire(Entry& connection, std::uint32_t now_s, PipelineCounters& counters) {
  if (connection.is_template()) {
    if (connection.hop_epoch != 0) connection.expires_s = now_s + kTemplateRest_s;
    return;
  }
  if (connection.template_bits != 0) leave_template(connection);
  counters.expired.add();
  accounts_.closed(connection);
}

template <typename F>
void FlowPath<F>::expire(std::uint32_t now_s, std::size_t limit, PipelineCounters& counters) {
  table_.expire(now_s, limit, [&](Entry& connection) { retire(connection, now_s, counters); });
}

template class FlowPath<net::V4>;
template class FlowPath<net::V6>;

}  // namespace keepline::lb
