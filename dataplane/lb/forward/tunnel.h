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

/// Puts link and IP header in front of the packet, which has lost its hop already and has room for
/// `tunnel`, and cuts off Ethernet padding. `id` numbers IPv4 headers. What follows the IP header
/// of GRE and GUE is fill_in()'s to write.
template <typename F>
void encapsulate(net::Packet& packet, const net::Parsed& parsed, const TunnelHeader& tunnel,
                 const net::LinkAddresses& link, std::uint16_t id);

/// Writes what follows the IP header of an encapsulated GRE or GUE packet, checksums included.
/// `flow` is a hash of its flow, by which others spread GUE over their paths.
void fill_in(const net::Packet& packet, const net::Parsed& parsed, const TunnelHeader& tunnel,
             std::uint64_t flow);

}  // namespace keepline::lb
