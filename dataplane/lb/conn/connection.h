// One connection: both directions of a flow between a client and a real server.
//
// PURE. One 64-byte cache line for IPv4, two for IPv6; owned and written by one worker. Addresses
// and ports are kept in wire order, since they are only compared with and copied into headers.
#pragma once

#include "dataplane/lb/conn/flow_state.h"
#include "dataplane/lb/service/service.h"
#include "dataplane/net/family.h"
#include "dataplane/net/packet.h"

namespace keepline::lb {

enum class Direction : std::uint8_t { kForward, kReverse };  ///< Client to server; back.

template <typename F>
struct FlowKey {
  typename F::Address source;
  typename F::Address destination;
  net::be16 source_port;
  net::be16 destination_port;
  net::Protocol protocol;
};

template <typename F>
struct alignas(64) Connection {
  using Address = typename F::Address;

  Address client;
  Address vip;
  net::be16 client_port;
  net::be16 vip_port;
  /// The real server, and what it takes for its client: itself, but for Method::kFullNat.
  Address real;
  Address local;
  net::be16 real_port;
  net::be16 local_port;
  net::Protocol protocol;  ///< Zero in an entry that is not in use, so that no key matches.
  FlowState state;
  Method method;
  /// The way back to the client: as resolved for `hop_epoch`, or while its neighbour entry is not
  /// resolved, where its last frame came from.
  net::PortId client_hop_port;
  net::Mac client_hop_mac;
  bool hop_resolved : 1;
  bool replied : 1;            ///< Whether the server has answered (UDP: makes it established).
  Tell tell : 2;               ///< What the server has yet to be told about the client.
  bool proxied : 1;            ///< The client was answered before the server; see synproxy/.
  std::uint8_t template_bits;  ///< Of the client's address in its persistence template; 0: none.
  std::uint16_t real_generation;
  /// What NAT changes in the checksums towards the server (RFC 1624): in the IP header, the hop
  /// less included; in the transport header. The way back is the complement.
  std::uint16_t ip_delta;
  std::uint16_t transport_delta;
  std::uint16_t expiry_list;  ///< See ExpiryLists; kNotFiled in an entry that is in none.
  RealSlot real_slot;
  /// Snapshot::hop_epoch() that client_hop_* was resolved for. A template's connections, counted.
  std::uint32_t hop_epoch;
  std::uint32_t expires_s;  ///< On the pipeline's clock.
  std::uint32_t next;       ///< Links within the expiry list or the free list.
  std::uint32_t previous;

  /// A template's protocol, which no packet has, so that none belongs to it.
  static net::Protocol template_protocol(net::Protocol protocol) {
    return static_cast<net::Protocol>(static_cast<std::uint8_t>(protocol) ^ 0x40);
  }
  bool is_template() const { return state == FlowState::kAssured; }
  /// TCP, UDP or SCTP, also of a template.
  net::Protocol flow_protocol() const {
    return is_template() ? template_protocol(protocol) : protocol;  // its own inverse
  }
  bool in_use() const { return protocol != net::Protocol{}; }
  bool matches(const FlowKey<F>& key, Direction direction) const {
    if (protocol != key.protocol) return false;
    if (direction == Direction::kForward) {
      return client == key.source && client_port == key.source_port && vip == key.destination &&
             vip_port == key.destination_port;
    }
    return local == key.destination && local_port == key.destination_port && real == key.source &&
           real_port == key.source_port;
  }
  /// Whether answers are found by other ends than the client's.
  bool has_own_local() const { return method == Method::kFullNat && !is_template(); }
  /// Whether its segments are not passed on as they are.
  bool has_stream() const { return tell != Tell::kNothing || proxied; }
  /// ipvsadm's ActiveConn counts these, InActConn all others.
  bool is_active() const { return state == FlowState::kEstablished; }
  /// Whether it counts against the share of the table for what nobody has answered yet.
  bool is_half_open() const {
    if (protocol == net::Protocol::kUdp) return !replied;
    return state == FlowState::kSynReceived || state == FlowState::kInit ||
           state == FlowState::kNone;
  }
};
static_assert(sizeof(Connection<net::V4>) == 64);
static_assert(sizeof(Connection<net::V6>) == 128);

}  // namespace keepline::lb
