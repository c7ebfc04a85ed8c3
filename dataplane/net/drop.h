// Why a frame was dropped. Every reason is a counter; its name is what users see.
//
// PURE.
#pragma once

#include <cstdint>
#include <string_view>

namespace keepline::net {

enum class Drop : std::uint8_t {
  kNone,          ///< Not dropped.
  kTruncated,     ///< Shorter than its headers say.
  kBadIpHeader,   ///< Version, header length, total length or checksum is wrong.
  kBadArp,        ///< Not ARP for IPv4 over Ethernet, a sender that cannot be one; also of ND.
  kNotForUs,      ///< Destination MAC is neither the port's nor a virtual one of ours.
  kUnknown,       ///< A kind of frame that the dataplane does not handle.
  kFragment,      ///< To a VIP, without the first one that it belongs to, or of another protocol.
  kNotMaster,     ///< For a VIP whose lease this worker does not hold.
  kBadIcmp,       ///< Echo request with a wrong checksum.
  kNoConnection,  ///< TCP without SYN that belongs to no connection.
  kNoRealServer,  ///< Service without a real server that takes new connections.
  kServerGone,    ///< Connection of a real server that left the pool.
  kNoRoute,       ///< Nowhere to send it.
  kNoNeighbour,   ///< Next hop's MAC is not known.
  kTtlExpired,    ///< TTL would become zero.
  kTooBig,        ///< Longer than the MTU of the port it should leave through.
  kDenied,        ///< A new connection of a client that the service does not admit.
  kRateLimited,   ///< A new connection too many of this client in this second.
  kBadCookie,     ///< SYN proxy: an ACK that brings no cookie of ours, or one too old.
  kTableFull,     ///< FULLNAT, SYN proxy: no room for the connection, without which it cannot be.
  kNoLocalPort,   ///< FULLNAT: no address and port of the pool is free towards the real server.
  kNoHeadroom,    ///< No room in front of the frame for a tunnel's headers.
  kTxFull,        ///< Transmit ring full.
  kControlFull,   ///< Queue of adverts to the control thread full.
  kHandOffFull,   ///< Belongs to another worker, whose ring is full.
  kNotAccepted,   ///< To the node itself by a VIP that takes no traffic for it (no_accept).
  kCount,
};

inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(Drop::kCount);

/// The counter's name, e.g. "no_real_server".
std::string_view to_string(Drop reason);

}  // namespace keepline::net
