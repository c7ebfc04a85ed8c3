// Rewriting frames on their way through: NAT in both directions, direct routing, plain routing.
//
// PURE; called by workers on frames that parse() accepted. Checksums are updated incrementally
// (RFC 1624), so that a payload damaged before it came to us is still seen as damaged by the
// receiver.
#pragma once

#include "dataplane/lb/conn/connection.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

/// Client -> real server: destination VIP:port becomes real:port.
void nat_to_real(const net::Packet& packet, const net::Parsed& parsed,
                 const Connection& connection);

/// Real server -> client: source real:port becomes VIP:port.
void nat_to_client(const net::Packet& packet, const net::Parsed& parsed,
                   const Connection& connection);

/// TTL - 1, as every router does (RFC 1812 §5.3.1). The caller has checked that it is above 1.
void decrement_ttl(const net::Packet& packet, const net::Parsed& parsed);

/// Addresses the frame for its next link.
void set_link_header(const net::Packet& packet, const net::Mac& destination,
                     const net::Mac& source);

}  // namespace keepline::lb
