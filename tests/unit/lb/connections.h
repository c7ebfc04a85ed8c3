// Shared by the tests of the connection table: flows by number.
#pragma once

#include "dataplane/lb/conn/connection_table.h"
#include "dataplane/net/flow.h"

namespace keepline::lb {

/// The client's side of flow `number`; all go to the same VIP and real server.
inline FlowKey forward_key(std::uint32_t number) {
  return {net::be32(0x0b000000 + number), net::be32(0xc0000264), net::be16(5000), net::be16(80),
          net::Protocol::kTcp};
}

inline FlowKey reverse_key(std::uint32_t number) {
  const FlowKey forward = forward_key(number);
  return {net::be32(0x0a000002), forward.source, net::be16(8080), forward.source_port,
          net::Protocol::kTcp};
}

inline std::uint64_t hash_of(std::uint32_t number) {
  const FlowKey key = forward_key(number);
  return net::client_hash(key.source, key.source_port, static_cast<std::uint8_t>(key.protocol), 99);
}

inline void fill(Connection& connection, std::uint32_t number) {
  const FlowKey forward = forward_key(number);
  const FlowKey reverse = reverse_key(number);
  connection.client = forward.source;
  connection.client_port = forward.source_port;
  connection.vip = forward.destination;
  connection.vip_port = forward.destination_port;
  connection.real = reverse.source;
  connection.real_port = reverse.source_port;
  connection.protocol = forward.protocol;
}

inline Connection* add(ConnectionTable& table, std::uint32_t number, std::uint32_t expires_s) {
  Connection* connection = table.insert(hash_of(number), expires_s);
  if (connection != nullptr) fill(*connection, number);
  return connection;
}

inline Connection* find(ConnectionTable& table, std::uint32_t number) {
  return table.find(hash_of(number), forward_key(number), Direction::kForward);
}

}  // namespace keepline::lb
