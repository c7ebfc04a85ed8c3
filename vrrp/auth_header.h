// The IP authentication header of version 2's adverts, as keepalived has it.
//
// PURE. RFC 2402 with HMAC-MD5-96 (RFC 2403); the security parameter index is the source address.
// The digest covers the packet without the fields that routers may change; keepalived counts the
// TTL among those that are covered, so it is here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/net/bytes.h"
#include "vrrp/types.h"

namespace keepline::vrrp {

inline constexpr std::uint8_t kProtocolAh = 51;

struct AuthHeader {
  std::uint8_t next_header;
  std::uint8_t length;  ///< In units of 4 bytes, less 2.
  net::be16 reserved;
  net::be32 index;  ///< The source address.
  net::be32 sequence;
  std::array<std::uint8_t, 12> digest;
};
static_assert(sizeof(AuthHeader) == 24);

/// What is known of a received header; whether it is right depends on the key.
struct Authenticated {
  std::uint32_t sequence = 0;
  std::array<std::uint8_t, 12> digest{};
  std::vector<std::uint8_t> covered;  ///< The packet as the digest sees it.
  friend bool operator==(const Authenticated&, const Authenticated&) = default;
};

/// Reads the header of an IPv4 packet whose IP header is sound. Nothing: none that is sound and has
/// an advert behind it.
std::optional<Authenticated> read_auth_header(net::Bytes packet, std::size_t ip_header_length);

bool is_authentic(const Authenticated& header, const AuthData& key);

/// Writes digest, index and sequence into a packet that is complete but for those.
void authenticate(net::MutableBytes packet, std::uint32_t sequence, const AuthData& key);

}  // namespace keepline::vrrp
