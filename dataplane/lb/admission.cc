// FlowPath's new connections: who may have one, which real server gets it, and its entry.
#include "dataplane/lb/flow_path_inline.h"

namespace keepline::lb {

using net::Drop;

// The hash of the source is the same in all services and on all nodes, before and after a restart.
template <typename F>
NewFlow FlowPath<F>::new_flow(const Service& service, const typename F::Address& client,
                              net::be16 port, std::uint64_t hash, std::uint32_t now_s) const {
  NewFlow flow{hash, 0, now_s};
  if (service.has_ring()) {
    flow.source_hash =
        net::client_hash(client, service.hash_port ? port : net::be16(0), net::Protocol{}, 0);
  }
  return flow;
}

template <typename F>
const RealServer* FlowPath<F>::schedule(Turn& turn, const Arrival& arrival,
                                        const Service& service) {
  const auto& client = arrival.parsed.template ip<F>(arrival.packet)->source;
  if (service.persistence_s != 0) {
    if (const RealServer* real = remembered(service, client)) return real;
  }
  const NewFlow flow =
      new_flow(service, client, arrival.parsed.ports.source, arrival.hash, turn.now_s);
  return overloaded(turn.now_s)
             ? choose_by_hash(service, flow)
             : choose(service, flow, accounts_.loads(), accounts_.scheduler(service.slot));
}

// Whether the service may have a new connection of this client, or with `ops` a packet; kNone if
// so.
template <typename F>
Drop FlowPath<F>::check_client(const Turn& turn, const Arrival& arrival, const Service& service) {
  const auto& client = arrival.parsed.template ip<F>(arrival.packet)->source;
  if (!service.admits(F::generic(client))) return Drop::kDenied;
  if (service.client_rate.per_s == 0) return Drop::kNone;
  constexpr unsigned kBits =
      F::kFamily == net::Family::kV4 ? Service::kRateBits4 : Service::kRateBits6;
  const std::uint64_t hash = table_.hash_of(net::masked(client, kBits), net::be16(0), {});
  const std::uint64_t its_own = net::detail::fold(hash, 2 * std::uint64_t{service.slot} + 3) | 1;
  return client_rates_.take(its_own, service.client_rate, turn.now_s) ? Drop::kNone
                                                                      : Drop::kRateLimited;
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

// Whom the real server will take for its client; nothing: FULLNAT's pool is exhausted.
template <typename F>
auto FlowPath<F>::local_end(const Turn& turn, const Arrival& arrival, const Service& service,
                            const RealServer& real) -> std::optional<LocalEnd> {
  const net::Protocol protocol = arrival.parsed.protocol;
  if (real.method != Method::kFullNat) {
    return LocalEnd{arrival.parsed.template ip<F>(arrival.packet)->source,
                    arrival.parsed.ports.source};
  }
  const auto answer_to = [&](const LocalEnd& end) {
    return FlowKey<F>{F::address_of(real.endpoint.address), end.address,
                      port_at(real, arrival.parsed), end.port, protocol};
  };
  return local_ports_.choose(
      service.locals,
      [&](const LocalEnd& end) {
        return home_of(turn.snapshot, answer_to(end), Direction::kReverse).worker == worker_;
      },
      [&](const LocalEnd& end) {
        const FlowKey<F> answer = answer_to(end);
        return table_.find(table_.answer_hash(answer), answer, Direction::kReverse) == nullptr;
      });
}

template <typename F>
auto FlowPath<F>::admit(Turn& turn, const Arrival& arrival, const Service& service,
                        const RealServer& real, const LocalEnd& local) -> Entry* {
  const auto* ip = arrival.parsed.template ip<F>(arrival.packet);
  const typename F::Address server = F::address_of(real.endpoint.address);
  // An answer tells client and real server, not the VIP: of two connections between the same ends
  // (one server behind two services) only the newer one can be served.
  const FlowKey<F> answer{server, ip->source, port_at(real, arrival.parsed),
                          arrival.parsed.ports.source, arrival.parsed.protocol};
  if (real.method == Method::kNat || real.method == Method::kDirectRouting) {
    if (Entry* older = table_.find(arrival.hash, answer, Direction::kReverse)) forget(*older);
  }

  Entry* its_template =
      service.persistence_s == 0 ? nullptr : remember(service, ip->source, real, turn.now_s);
  Entry* connection = take(turn, arrival.parsed.protocol);
  if (connection == nullptr) return nullptr;
  connection->client = ip->source;
  connection->client_port = arrival.parsed.ports.source;
  connection->vip = ip->destination;
  connection->vip_port = arrival.parsed.ports.destination;
  connection->real = server;
  connection->real_port = port_at(real, arrival.parsed);
  connection->local = local.address;
  connection->local_port = local.port;
  // What is resumed in an overload has to prove itself like a new one: half-open first.
  connection->state = first_state(arrival.parsed.protocol);
  connection->method = real.method;
  connection->tell = real.method == Method::kFullNat ? real.tell : Tell::kNothing;
  // Other answers go past us: there is no way back to be learnt.
  connection->hop_resolved = !translates(real.method);
  connection->real_slot = real.slot;
  connection->real_generation = real.generation;
  set_deltas(*connection);
  if (table_.file(*connection, arrival.hash, turn.now_s + timeout_s(connection->state)) ==
      Table::File::kFull) {
    note_overload(turn.now_s);
    return nullptr;
  }
  if (its_template != nullptr) {
    connection->template_bits = service.persistence_bits;
    ++its_template->hop_epoch;
  }
  accounts_.opened(*connection);
  turn.counters.created.add();
  return connection;
}

// The members of this file only; the rest of the class is instantiated where it is defined.
#define KEEPLINE_ADMISSION_OF(F)                                                             \
  template NewFlow FlowPath<F>::new_flow(const Service&, const F::Address&, net::be16,       \
                                         std::uint64_t, std::uint32_t) const;                \
  template const RealServer* FlowPath<F>::schedule(Turn&, const Arrival&, const Service&);   \
  template Drop FlowPath<F>::check_client(const Turn&, const Arrival&, const Service&);      \
  template auto FlowPath<F>::local_end(const Turn&, const Arrival&, const Service&,          \
                                       const RealServer&)                                    \
      ->std::optional<LocalEnd>;                                                             \
  template auto FlowPath<F>::admit(Turn&, const Arrival&, const Service&, const RealServer&, \
                                   const LocalEnd&)                                          \
      ->Entry*
KEEPLINE_ADMISSION_OF(net::V4);
KEEPLINE_ADMISSION_OF(net::V6);
#undef KEEPLINE_ADMISSION_OF

}  // namespace keepline::lb
