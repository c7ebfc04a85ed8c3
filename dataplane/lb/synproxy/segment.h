// TCP segments of our own, and what is shifted in those of others.
//
// PURE; called by workers, off the straight way.
#pragma once

#include "dataplane/lb/conn/connection.h"
#include "dataplane/lb/synproxy/cookie.h"
#include "dataplane/net/packet.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

/// A timestamp option (RFC 7323 §3.2).
struct Timestamps {
  std::uint32_t value = 0;
  std::uint32_t echo = 0;
};

/// The options of a segment that somebody sent.
struct SegmentOptions {
  SynOptions syn;
  std::optional<Timestamps> timestamps;
};
SegmentOptions options_of(const net::Packet& packet, const net::Parsed& parsed);

/// A segment without payload.
template <typename F>
struct OwnSegment {
  FlowKey<F> flow;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = net::kTcpAck;
  std::uint16_t window = 0;
  std::optional<SynOptions> syn;  ///< Of a SYN, with or without ACK.
  std::optional<Timestamps> timestamps;
};
inline constexpr std::size_t kMostOwnSegment =
    sizeof(net::EthernetHeader) + sizeof(net::Ipv6Header) + sizeof(net::TcpHeader) + 40;

/// Writes the frame; its length. `to` has room for kMostOwnSegment bytes.
template <typename F>
std::size_t write_segment(std::uint8_t* to, const net::LinkAddresses& link,
                          const OwnSegment<F>& segment);
/// Puts it in the place of a packet, which may begin in its headroom then. False: there is too
/// little of that.
template <typename F>
bool replace_packet(net::Packet& packet, const net::LinkAddresses& link,
                    const OwnSegment<F>& segment);

/// A proxied connection's stream, of which the client has been told other numbers than the server
/// uses. Belongs to an entry of the connection table.
struct Stream {
  std::uint32_t first = 0;        ///< Of the client's first byte; also used by forward/tell.h.
  std::uint32_t cookie = 0;       ///< The client takes it for the server's first sequence number.
  std::uint32_t shift = 0;        ///< The server's numbers are ahead of the client's by this.
  std::uint32_t clock = 0;        ///< The timestamp that the client had of us.
  std::uint32_t clock_shift = 0;  ///< That clock is ahead of the server's by this.
  std::uint16_t window = 0;       ///< That the client offered, as it stood in its ACK.
  std::uint8_t scale = 0;         ///< The server's window scale.
  std::uint8_t told_scale = 0;    ///< The one that the client was told.
  bool has_clock = false;         ///< Whether there are timestamps.
  bool waits = false;             ///< The server has not answered yet: no numbers to shift.
};

/// For segments of the client and of the server, once the server has answered.
void shift_to_server(const net::Packet& packet, const net::Parsed& parsed, const Stream& stream);
void shift_to_client(const net::Packet& packet, const net::Parsed& parsed, const Stream& stream);

}  // namespace keepline::lb
