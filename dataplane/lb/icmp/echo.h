// Answering ICMP echo requests for VIPs.
//
// PURE; called by workers. RFC 792.
#pragma once

#include "dataplane/net/parse.h"

namespace keepline::lb {

enum class Echo : std::uint8_t { kReplied, kBadChecksum };

/// Turns a parsed echo request into its reply in place, addressed to the MAC that it came from.
/// A request with a wrong checksum is left alone.
Echo make_echo_reply(const net::Packet& packet, const net::Parsed& parsed, const net::Mac& mac);

}  // namespace keepline::lb
