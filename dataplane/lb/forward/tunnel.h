// Tunnels to real servers: IP in IP, GRE and GUE, over IPv4 and IPv6, whatever is inside.
//
// PURE. What is the same for all packets to a server is made once, with the snapshot; a worker
// copies it in front of a packet and fills in lengths, hops and checksums. RFC 2003, 2473 (IP in
// IP), 2784 (GRE), draft-ietf-intarea-gue-09 (GUE, as Linux' fou has it).
#pragma once

#include <array>
#include <optional>

#include "dataplane/lb/service/service.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

/// The headers in front of packets to one real server: one cache line.
struct alignas(64) TunnelHeader {
  static constexpr std::size_t kMaxLength = 52;
  std::uint8_t length = 0;  ///< Bytes; 0: not a tunnel.
  bool is_v6 = false;       ///< Of the outer header.
  bool checksum = false;    ///< Over everything that is inside.
  TunnelType type = TunnelType::kIpip;
  std::uint16_t sum = 0;  ///< Of an IPv4 header, as far as it is the same for all packets.
  std::array<std::uint8_t, kMaxLength> bytes{};
  friend bool operator==(const TunnelHeader&, const TunnelHeader&) = default;
};
static_assert(sizeof(TunnelHeader) == 64);

/// For packets of the family `inside`, from `source` to `server`, both of one family.
TunnelHeader make_tunnel_header(const Tunnel& tunnel, const net::IpAddr& source,
                                const net::IpAddr& server, net::Family inside);

/// The server that the tunnel leads to.
net::IpAddr far_end(const TunnelHeader& tunnel);

/// Puts the headers in front of the packet and cuts off Ethernet padding; the link addresses are
/// the caller's to set. `id` numbers IPv4 headers. The packet has lost its hop already. False, and
/// nothing changed: no room in front of the frame.
bool encapsulate(net::Packet& packet, const net::Parsed& parsed, const TunnelHeader& tunnel,
                 std::uint16_t id);

/// Of an encapsulated GUE packet: the source port, by which others spread flows over their paths,
/// and the checksum.
void finish_gue(const net::Packet& packet, const net::Parsed& parsed, const TunnelHeader& tunnel,
                std::uint16_t entropy);

}  // namespace keepline::lb
