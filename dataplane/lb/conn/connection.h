// One connection: both directions of a flow between a client and a real server.
//
// PURE. One 64-byte cache line; owned and written by one worker. Addresses and ports are kept in
// wire order, since they are only compared with and copied into headers.
#pragma once

#include "dataplane/lb/conn/tcp_state.h"
#include "dataplane/lb/service/service.h"
#include "dataplane/net/packet.h"

namespace keepline::lb {

enum class Direction : std::uint8_t { kForward, kReverse };  ///< Client to server; back.

struct FlowKey {
  net::be32 source;
  net::be32 destination;
  net::be16 source_port;
  net::be16 destination_port;
  net::Protocol protocol;
};

struct alignas(64) Connection {
  net::be32 client;
  net::be32 vip;
  net::be32 real;
  net::be16 client_port;
  net::be16 vip_port;
  net::be16 real_port;
  net::Protocol protocol;
  TcpState state;
  Method method;
  /// Port and MAC that the client's last frame came from: the way back while the client's
  /// neighbour entry is not resolved.
  net::PortId client_hop_port;
  net::Mac client_hop_mac;
  std::uint16_t real_generation;
  RealSlot real_slot;
  std::uint32_t expires_s;  ///< On the pipeline's clock.
  std::uint32_t hash_low;   ///< With hash_tag, finds the index slot at removal.
  std::uint16_t hash_tag;
  std::uint32_t wheel_next;  ///< Links within the expiry wheel's slot; kNil ends the list.
  std::uint32_t wheel_prev;
  std::uint16_t wheel_slot;
  bool in_use;
  bool replied;  ///< Whether the server has answered (UDP: makes it established).

  bool matches(const FlowKey& key, Direction direction) const {
    if (protocol != key.protocol) return false;
    if (direction == Direction::kForward) {
      return client == key.source && client_port == key.source_port && vip == key.destination &&
             vip_port == key.destination_port;
    }
    return client == key.destination && client_port == key.destination_port && real == key.source &&
           real_port == key.source_port;
  }
  /// ipvsadm's ActiveConn counts these, InActConn all others.
  bool is_active() const {
    return protocol == net::Protocol::kTcp && state == TcpState::kEstablished;
  }
};
static_assert(sizeof(Connection) == 64);

}  // namespace keepline::lb
