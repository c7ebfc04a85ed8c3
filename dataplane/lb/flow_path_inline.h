// What the files of FlowPath share: the last steps of a packet, inlined into each of them.
//
// PURE; included by flow_path.cc and stateless.cc only.
#pragma once

#include "dataplane/lb/flow_path.h"
#include "dataplane/lb/forward/rewrite.h"

namespace keepline::lb {

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
  if (hop.reach == neigh::Reach::kNoRoute) return net::Drop::kNoRoute;
  if (hop.reach == neigh::Reach::kNoNeighbour) return net::Drop::kNoNeighbour;
  return check_way_out<F>(turn, packet, parsed, hop.port);
}

// Inlined where it is called: a verdict handed through in pieces would cost a stall per packet.
template <typename F>
[[gnu::always_inline]] inline Verdict FlowPath<F>::deliver(Turn& turn, const net::Packet& packet,
                                                           const net::Parsed& parsed,
                                                           Entry& connection,
                                                           const RealEntry& real) {
  if (!connection.hop_resolved) {
    // Compared first: a line that is not written does not have to be written back to memory.
    const net::Mac& source = packet.template at<net::EthernetHeader>(0)->source;
    if (connection.client_hop_mac != source) connection.client_hop_mac = source;
    if (connection.client_hop_port != turn.port) connection.client_hop_port = turn.port;
  }
  accounts_.packet_in(connection, parsed.l3_length);
  if (real.reach != neigh::Reach::kFound) [[unlikely]] {
    return turn.drop(real.reach == neigh::Reach::kNoRoute ? net::Drop::kNoRoute
                                                          : net::Drop::kNoNeighbour);
  }
  if (hops_left<F>(packet, parsed) <= 1) return turn.drop(net::Drop::kTtlExpired);
  if (parsed.l3_length > real.mtu) return turn.drop(net::Drop::kTooBig);
  if (connection.method == Method::kNat) {
    nat_to_real<F>(packet, parsed, connection);
  } else {
    pass_on<F>(packet, parsed);
  }
  set_link_header(packet, real.next_mac, real.source_mac);
  return {Action::kTransmit, real.port};
}

}  // namespace keepline::lb
