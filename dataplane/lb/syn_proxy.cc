// FlowPath's SYN proxy: a client that has not shown that it hears us costs nothing but a cookie.
//
// The client's SYN is answered for the server, with no room in the window, so that it sends nothing
// yet. Its ACK brings the cookie back: then there is a connection, and a SYN goes to the server,
// with the client's own sequence number. When the server answers, it gets the ACK and the client
// the server's window; from then on the server's sequence numbers and timestamps are shifted.
#include "dataplane/lb/flow_path_inline.h"
#include "dataplane/lb/forward/tcp_options.h"

namespace keepline::lb {

using net::Drop;
using net::Packet;
using net::Parsed;

namespace {

// What the client is told before anybody knows the server's: Linux's usual one.
constexpr std::uint8_t kToldScale = 7;

// Milliseconds, of which a client needs no more than that they go on.
std::uint32_t clock_at(std::uint32_t now_s) {
  return now_s * 1000;
}

template <typename F>
FlowKey<F> reversed(const FlowKey<F>& flow) {
  return {flow.destination, flow.source, flow.destination_port, flow.source_port, flow.protocol};
}

net::LinkAddresses link_of(const Packet& packet) {
  const auto* ethernet = packet.at<net::EthernetHeader>(0);
  return {ethernet->destination, ethernet->source};
}

}  // namespace

// A packet of no connection.
template <typename F>
Verdict FlowPath<F>::meet_client(Turn& turn, const Arrival& arrival, const Service& service) {
  const std::uint8_t flags =
      arrival.parsed.flags & (net::kTcpSyn | net::kTcpAck | net::kTcpFin | net::kTcpRst);
  if (flags == net::kTcpSyn) return send_cookie(turn, arrival, service);
  if (flags == net::kTcpAck) return take_cookie(turn, arrival, service);
  return turn.drop(Drop::kNoConnection);
}

template <typename F>
Verdict FlowPath<F>::send_cookie(Turn& turn, const Arrival& arrival, const Service& service) {
  const FlowKey<F> flow = key_of<F>(arrival.packet, arrival.parsed);
  if (!service.admits(F::generic(flow.source))) return turn.drop(Drop::kDenied);
  if (service.weight_max == 0) {
    return refuse(turn, arrival, Drop::kNoRealServer, 0, flow.destination);
  }
  const RealServer& any = service.pool.front();
  const RealEntry* real = turn.snapshot.real(any.slot, any.generation);
  if (real == nullptr || real->vip == kNoVip) return turn.drop(Drop::kServerGone);
  const SegmentOptions said = options_of(arrival.packet, arrival.parsed);
  const auto* tcp = arrival.packet.template at<net::TcpHeader>(arrival.parsed.l4);
  OwnSegment<F> reply;
  reply.flow = reversed(flow);
  reply.sequence = cookies_.make(flow, tcp->sequence.value(), said.syn, turn.now_s);
  reply.acknowledgement = tcp->sequence.value() + 1;
  reply.flags = net::kTcpSyn | net::kTcpAck;
  reply.syn = said.syn;
  const std::uint16_t mtu = turn.snapshot.port(turn.port).mtu;
  const std::uint16_t narrower = real->mtu != 0 ? std::min(mtu, real->mtu) : mtu;
  reply.syn->mss = most_segment<F>(narrower);
  if (said.syn.window_scale != SynOptions::kNoScale) reply.syn->window_scale = kToldScale;
  if (said.timestamps) reply.timestamps = {clock_at(turn.now_s), said.timestamps->value};
  const net::LinkAddresses back{link_of(arrival.packet).source,
                                source_mac(turn, turn.snapshot.vip(real->vip), turn.port)};
  if (!replace_packet(arrival.packet, back, reply)) return turn.drop(Drop::kNoHeadroom);
  turn.counters.syn_cookies.add();
  return {Action::kTransmitResized, turn.port};
}

template <typename F>
Verdict FlowPath<F>::take_cookie(Turn& turn, const Arrival& arrival, const Service& service) {
  const FlowKey<F> flow = key_of<F>(arrival.packet, arrival.parsed);
  const auto* tcp = arrival.packet.template at<net::TcpHeader>(arrival.parsed.l4);
  const std::uint32_t cookie = tcp->acknowledgement.value() - 1;
  // A probe of the closed window comes from one before.
  std::uint32_t first = tcp->sequence.value();
  auto said = cookies_.check(flow, first - 1, cookie, turn.now_s);
  if (!said) said = cookies_.check(flow, first++, cookie, turn.now_s);
  if (!said) return turn.drop(Drop::kBadCookie);
  if (const Drop drop = check_client(turn, arrival, service); drop != Drop::kNone) {
    return turn.drop(drop);
  }
  const RealServer* chosen = schedule(turn, arrival, service);
  if (chosen == nullptr) {
    return refuse(turn, arrival, Drop::kNoRealServer, 0, flow.destination);
  }
  const auto local = local_end(turn, arrival, service, *chosen);
  if (!local) return turn.drop(Drop::kNoLocalPort);
  Entry* connection = admit(turn, arrival, service, *chosen, *local);
  if (connection == nullptr) return turn.drop(Drop::kTableFull);
  const RealEntry* real = turn.snapshot.real(connection->real_slot, connection->real_generation);
  if (real == nullptr || !translates(connection->method)) return turn.drop(Drop::kServerGone);
  const auto timestamps = options_of(arrival.packet, arrival.parsed).timestamps;
  connection->proxied = true;
  Stream& stream = stream_of(*connection);
  stream = {};
  stream.first = first;
  stream.cookie = cookie;
  stream.window = tcp->window.value();
  stream.told_scale = said->window_scale != SynOptions::kNoScale ? kToldScale : 0;
  stream.has_clock = timestamps.has_value();
  stream.clock = timestamps ? timestamps->echo : 0;
  stream.waits = true;
  turn.counters.proxied.add();
  return open_server(turn, arrival, *connection, *real);
}

// Whatever the client says while there is no answer of the server.
template <typename F>
Verdict FlowPath<F>::wait_for_server(Turn& turn, const Arrival& arrival, Entry& connection,
                                     const RealEntry& real, const Service& service) {
  if (starts_flow(arrival.parsed)) return send_cookie(turn, arrival, service);
  const auto* tcp = arrival.packet.template at<net::TcpHeader>(arrival.parsed.l4);
  const std::uint32_t cookie = tcp->acknowledgement.value() - 1;
  const bool other =
      (arrival.parsed.flags & net::kTcpAck) != 0 && cookie != stream_of(connection).cookie;
  // The client has begun anew from the same port: its own cookie says so.
  if (other && cookies_.check(key_of<F>(arrival.packet, arrival.parsed), tcp->sequence.value() - 1,
                              cookie, turn.now_s)) {
    forget(connection);
    return take_cookie(turn, arrival, service);
  }
  return open_server(turn, arrival, connection, real);
}

// The client's packet becomes the SYN to the server: its ACK, and whatever it sends until there is
// an answer, so that a SYN that was lost is sent again.
template <typename F>
Verdict FlowPath<F>::open_server(Turn& turn, const Arrival& arrival, Entry& connection,
                                 const RealEntry& real) {
  const Stream& stream = stream_of(connection);
  OwnSegment<F> syn;
  syn.flow = key_of<F>(arrival.packet, arrival.parsed);
  syn.sequence = stream.first - 1;
  syn.flags = net::kTcpSyn;
  syn.window = stream.window;
  syn.syn = SynCookies::options_in(stream.cookie);
  const auto timestamps = options_of(arrival.packet, arrival.parsed).timestamps;
  if (stream.has_clock && timestamps) syn.timestamps = {timestamps->value, 0};
  if (!replace_packet(arrival.packet, link_of(arrival.packet), syn)) {
    return turn.drop(Drop::kNoHeadroom);
  }
  const Parsed parsed = net::parse(arrival.packet);
  track(connection, parsed, Sender::kClient, turn.now_s);
  Verdict verdict = deliver(turn, {arrival.packet, parsed, arrival.hash}, connection, real);
  if (verdict.action == Action::kTransmit) verdict.action = Action::kTransmitResized;
  return verdict;
}

// The server's SYN-ACK: two ends that speak to us begin to speak to each other.
template <typename F>
Verdict FlowPath<F>::server_answers(Turn& turn, const Arrival& arrival, Entry& connection,
                                    const RealEntry& real, const Vip& vip) {
  Stream& stream = stream_of(connection);
  const SegmentOptions said = options_of(arrival.packet, arrival.parsed);
  const auto* tcp = arrival.packet.template at<net::TcpHeader>(arrival.parsed.l4);
  const std::uint32_t sequence = tcp->sequence.value();
  if (stream.waits) {
    stream.shift = sequence - stream.cookie;
    const bool scales = said.syn.window_scale != SynOptions::kNoScale;
    stream.scale = scales ? said.syn.window_scale : 0;
    stream.has_clock = stream.has_clock && said.timestamps;
    if (stream.has_clock) stream.clock_shift = stream.clock - said.timestamps->value;
    stream.waits = false;
  }
  acknowledge(turn, connection, real, said.timestamps);

  OwnSegment<F> update;
  update.flow = key_of<F>(arrival.packet, arrival.parsed);
  update.sequence = sequence + 1;
  update.acknowledgement = stream.first;
  update.window = static_cast<std::uint16_t>(tcp->window.value() >> stream.scale);
  if (stream.has_clock) update.timestamps = said.timestamps;
  if (!replace_packet(arrival.packet, link_of(arrival.packet), update)) {
    return turn.drop(Drop::kNoHeadroom);
  }
  const Parsed parsed = net::parse(arrival.packet);
  const Drop drop = check_way_out<F>(turn, arrival.packet, parsed, connection.client_hop_port);
  if (drop != Drop::kNone) return turn.drop(drop);
  // It is ours, and no sign that the server has had the client's address.
  const Tell tell = connection.tell;
  Verdict verdict = send_to_client(turn, arrival.packet, parsed, connection, vip);
  connection.tell = tell;
  verdict.action = Action::kTransmitResized;
  return verdict;
}

// The server speaks of a connection that it had with the same end before: it has to forget that, as
// any client would tell it (RFC 9293 §3.10.7.4); then the next SYN is answered.
template <typename F>
Verdict FlowPath<F>::reset_server(Turn& turn, const Arrival& arrival) {
  const auto* tcp = arrival.packet.template at<net::TcpHeader>(arrival.parsed.l4);
  OwnSegment<F> reset;
  reset.flow = reversed(key_of<F>(arrival.packet, arrival.parsed));
  reset.sequence = tcp->acknowledgement.value();
  reset.flags = net::kTcpRst;
  const net::LinkAddresses link = link_of(arrival.packet);
  if (!replace_packet(arrival.packet, {link.source, link.destination}, reset)) {
    return turn.drop(Drop::kNoHeadroom);
  }
  return {Action::kTransmitResized, turn.port};
}

// The ACK that completes the handshake with the server, as if the client had sent it now.
template <typename F>
void FlowPath<F>::acknowledge(Turn& turn, Entry& connection, const RealEntry& real,
                              const std::optional<Timestamps>& of_server) {
  MadeFrame* made = turn.make_frame();
  if (made == nullptr) return;
  const Stream& stream = stream_of(connection);
  OwnSegment<F> ack;
  ack.flow = {connection.client, connection.vip, connection.client_port, connection.vip_port,
              connection.protocol};
  ack.sequence = stream.first;
  ack.acknowledgement = stream.cookie + 1;
  ack.window = stream.window;
  if (stream.has_clock && of_server) ack.timestamps = {of_server->echo, stream.clock};
  Packet packet{made->bytes.data() + MadeFrame::kHeadroom, nullptr, 0, MadeFrame::kHeadroom};
  packet.length = static_cast<std::uint16_t>(write_segment(packet.data, {}, ack));
  const Parsed parsed = net::parse(packet);
  made->length = 0;
  if (parsed.l3_length > real.mtu) return;  // no way to the server now: it will say it again
  track(connection, parsed, Sender::kClient, turn.now_s);
  // It did not come in here: the way back to the client stays as it is.
  const net::PortId hop_port = connection.client_hop_port;
  const net::Mac hop_mac = connection.client_hop_mac;
  const Verdict verdict = send_to_server(turn, packet, parsed, connection, real);
  connection.client_hop_port = hop_port;
  connection.client_hop_mac = hop_mac;
  made->port = verdict.port;
  made->begin = static_cast<std::uint16_t>(packet.data - made->bytes.data());
  made->length = verdict.action == Action::kDrop ? std::uint16_t{0} : packet.length;
}

// Off the straight way: numbers are shifted, and the server is told of its client.
template <typename F>
[[gnu::noinline]] bool FlowPath<F>::alter_for_server(Turn& turn, Packet& packet,
                                                     const Parsed& parsed,
                                                     const Entry& connection) {
  Stream& stream = stream_of(connection);
  if (connection.proxied && !stream.waits) shift_to_server(packet, parsed, stream);
  if (connection.tell == Tell::kNothing) return true;
  const Told told = tell_server(packet, parsed, connection, stream.first);
  if (told == Told::kDone) return true;
  turn.drop(told == Told::kFragment ? Drop::kFragment : Drop::kNoHeadroom);
  return false;
}

template <typename F>
[[gnu::noinline]] void FlowPath<F>::alter_for_client(const Packet& packet, const Parsed& parsed,
                                                     Entry& connection) {
  Stream& stream = stream_of(connection);
  if (connection.proxied) shift_to_client(packet, parsed, stream);
  if (connection.tell != Tell::kNothing) hear_server(packet, parsed, connection, stream.first);
}

// A quoted segment of the server has the numbers that its client knows.
template <typename F>
void FlowPath<F>::restore_quoted(const Packet& packet, const Parsed& quoted,
                                 const Entry& connection) {
  if (!connection.proxied || quoted.protocol != net::Protocol::kTcp) return;
  auto& sequence =
      packet.at<net::TcpHeader>(quoted.l4)->sequence;  // among the least that is quoted
  sequence.set(sequence.value() + stream_of(connection).shift);
}

// The members of this file only; the rest of the class is instantiated where it is defined.
#define KEEPLINE_SYN_PROXY_OF(F)                                                                 \
  template Verdict FlowPath<F>::meet_client(Turn&, const Arrival&, const Service&);              \
  template Verdict FlowPath<F>::wait_for_server(Turn&, const Arrival&, Entry&, const RealEntry&, \
                                                const Service&);                                 \
  template Verdict FlowPath<F>::reset_server(Turn&, const Arrival&);                             \
  template Verdict FlowPath<F>::server_answers(Turn&, const Arrival&, Entry&, const RealEntry&,  \
                                               const Vip&);                                      \
  template bool FlowPath<F>::alter_for_server(Turn&, Packet&, const Parsed&, const Entry&);      \
  template void FlowPath<F>::alter_for_client(const Packet&, const Parsed&, Entry&);             \
  template void FlowPath<F>::restore_quoted(const Packet&, const Parsed&, const Entry&)
KEEPLINE_SYN_PROXY_OF(net::V4);
KEEPLINE_SYN_PROXY_OF(net::V6);
#undef KEEPLINE_SYN_PROXY_OF

}  // namespace keepline::lb
