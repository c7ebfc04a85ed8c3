// The way of TCP and UDP packets of one family: find or make the connection, forward.
//
// PURE; one object per worker and family, called by the worker's pipeline. A burst goes through
// three stages, so that memory is fetched for all packets while nothing waits: classify() hashes
// and asks for the index buckets, look_up() compares tags and asks for the entries, forward()
// compares exactly and forwards.
//
// When the share of half-open entries or the table is used up, the worker is overloaded for
// kOverload_s: new flows then go to the server that their hash alone leads to, so that packets of a
// flow whose entry is gone (or never was) still reach the server that knows it, and its answers are
// translated back without an entry where the server's port belongs to one service only.
#pragma once

#include <array>

#include "dataplane/lb/accounts.h"
#include "dataplane/lb/conn/client_rates.h"
#include "dataplane/lb/conn/connection_table.h"
#include "dataplane/lb/conn/fragment_table.h"
#include "dataplane/lb/conn/local_ports.h"
#include "dataplane/lb/explanation.h"
#include "dataplane/lb/icmp/budget.h"
#include "dataplane/lb/synproxy/segment.h"
#include "dataplane/lb/turn.h"

namespace keepline::lb {

struct Tunnelled;

template <typename F>
class FlowPath {
 public:
  using Table = ConnectionTable<F>;
  using Entry = Connection<F>;

  /// How long packets without a connection are forwarded by hash after the last overload, seconds.
  static constexpr std::uint32_t kOverload_s = 120;

  /// How long a persistence template lives on that has connections when its time is up, seconds
  /// (ip_vs_conn_expire).
  static constexpr std::uint32_t kTemplateRest_s = 60;

  FlowPath(const typename Table::Config& config, const Timeouts& timeouts, std::uint8_t worker,
           Accounts& accounts, std::uint32_t now_s);

  /// Packets that are not for this worker get their verdict here and leave the burst's flows.
  void classify(Turn& turn, Burst& burst);
  void look_up(Burst& burst);
  void forward(Turn& turn, Burst& burst);
  /// A fragment, addressed to us.
  Verdict pass_fragment(Turn& turn, net::Packet& packet, const net::Parsed& parsed, Handed handed);
  /// An ICMP error, addressed to us: passed on to the end that sent what it quotes.
  Verdict pass_on_error(Turn& turn, net::Packet& packet, const net::Parsed& error);
  /// An error about a tunnel's packet; nullopt: it is about no connection of ours.
  std::optional<Verdict> pass_on_tunnel_error(Turn& turn, net::Packet& packet,
                                              const net::Parsed& error, const Tunnelled& inside);

  /// Forgets connections whose time is up, looking at no more than `limit`.
  void expire(std::uint32_t now_s, std::size_t limit, PipelineCounters& counters);

  /// The worker that has the flow, whichever end the client is.
  std::uint8_t owner_of(const Snapshot& snapshot, const net::Endpoint& source,
                        const net::Endpoint& destination, net::Protocol protocol) const;
  /// See Pipeline::explain.
  Explanation explain(const Snapshot& snapshot, const LeaseView& leases,
                      const net::Endpoint& source, const net::Endpoint& destination,
                      net::Protocol protocol, std::uint32_t now_s) const;

  const Table& table() const { return table_; }
  bool overloaded(std::uint32_t now_s) const { return now_s < overloaded_until_s_; }

 private:
  Verdict to_bfd(Turn& turn) const;
  void note_overload(std::uint32_t now_s) { overloaded_until_s_ = now_s + kOverload_s; }
  using ServiceEntry = typename ServiceIndex<F>::Entry;
  struct Arrival {  // one packet in hand, off the straight way
    net::Packet& packet;
    const net::Parsed& parsed;
    std::uint64_t hash;
  };

  // The straight way: false, and nothing changed, when the packet needs the careful one.
  bool straight_to_server(Turn& turn, Burst& burst, std::size_t i);
  bool straight_to_client(Turn& turn, Burst& burst, std::size_t i);
  // The careful way, for whatever there is.
  void to_server(Turn& turn, Burst& burst, std::size_t i);
  void to_client(Turn& turn, Burst& burst, std::size_t i);
  Verdict to_service(Turn& turn, const Arrival& arrival, const ServiceEntry& service);
  Verdict from_server(Turn& turn, const Arrival& arrival);
  Verdict deliver(Turn& turn, const Arrival& arrival, Entry& connection, const RealEntry& real);
  // The last steps of either, when nothing can go wrong any more.
  Verdict send_to_server(Turn& turn, net::Packet& packet, const net::Parsed& parsed,
                         Entry& connection, const RealEntry& real);
  // False: dropped. No verdict, which would be handed through in pieces.
  bool alter_for_server(Turn& turn, net::Packet& packet, const net::Parsed& parsed,
                        const Entry& connection);
  void alter_for_client(const net::Packet& packet, const net::Parsed& parsed, Entry& connection);
  bool put_into_tunnel(Turn& turn, net::Packet& packet, const net::Parsed& parsed,
                       const Entry& connection, const RealEntry& real);
  Verdict send_to_client(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                         Entry& connection, const Vip& vip);

  /// Where a packet's connection is to be found.
  struct Home {
    std::uint64_t hash;
    std::uint8_t worker;
  };
  Home home_of(const Snapshot& snapshot, const typename F::Address& source,
               const typename F::Address& destination, net::Ports ports, net::Protocol protocol,
               Direction direction) const;
  Home home_of_client(const Snapshot& snapshot, const typename F::Address& client, net::be16 port,
                      net::Protocol protocol) const;
  Home home_of(const Snapshot& snapshot, const FlowKey<F>& key, Direction direction) const {
    return home_of(snapshot, key.source, key.destination, {key.source_port, key.destination_port},
                   key.protocol, direction);
  }
  Entry* find(const Arrival& arrival, Direction direction);
  NewFlow new_flow(const Service& service, const typename F::Address& client, net::be16 port,
                   std::uint64_t hash, std::uint32_t now_s) const;
  net::Drop check_client(const Turn& turn, const Arrival& arrival, const Service& service);
  const RealServer* schedule(Turn& turn, const Arrival& arrival, const Service& service);
  using LocalEnd = typename LocalPorts<F>::End;
  std::optional<LocalEnd> local_end(const Turn& turn, const Arrival& arrival,
                                    const Service& service, const RealServer& real);
  Entry* admit(Turn& turn, const Arrival& arrival, const Service& service, const RealServer& real,
               const LocalEnd& local);
  // Persistence, see persistence.cc.
  const Entry* template_of(const Service& service, const typename F::Address& client) const;
  const RealServer* remembered(const Service& service, const typename F::Address& client) const;
  Entry* remember(const Service& service, const typename F::Address& client, const RealServer& real,
                  std::uint32_t now_s);
  void leave_template(const Entry& connection);
  Entry* take(Turn& turn, net::Protocol protocol);
  Verdict without_entry(Turn& turn, const Arrival& arrival, const RealServer& real);
  Verdict answer_without_entry(Turn& turn, const Arrival& arrival);
  bool is_kernels(const Turn& turn, const Arrival& arrival) const;
  // See syn_proxy.cc.
  Verdict meet_client(Turn& turn, const Arrival& arrival, const Service& service);
  Verdict send_cookie(Turn& turn, const Arrival& arrival, const Service& service);
  Verdict take_cookie(Turn& turn, const Arrival& arrival, const Service& service);
  Verdict open_server(Turn& turn, const Arrival& arrival, Entry& connection, const RealEntry& real);
  Verdict server_answers(Turn& turn, const Arrival& arrival, Entry& connection,
                         const RealEntry& real, const Vip& vip);
  Verdict wait_for_server(Turn& turn, const Arrival& arrival, Entry& connection,
                          const RealEntry& real, const Service& service);
  Verdict reset_server(Turn& turn, const Arrival& arrival);
  void acknowledge(Turn& turn, Entry& connection, const RealEntry& real,
                   const std::optional<Timestamps>& of_server);
  void restore_quoted(const net::Packet& packet, const net::Parsed& quoted,
                      const Entry& connection);
  Stream& stream_of(const Entry& connection) { return streams_[table_.number_of(connection)]; }
  Verdict route(Turn& turn, const net::Packet& packet, const net::Parsed& parsed);
  Verdict error_for_real(Turn& turn, net::Packet& packet, const net::Parsed& error,
                         const net::Parsed& quoted, std::uint64_t hash);
  Verdict error_for_client(Turn& turn, const net::Packet& packet, const net::Parsed& error,
                           const net::Parsed& quoted, std::uint64_t hash);
  Verdict first_fragment(Turn& turn, net::Packet& packet, const net::Parsed& flow,
                         const DatagramKey<F>& datagram, bool is_home);
  Verdict stray_fragment(Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                         const DatagramKey<F>& datagram);
  Verdict later_fragment(Turn& turn, net::Packet& packet, const net::Parsed& parsed,
                         const DatagramKey<F>& datagram);
  Verdict fragment_to_real(Turn& turn, net::Packet& packet, const net::Parsed& parsed,
                           Entry& connection);
  Verdict fragment_to_client(Turn& turn, net::Packet& packet, const net::Parsed& parsed,
                             Entry& connection);
  Verdict refuse(Turn& turn, const Arrival& arrival, net::Drop reason, std::uint16_t mtu,
                 const typename F::Address& speaker);
  void resolve_client(const Turn& turn, Entry& connection);
  void track(Entry& connection, const net::Parsed& parsed, Sender sender, std::uint32_t now_s);
  void forget(Entry& connection);
  void retire(Entry& connection, std::uint32_t now_s, PipelineCounters& counters);
  void explain_connection(const Snapshot& snapshot, const Entry& connection, std::uint32_t now_s,
                          Explanation& result) const;
  void explain_new(const Snapshot& snapshot, const FlowKey<F>& key, std::uint64_t hash,
                   std::uint32_t now_s, Explanation& result) const;
  std::uint32_t timeout_s(FlowState state) const {
    return timeouts_s_[static_cast<std::size_t>(state)];
  }
  // In the same state the deadline is never an earlier one, so that no expiry list is touched.
  void keep_alive(Entry& connection, std::uint32_t now_s) {
    const std::uint32_t expires_s = now_s + timeout_s(connection.state);
    if (connection.expires_s != expires_s) connection.expires_s = expires_s;
  }

  Table table_;
  std::array<std::uint32_t, kFlowStates> timeouts_s_;
  std::uint8_t worker_;
  std::uint32_t overloaded_until_s_ = 0;
  FragmentTable<F> fragments_;
  ClientRates client_rates_;
  LocalPorts<F> local_ports_;
  LazyArray<Stream> streams_;  // by entry, of those that have one
  SynCookies cookies_;
  RefusalBudget refusals_;
  std::uint16_t tunnel_id_ = 0;  // of the last tunnelled packet
  Accounts& accounts_;
};

}  // namespace keepline::lb
