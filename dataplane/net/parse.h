// The only code that turns bytes of a frame into headers.
//
// PURE; called by workers once per frame. Whatever the bytes are, the result is either a Parsed
// whose offsets lie inside the frame or a Drop reason.
#pragma once

#include "dataplane/net/drop.h"
#include "dataplane/net/family.h"
#include "dataplane/net/packet.h"

namespace keepline::net {

enum class Kind : std::uint8_t {
  kDropped,                ///< See `drop`.
  kArp,                    ///< ARP for IPv4 over Ethernet, header complete.
  kVrrp,                   ///< IP with protocol 112: from l3 on for the VRRP codec.
  kIcmpEcho,               ///< ICMP or ICMPv6 echo request, header complete.
  kNeighbourSolicitation,  ///< Header and target complete.
  kFlow,                   ///< TCP, UDP or SCTP over IPv4 or IPv6, header complete.
  kFragment,               ///< Fragment of anything but VRRP.
  kIcmpError,  ///< ICMP or ICMPv6 error, header complete; what it quotes is not looked at.
  kOther,      ///< Sound, but nothing that the dataplane handles.
};

/// What a frame is and where its parts are. Offsets are bytes from the start of the frame. The
/// addresses stay where they are: in the header at `l3`.
struct Parsed {
  Kind kind = Kind::kDropped;
  Drop drop = Drop::kNone;
  Protocol protocol{};
  std::uint8_t flags = 0;  ///< TCP's; of SCTP an SctpEvent.
  Family family = Family::kV4;
  std::uint16_t l3 = 0;         ///< IP or ARP header.
  std::uint16_t l4 = 0;         ///< Transport header.
  std::uint16_t l3_length = 0;  ///< IP header and payload: without Ethernet padding.
  Ports ports;

  template <typename F>
  const typename F::Header* ip(const Packet& packet) const {
    return packet.at<const typename F::Header>(l3);
  }
};

/// Of an IP packet.
inline IpAddr destination_of(const Packet& packet, const Parsed& parsed) {
  if (parsed.family == Family::kV6) return parsed.ip<V6>(packet)->destination;
  return Ip4(parsed.ip<V4>(packet)->destination);
}

/// IPv6 extension headers that are looked through for the transport header; more are kOther.
inline constexpr int kMaxExtensionHeaders = 4;

/// Parses one frame. Checks lengths, the IP version, and for IPv4 header length and checksum
/// (RFC 1812 §5.2.2), not the transport checksum.
Parsed parse(const Packet& packet);

/// A burst by what handles it.
struct Sorted {
  Places flows4;
  Places flows6;
  Places others;  ///< Everything that is not Kind::kFlow.
};

/// Parses and sorts a burst; `parsed` has room for as many, and what a kind does not have is left
/// as it was.
void parse_burst(std::span<const Packet> packets, Parsed* parsed, Sorted& sorted);

}  // namespace keepline::net
