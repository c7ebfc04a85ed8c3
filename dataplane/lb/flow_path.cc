#include "dataplane/lb/flow_path.h"

#include <cstddef>
#include <cstring>

#include "dataplane/lb/flow_path_inline.h"

namespace keepline::lb {

using net::Drop;
using net::Packet;
using net::Parsed;

namespace {

constexpr std::uint8_t kNotPlain = net::kTcpSyn | net::kTcpFin | net::kTcpRst;

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
  static_assert(offsetof(Parsed, destination_port) == offsetof(Parsed, source_port) + 2);
  return same_addresses<F>(&c.client, &ip.source) &&
         load<std::uint32_t>(&c.client_port) == load<std::uint32_t>(&parsed.source_port) &&
         c.protocol == parsed.protocol;
}

template <typename F>
bool is_from_server(const Connection<F>& c, const typename F::Header& ip, const Parsed& parsed) {
  return c.real == ip.source && c.client == ip.destination && c.real_port == parsed.source_port &&
         c.client_port == parsed.destination_port && c.protocol == parsed.protocol;
}

// Whether a packet may begin a connection.
bool starts_flow(const Parsed& parsed) {
  return parsed.protocol == net::Protocol::kUdp ||
         (parsed.tcp_flags & (net::kTcpSyn | net::kTcpAck)) == net::kTcpSyn;
}

}  // namespace

template <typename F>
FlowPath<F>::FlowPath(const typename Table::Config& config, const Timeouts& timeouts,
                      std::uint8_t worker, Accounts& accounts, std::uint32_t now_s)
    : table_(config, now_s), worker_(worker), accounts_(accounts) {
  for (std::size_t state = 0; state < kTcpStates; ++state) {
    timeouts_s_[state] = timeouts.of(static_cast<TcpState>(state));
  }
}

template <typename F>
void FlowPath<F>::classify(Turn& turn, const Burst& burst, Lane<F>& lane) {
  for (std::size_t i = 0; i < lane.count; ++i) {
    const Packet& packet = burst.packets[lane.index[i]];
    const Parsed& parsed = burst.parsed[lane.index[i]];
    lane.service[i] = turn.snapshot.template find_service<F>(
        parsed.template ip<F>(packet)->destination, parsed.destination_port, parsed.protocol);
  }
  // Two short loops rather than a long one: each packet is a chain of loads and multiplications,
  // and the processor overlaps more of them.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < lane.count; ++i) {
    const std::uint8_t index = lane.index[i];
    const Packet& packet = burst.packets[index];
    const Parsed& parsed = burst.parsed[index];
    if (const Drop drop = turn.check_destination(packet); drop != Drop::kNone) [[unlikely]] {
      burst.verdicts[index] = turn.drop(drop);
      continue;
    }
    const auto* ip = parsed.template ip<F>(packet);
    const ServiceEntry* service = lane.service[i];
    const std::uint64_t hash =
        service != nullptr
            ? table_.hash_of(ip->source, parsed.source_port, parsed.protocol)
            : table_.hash_of(ip->destination, parsed.destination_port, parsed.protocol);
    const std::uint8_t worker = turn.snapshot.worker_of(net::shard_of(hash));
    if (worker != worker_) {
      burst.verdicts[index] = {Action::kHandOff, turn.port, worker};
      continue;
    }
    table_.prefetch(hash);
    lane.index[kept] = index;
    lane.service[kept] = service;
    lane.hash[kept] = hash;
    ++kept;
  }
  lane.count = kept;
}

template <typename F>
void FlowPath<F>::look_up(Lane<F>& lane) {
  for (std::size_t i = 0; i < lane.count; ++i) lane.candidate[i] = table_.candidate(lane.hash[i]);
}

template <typename F>
void FlowPath<F>::forward(Turn& turn, const Burst& burst, const Lane<F>& lane) {
  for (std::size_t i = 0; i < lane.count; ++i) {
    const std::uint8_t index = lane.index[i];
    const Packet& packet = burst.packets[index];
    const Parsed& parsed = burst.parsed[index];
    burst.verdicts[index] =
        lane.service[i] != nullptr
            ? to_server(turn, packet, parsed, lane.hash[i], *lane.service[i], lane.candidate[i])
            : to_client(turn, packet, parsed, lane.hash[i], lane.candidate[i]);
  }
}

// Not the candidate: the burst's second packet of a new flow, or one of a longer chain.
template <typename F>
auto FlowPath<F>::find(const Packet& packet, const Parsed& parsed, std::uint64_t hash,
                       Direction direction) -> Entry* {
  const auto* ip = parsed.template ip<F>(packet);
  const FlowKey<F> key{ip->source, ip->destination, parsed.source_port, parsed.destination_port,
                       parsed.protocol};
  return table_.find(hash, key, direction);
}

// The usual packet, of a connection that is and stays established, takes the straight way.
template <typename F>
[[gnu::always_inline]] inline Verdict FlowPath<F>::to_server(Turn& turn, const Packet& packet,
                                                             const Parsed& parsed,
                                                             std::uint64_t hash,
                                                             const ServiceEntry& service,
                                                             std::uint32_t candidate) {
  if (!turn.holds(service.lease)) return turn.drop(Drop::kNotMaster);
  Entry* connection = nullptr;
  if (candidate != Table::kNone &&
      is_from_client(table_[candidate], *parsed.template ip<F>(packet), parsed)) [[likely]] {
    connection = &table_[candidate];
  } else {
    connection = find(packet, parsed, hash, Direction::kForward);
  }
  const RealEntry* real = connection == nullptr ? nullptr
                                                : turn.snapshot.real(connection->real_slot,
                                                                     connection->real_generation);
  const bool plain = real != nullptr && real->until_s == LeavingServer::kNoLimit &&
                     (parsed.tcp_flags & kNotPlain) == 0 && !connection->is_half_open();
  if (!plain) [[unlikely]] {
    return to_server_with_care(turn, {packet, parsed, hash}, service, connection, real);
  }
  // The same state, so never an earlier deadline: no expiry list is touched.
  const std::uint32_t expires_s = turn.now_s + timeout_s(connection->state);
  if (connection->expires_s != expires_s) connection->expires_s = expires_s;
  return deliver(turn, packet, parsed, *connection, *real);
}

template <typename F>
Verdict FlowPath<F>::to_server_with_care(Turn& turn, const Arrival& arrival,
                                         const ServiceEntry& service, Entry* connection,
                                         const RealEntry* real) {
  const Parsed& parsed = arrival.parsed;
  const bool starts = starts_flow(parsed);
  const bool tcp = parsed.protocol == net::Protocol::kTcp;
  if (connection != nullptr) {
    const bool gone = real == nullptr || real->until_s <= turn.now_s;
    // A client that uses its port again, or whose server has left, gets a server anew.
    const bool over =
        connection->state == TcpState::kTimeWait || connection->state == TcpState::kClose;
    if (starts && (gone || real->failed || (tcp && over))) {
      forget(*connection);
      connection = nullptr;
    } else if (gone) {
      return turn.drop(Drop::kServerGone);
    }
  }
  const bool one_sided = connection != nullptr && connection->method == Method::kDirectRouting;
  // Its answers go past us: a second packet has to do as the sign of life that a reply is.
  if (one_sided && !tcp) connection->replied = true;
  if (connection == nullptr) {
    const bool overload = overloaded(turn.now_s);
    // In an overload the entry may have been given up while the client was answering; what does
    // not begin a flow may then go on where its hash leads.
    const bool resumes = overload && tcp && (parsed.tcp_flags & (net::kTcpSyn | net::kTcpRst)) == 0;
    if (!starts && !resumes) return turn.drop(Drop::kNoConnection);
    const Service& pool = *turn.snapshot.service(service.slot);
    const RealServer* chosen = overload ? choose_by_hash(pool, arrival.hash)
                                        : choose(pool, accounts_.scheduler(service.slot));
    if (chosen == nullptr) return turn.drop(Drop::kNoRealServer);
    connection = admit(turn, arrival, *chosen);
    if (connection == nullptr) {
      const RealServer* by_hash = overload ? chosen : choose_by_hash(pool, arrival.hash);
      return without_entry(turn, arrival, *by_hash);
    }
    real = turn.snapshot.real(connection->real_slot, connection->real_generation);
  }
  track(*connection, parsed,
        connection->method == Method::kDirectRouting ? Sender::kClientOnly : Sender::kClient,
        turn.now_s);
  return deliver(turn, arrival.packet, parsed, *connection, *real);
}

// A free entry; when half-open ones have used up their share, that of the oldest of them.
template <typename F>
auto FlowPath<F>::take(Turn& turn, net::Protocol protocol) -> Entry* {
  if (table_.half_open_full()) {
    if (Entry* oldest = table_.oldest_half_open(); oldest != nullptr) {
      turn.counters.reclaimed.add();
      forget(*oldest);
    }
    note_overload(turn.now_s);
  }
  Entry* entry = table_.take(protocol);
  if (entry == nullptr) note_overload(turn.now_s);
  return entry;
}

template <typename F>
auto FlowPath<F>::admit(Turn& turn, const Arrival& arrival, const RealServer& real) -> Entry* {
  const auto* ip = arrival.parsed.template ip<F>(arrival.packet);
  const typename F::Address server = F::address_of(real.endpoint.address);
  // An answer tells client and real server, not the VIP: of two connections between the same ends
  // (one server behind two services) only the newer one can be served.
  const FlowKey<F> answer{server, ip->source, net::be16(real.endpoint.port),
                          arrival.parsed.source_port, arrival.parsed.protocol};
  if (Entry* older = table_.find(arrival.hash, answer, Direction::kReverse)) forget(*older);

  Entry* connection = take(turn, arrival.parsed.protocol);
  if (connection == nullptr) return nullptr;
  const bool tcp = arrival.parsed.protocol == net::Protocol::kTcp;
  connection->client = ip->source;
  connection->client_port = arrival.parsed.source_port;
  connection->vip = ip->destination;
  connection->vip_port = arrival.parsed.destination_port;
  connection->real = server;
  connection->real_port = net::be16(real.endpoint.port);
  // What is resumed in an overload has to prove itself like a new one: half-open first.
  connection->state = tcp ? TcpState::kSynReceived : TcpState::kUdp;
  connection->method = real.method;
  connection->real_slot = real.slot;
  connection->real_generation = real.generation;
  set_deltas(*connection);
  if (table_.file(*connection, arrival.hash, turn.now_s + timeout_s(connection->state)) ==
      Table::File::kFull) {
    note_overload(turn.now_s);
    return nullptr;
  }
  accounts_.opened(*connection);
  turn.counters.created.add();
  return connection;
}

template <typename F>
[[gnu::always_inline]] inline Verdict FlowPath<F>::to_client(Turn& turn, const Packet& packet,
                                                             const Parsed& parsed,
                                                             std::uint64_t hash,
                                                             std::uint32_t candidate) {
  const auto* ip = parsed.template ip<F>(packet);
  Entry* connection = nullptr;
  if (candidate != Table::kNone && is_from_server(table_[candidate], *ip, parsed)) [[likely]] {
    connection = &table_[candidate];
  } else {
    connection = find(packet, parsed, hash, Direction::kReverse);
  }
  if (connection == nullptr || connection->method != Method::kNat) [[unlikely]] {
    return answer_without_entry(turn, {packet, parsed, hash});
  }
  const RealEntry* real = turn.snapshot.real(connection->real_slot, connection->real_generation);
  const Vip* vip = real != nullptr && real->vip != kNoVip
                       ? &turn.snapshot.vip(real->vip)
                       : turn.snapshot.find_vip(F::generic(connection->vip));
  if (vip == nullptr || !turn.holds(vip->lease)) return turn.drop(Drop::kNotMaster);
  if ((parsed.tcp_flags & kNotPlain) == 0 && !connection->is_half_open()) [[likely]] {
    const std::uint32_t expires_s = turn.now_s + timeout_s(connection->state);
    if (connection->expires_s != expires_s) connection->expires_s = expires_s;
    if (!connection->replied) connection->replied = true;
  } else {
    connection->replied = true;
    track(*connection, parsed, Sender::kServer, turn.now_s);
  }
  accounts_.packet_out(*connection, parsed.l3_length);
  if (connection->hop_epoch != turn.snapshot.hop_epoch()) resolve_client(turn, *connection);

  const net::PortId port = connection->client_hop_port;
  const Drop drop = check_way_out<F>(turn, packet, parsed, port);
  if (drop != Drop::kNone) [[unlikely]]
    return turn.drop(drop);
  nat_to_client<F>(packet, parsed, *connection);
  set_link_header(packet, connection->client_hop_mac, source_mac(turn, *vip, port));
  return {Action::kTransmit, port};
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
  if (connection.protocol == net::Protocol::kTcp) {
    const bool was_active = connection.is_active();
    connection.state = next_state(connection.state, parsed.tcp_flags, sender);
    accounts_.changed(connection, was_active);
  }
  table_.settle(connection, now_s + timeout_s(connection.state));
}

template <typename F>
void FlowPath<F>::forget(Entry& connection) {
  accounts_.closed(connection);
  table_.remove(connection);
}

template <typename F>
void FlowPath<F>::expire(std::uint32_t now_s, std::size_t limit, PipelineCounters& counters) {
  table_.expire(now_s, limit, [&](Entry& connection) {
    counters.expired.add();
    accounts_.closed(connection);
  });
}

template class FlowPath<net::V4>;
template class FlowPath<net::V6>;

}  // namespace keepline::lb
