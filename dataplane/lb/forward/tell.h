// How a real server of FULLNAT, which sees a connection from an address of ours, is told who the
// client is: by a TCP option (TOA) or by PROXY protocol version 2.
//
// PURE; called by workers on frames that are rewritten already, off the straight way.
//
// The option goes into what the client sends between its SYN and the server's first word: kernel
// modules look for it in the segment that completes the handshake, whichever that is. A PROXY
// header is part of the stream: it goes in front of the client's first byte, again with every
// segment that begins there until the server has acknowledged it, and from then on sequence numbers
// towards the server and acknowledgements back differ by its length. Of UDP each datagram has one.
#pragma once

#include "dataplane/lb/conn/connection.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

/// Bytes that a packet becomes longer, at most.
template <typename F>
constexpr std::uint16_t tell_bytes(Tell tell) {
  constexpr bool v4 = F::kFamily == net::Family::kV4;
  if (tell == Tell::kNothing) return 0;
  if (tell == Tell::kOption) return v4 ? 8 : 20;
  return v4 ? 28 : 52;  // haproxy's proxy-protocol.txt §2.2
}

/// For a packet to the real server. `first` is the sequence number of the client's first byte.
enum class Told : std::uint8_t { kDone, kNoHeadroom, kFragment };
template <typename F>
Told tell_server(net::Packet& packet, const net::Parsed& parsed, const Connection<F>& connection,
                 std::uint32_t first);

/// For a packet from it: its acknowledgements, and what they say about `connection.tell`. Its
/// SYN-ACK says what `first` is: a SYN that somebody else has sent must not.
template <typename F>
void hear_server(const net::Packet& packet, const net::Parsed& parsed, Connection<F>& connection,
                 std::uint32_t& first);

}  // namespace keepline::lb
