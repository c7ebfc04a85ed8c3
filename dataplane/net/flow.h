// The keyed hash of a client's address and port, and the shard that it belongs to.
//
// PURE. Both directions of a NATed flow carry the client's address and port, so hashing just
// these finds the same shard and the same bucket from either side.
#pragma once

#include <cstdint>

#include "dataplane/net/bytes.h"

namespace keepline::net {

/// Connections are split into this many shards; shard -> worker is a table in the snapshot.
inline constexpr std::size_t kShards = 256;

/// Hash of a client endpoint. The key (any 64 bits, the same on all nodes of a cluster) keeps a
/// client from choosing which bucket its flows fall into. Two rounds of multiply-and-fold.
inline std::uint64_t client_hash(be32 address, be16 port, std::uint8_t protocol,
                                 std::uint64_t key) {
  const std::uint64_t input =
      (std::uint64_t{address.raw()} << 24) | (std::uint64_t{port.raw()} << 8) | protocol;
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  return fold(fold(input ^ key, 0x9e3779b97f4a7c15) ^ key, 0xd6e8feb86659fd93);
}

inline std::uint8_t shard_of(std::uint64_t hash) {
  return static_cast<std::uint8_t>(hash >> 56);
}

}  // namespace keepline::net
