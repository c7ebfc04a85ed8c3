// The keyed hash of a client's address and port, and the shard that it belongs to.
//
// PURE. Both directions of a NATed flow carry the client's address and port, so hashing just
// these finds the same shard and the same bucket from either side.
#pragma once

#include <cstdint>

#include "dataplane/net/addr.h"

namespace keepline::net {

/// Connections are split into this many shards; shard -> worker is a table in the snapshot.
inline constexpr std::size_t kShards = 256;

namespace detail {

/// Multiplies to 128 bits and folds the halves: every bit of the result depends on all of both.
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15;  // odd, without a pattern
inline constexpr std::uint64_t kSecond = 0xd6e8feb86659fd93;

}  // namespace detail

/// Hash of a client endpoint. The key (any 64 bits, the same on all nodes of a cluster) keeps a
/// client from choosing which bucket its flows fall into.
inline std::uint64_t client_hash(be32 address, be16 port, Protocol protocol, std::uint64_t key) {
  const std::uint64_t input = (std::uint64_t{address.raw()} << 24) |
                              (std::uint64_t{port.raw()} << 8) |
                              static_cast<std::uint8_t>(protocol);
  return detail::fold(detail::fold(input ^ key, detail::kFirst) ^ key, detail::kSecond);
}

inline std::uint64_t client_hash(const Ip6& address, be16 port, Protocol protocol,
                                 std::uint64_t key) {
  const std::uint64_t transport =
      (std::uint64_t{port.raw()} << 8) | static_cast<std::uint8_t>(protocol);
  const std::uint64_t halves =
      detail::fold(address.raw_high() ^ key ^ detail::kFirst, address.raw_low() ^ detail::kSecond);
  return detail::fold(detail::fold(halves ^ transport, detail::kFirst) ^ key, detail::kSecond);
}

inline std::uint8_t shard_of(std::uint64_t hash) {
  return static_cast<std::uint8_t>(hash >> 56);
}

}  // namespace keepline::net
