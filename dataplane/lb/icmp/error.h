// ICMP errors about balanced packets: translating those of others, making our own.
//
// PURE; called by workers, off the straight way. RFC 792, 1191, 4443 and, for translating, RFC 5508
// §4: what an error quotes is a packet as it was behind the translation, and has to become one as
// it was before.
#pragma once

#include <optional>

#include "dataplane/lb/conn/connection.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

/// The packet that an error (Kind::kIcmpError) quotes, as far as it does: l3_length ends where the
/// error does. nullopt when it is not TCP or UDP, not a first fragment, or too short for ports.
template <typename F>
std::optional<net::Parsed> quoted_in(const net::Packet& packet, const net::Parsed& error);

/// The same of a packet that begins at `l3` and of which `length` bytes are there.
template <typename F>
std::optional<net::Parsed> quoted_at(const net::Packet& packet, std::uint16_t l3,
                                     std::size_t length);

template <typename F>
bool icmp_checksum_ok(const net::Packet& packet, const net::Parsed& error);

/// An error about a packet on its way to the client, for the real server that sent it: destination
/// and quoted source become the real server's. Takes a hop.
template <typename F>
void error_to_real(const net::Packet& packet, const net::Parsed& error, const net::Parsed& quoted,
                   const Connection<F>& connection);

/// An error about a packet on its way to the real server, for the client: source and quoted
/// destination become the VIP. Takes a hop.
template <typename F>
void error_to_client(const net::Packet& packet, const net::Parsed& error, const net::Parsed& quoted,
                     const Connection<F>& connection);

/// What we say ourselves about a packet.
enum class Refusal : std::uint8_t { kTooBig, kTtlExpired, kPortUnreachable, kHostUnreachable };

/// Turns a packet into the error about it, from `speaker`, back to the MAC that it came from; the
/// frame gets another length, and begins in its headroom. `mtu` belongs to kTooBig.
enum class Made : std::uint8_t { kDone, kNoRoom, kNotAllowed };
template <typename F>
Made make_error(net::Packet& packet, const net::Parsed& parsed, Refusal refusal, std::uint16_t mtu,
                const typename F::Address& speaker);

}  // namespace keepline::lb
