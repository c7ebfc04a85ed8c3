// ICMP errors of routers between node and real server, about the tunnel: what is in it.
//
// PURE; called by workers, off the straight way. RFC 2003 §4: who has put a packet into a tunnel
// tells its sender what became of it.
#pragma once

#include <optional>

#include "dataplane/lb/icmp/error.h"

namespace keepline::lb {

/// The packet inside of the tunnel's packet that an error quotes.
struct Tunnelled {
  net::Family family = net::Family::kV4;  ///< Its own.
  std::uint16_t l3 = 0;                   ///< Where it begins.
  std::uint16_t length = 0;               ///< Of it, as far as it is quoted.
  std::uint16_t headers = 0;              ///< Bytes of the tunnel's headers in front of it.
  net::IpAddr server;                     ///< That the tunnel leads to.
};

/// nullopt: the quoted packet is in no tunnel that we make, or what is inside is not quoted.
std::optional<Tunnelled> tunnelled_in(const net::Packet& packet, const net::Parsed& error);

/// What the sender is to hear; nullopt: nothing that it could make use of.
struct Hearing {
  Refusal refusal;
  std::uint16_t mtu;  ///< Of kTooBig, without the tunnel's headers.
};
std::optional<Hearing> hearing_of(const net::Packet& packet, const net::Parsed& error,
                                  const Tunnelled& tunnelled);

/// Leaves of the error the Ethernet header and what was in the tunnel.
void unwrap(net::Packet& packet, const net::Parsed& error, const Tunnelled& tunnelled);

}  // namespace keepline::lb
