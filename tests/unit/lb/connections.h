// Shared by the tests of the connection table: flows by number, of either family.
#pragma once

#include "dataplane/lb/conn/connection_table.h"

namespace keepline::lb {

/// An address of the family that ends in `number`.
template <typename F>
typename F::Address address(std::uint32_t number) {
  if constexpr (F::kFamily == net::Family::kV4) {
    return net::be32(number);
  } else {
    net::Ip6 result;
    result.bytes[0] = 0x20;
    for (int i = 0; i < 4; ++i) {
      result.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    }
    return result;
  }
}

/// The client's side of flow `number`; all go to the same VIP and real server.
template <typename F>
FlowKey<F> forward_key(std::uint32_t number) {
  return {address<F>(0x0b000000 + number), address<F>(0xc0000264), net::be16(5000), net::be16(80),
          net::Protocol::kTcp};
}

template <typename F>
FlowKey<F> reverse_key(std::uint32_t number) {
  const FlowKey<F> forward = forward_key<F>(number);
  return {address<F>(0x0a000002), forward.source, net::be16(8080), forward.source_port,
          net::Protocol::kTcp};
}

template <typename F>
void fill(Connection<F>& connection, std::uint32_t number) {
  const FlowKey<F> forward = forward_key<F>(number);
  const FlowKey<F> reverse = reverse_key<F>(number);
  connection.client = forward.source;
  connection.client_port = forward.source_port;
  connection.vip = forward.destination;
  connection.vip_port = forward.destination_port;
  connection.real = reverse.source;
  connection.real_port = reverse.source_port;
  connection.local = reverse.destination;
  connection.local_port = reverse.destination_port;
}

template <typename F>
std::uint64_t hash_of(const ConnectionTable<F>& table, std::uint32_t number) {
  const FlowKey<F> key = forward_key<F>(number);
  return table.hash_of(key.source, key.source_port, key.protocol);
}

/// An established connection, unless `state` says otherwise; nullptr when the table is full.
template <typename F>
Connection<F>* add(ConnectionTable<F>& table, std::uint32_t number, std::uint32_t expires_s,
                   FlowState state = FlowState::kEstablished) {
  Connection<F>* connection = table.take(net::Protocol::kTcp);
  if (connection == nullptr) return nullptr;
  fill(*connection, number);
  connection->state = state;
  const auto filed = table.file(*connection, hash_of(table, number), expires_s);
  return filed == ConnectionTable<F>::File::kDone ? connection : nullptr;
}

template <typename F>
Connection<F>* find(ConnectionTable<F>& table, std::uint32_t number) {
  return table.find(hash_of(table, number), forward_key<F>(number), Direction::kForward);
}

template <typename F>
typename ConnectionTable<F>::Config table_config(std::size_t capacity,
                                                 std::size_t half_open_limit = 1'000'000) {
  return {capacity, half_open_limit, 99};
}

}  // namespace keepline::lb
