// What lies around a BFD packet: UDP over IPv4 or IPv6 over Ethernet, read and written.
//
// PURE; no allocation. Reading takes what net::parse() has found sound; writing makes whole frames.
#pragma once

#include <array>

#include <tl/expected.hpp>

#include "dataplane/bfd/packet.h"
#include "dataplane/net/parse.h"

namespace keepline::bfd {

/// A packet as it came in.
struct Datagram {
  net::IpAddr source;
  net::IpAddr destination;
  std::uint8_t ttl = 0;
  bool is_multihop = false;  ///< By its port.
  net::Bytes payload;        ///< Lives as long as the frame.
};

/// Of a frame that is net::Kind::kFlow with UDP and one of our ports; an error is kUdp or
/// kChecksum, and then the addresses of `datagram` are there all the same.
tl::expected<void, Discard> read_datagram(const net::Packet& frame, const net::Parsed& parsed,
                                          Datagram& datagram);

/// How to get to the neighbour.
struct Way {
  net::LinkAddresses link;
  net::IpAddr source;  ///< Of the neighbour's family.
};

inline constexpr std::size_t kMaxFrameBytes =
    sizeof(net::EthernetHeader) + sizeof(net::Ipv6Header) + sizeof(net::UdpHeader) + kPacketBytes;

struct Frame {
  std::array<std::uint8_t, kMaxFrameBytes> bytes;
  std::size_t length = 0;
  net::Bytes view() const { return net::Bytes(bytes).first(length); }
};

/// With all checksums; RFC 5881 §4 and §5: the port, the session's own source port, its TTL.
Frame make_frame(const ControlPacket& packet, const SessionConfig& session, const Way& way);

}  // namespace keepline::bfd
