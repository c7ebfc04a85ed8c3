// What the files of FlowPath share: the last steps of a packet, inlined into each of them.
//
// PURE; included by those files only.
#pragma once

#include "dataplane/lb/flow_path.h"
#include "dataplane/lb/forward/rewrite.h"
#include "dataplane/lb/forward/tell.h"
#include "dataplane/lb/forward/tunnel.h"

namespace keepline::lb {

// Why a packet cannot be sent to a hop; what can be reached is too narrow for it.
inline net::Drop why_not(neigh::Reach reach) {
  if (reach == neigh::Reach::kNoRoute) return net::Drop::kNoRoute;
  return reach == neigh::Reach::kNoNeighbour ? net::Drop::kNoNeighbour : net::Drop::kTooBig;
}

template <typename F>
FlowKey<F> key_of(const net::Packet& packet, const net::Parsed& parsed) {
  const auto* ip = parsed.ip<F>(packet);
  return {ip->source, ip->destination, parsed.ports.source, parsed.ports.destination,
          parsed.protocol};
}

// Whether a packet may begin a connection.
inline bool starts_flow(const net::Parsed& parsed) {
  switch (parsed.protocol) {
    case net::Protocol::kTcp:
      return (parsed.flags & (net::kTcpSyn | net::kTcpAck)) == net::kTcpSyn;
    case net::Protocol::kSctp:
      return static_cast<net::SctpEvent>(parsed.flags) == net::SctpEvent::kInit;
    default:
      return true;
  }
}

// The port that a client's packet has at the real server: of a service of all ports its own.
inline net::be16 port_at(const RealServer& real, const net::Parsed& parsed) {
  return real.endpoint.port != 0 ? net::be16(real.endpoint.port) : parsed.ports.destination;
}

// Whether the packet can leave through this port; kNone if so.
template <typename F>
net::Drop check_way_out(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                        net::PortId port) {
  if (port >= turn.snapshot.port_count()) return net::Drop::kNoRoute;
  if (hops_left<F>(packet, parsed) <= 1) return net::Drop::kTtlExpired;
  return parsed.l3_length > turn.snapshot.port(port).mtu ? net::Drop::kTooBig : net::Drop::kNone;
}

// The same, for a hop that was looked up just now.
template <typename F>
net::Drop check_way_out(const Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                        const neigh::NextHop& hop) {
  if (hop.reach != neigh::Reach::kFound) return why_not(hop.reach);
  return check_way_out<F>(turn, packet, parsed, hop.port);
}

template <typename F>
[[gnu::always_inline]] inline auto FlowPath<F>::home_of_client(const Snapshot& snapshot,
                                                               const typename F::Address& client,
                                                               net::be16 port,
                                                               net::Protocol protocol) const
    -> Home {
  const std::uint64_t hash = table_.hash_of(client, port, protocol);
  std::uint64_t shard_hash = hash;
  if (const unsigned bits = snapshot.template shard_bits<F>(); bits != 0) [[unlikely]] {
    shard_hash = table_.hash_of(net::masked(client, bits), net::be16(0), net::Protocol{});
  }
  return {hash, snapshot.worker_of(net::shard_of(shard_hash))};
}

// Two ways, each predicted: choosing an address first and hashing it then would wait for the
// service to be looked up.
template <typename F>
[[gnu::always_inline]] inline auto FlowPath<F>::home_of(const Snapshot& snapshot,
                                                        const typename F::Address& source,
                                                        const typename F::Address& destination,
                                                        net::Ports ports, net::Protocol protocol,
                                                        Direction direction) const -> Home {
  if (direction == Direction::kForward) {
    return home_of_client(snapshot, source, ports.source, protocol);
  }
  if (snapshot.template is_local<F>(destination)) [[unlikely]] {
    const std::uint64_t hash =
        table_.answer_hash({source, destination, ports.source, ports.destination, protocol});
    return {hash, snapshot.worker_of(net::shard_of(hash))};
  }
  return home_of_client(snapshot, destination, ports.destination, protocol);
}

template <typename F>
[[gnu::always_inline]] inline bool FlowPath<F>::put_into_tunnel(Turn& turn, net::Packet& packet,
                                                                const net::Parsed& parsed,
                                                                const Entry& connection,
                                                                const RealEntry& real) {
  const TunnelHeader* tunnel = turn.snapshot.tunnel(connection.real_slot);
  if (tunnel == nullptr || packet.headroom < tunnel->length) [[unlikely]] {
    turn.drop(tunnel == nullptr ? net::Drop::kServerGone : net::Drop::kNoHeadroom);
    return false;
  }
  encapsulate<F>(packet, parsed, *tunnel, real.link, ++tunnel_id_);
  if (tunnel->type != TunnelType::kIpip) [[unlikely]] {
    fill_in(packet, parsed, *tunnel,
            table_.hash_of(connection.client, connection.client_port, connection.protocol));
  }
  return true;
}

// Inlined where they are called: a verdict handed through in pieces would cost a stall per packet.
template <typename F>
[[gnu::always_inline]] inline Verdict FlowPath<F>::send_to_server(Turn& turn, net::Packet& packet,
                                                                  const net::Parsed& parsed,
                                                                  Entry& connection,
                                                                  const RealEntry& real) {
  if (!connection.hop_resolved) {
    // Compared first: a line that is not written does not have to be written back to memory.
    const auto* ethernet = packet.template at<net::EthernetHeader>(0);
    if (connection.client_hop_mac.raw() != ethernet->raw_source()) {
      connection.client_hop_mac = ethernet->source;
    }
    if (connection.client_hop_port != turn.port) connection.client_hop_port = turn.port;
  }
  if (translates(connection.method)) {
    nat_to_real<F>(packet, parsed, connection);
    if (connection.has_stream()) [[unlikely]] {
      if (!alter_for_server(turn, packet, parsed, connection)) return {};
      set_link_header(packet, real.link);
      return {Action::kTransmitResized, real.port};
    }
  } else {
    pass_on<F>(packet, parsed);
    if (connection.method == Method::kTunnel) {
      if (!put_into_tunnel(turn, packet, parsed, connection, real)) return {};
      return {Action::kTransmitResized, real.port};
    }
  }
  set_link_header(packet, real.link);
  return {Action::kTransmit, real.port};
}

template <typename F>
[[gnu::always_inline]] inline Verdict FlowPath<F>::send_to_client(const Turn& turn,
                                                                  const net::Packet& packet,
                                                                  const net::Parsed& parsed,
                                                                  Entry& connection,
                                                                  const Vip& vip) {
  const net::PortId port = connection.client_hop_port;
  nat_to_client<F>(packet, parsed, connection);
  if (connection.has_stream()) [[unlikely]]
    alter_for_client(packet, parsed, connection);
  set_link_header(packet, {connection.client_hop_mac, source_mac(turn, vip, port)});
  return {Action::kTransmit, port};
}

}  // namespace keepline::lb
