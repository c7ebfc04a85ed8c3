// The only code that turns bytes of a frame into headers.
//
// PURE; called by workers once per frame. Whatever the bytes are, the result is either a Parsed
// whose offsets lie inside the frame or a Drop reason.
#pragma once

#include "dataplane/net/drop.h"
#include "dataplane/net/headers.h"
#include "dataplane/net/packet.h"

namespace keepline::net {

enum class Kind : std::uint8_t {
  kDropped,   ///< See `drop`.
  kArp,       ///< ARP for IPv4 over Ethernet, header complete.
  kVrrp,      ///< IPv4 with protocol 112: from l3 on for the VRRP codec.
  kIcmpEcho,  ///< ICMP echo request, header complete.
  kFlow,      ///< TCP or UDP, header complete.
  kFragment,  ///< IPv4 fragment of anything but VRRP.
  kOther,     ///< Sound, but nothing that the dataplane handles.
};

/// What a frame is and where its parts are. Offsets are bytes from the start of the frame.
struct Parsed {
  Kind kind = Kind::kDropped;
  Drop drop = Drop::kNone;
  Protocol protocol{};
  std::uint8_t tcp_flags = 0;
  std::uint16_t l3 = 0;         ///< IPv4 or ARP header.
  std::uint16_t l4 = 0;         ///< Transport header.
  std::uint16_t l3_length = 0;  ///< IPv4 total length: without Ethernet padding.
  be32 source;                  ///< IPv4 (or ARP sender) address.
  be32 destination;             ///< IPv4 (or ARP target) address.
  be16 source_port;
  be16 destination_port;
};

/// Parses one frame. Checks lengths, the IPv4 version, header length and header checksum
/// (RFC 1812 §5.2.2), not the transport checksum.
Parsed parse(const Packet& packet);

}  // namespace keepline::net
