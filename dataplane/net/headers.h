// Wire layouts of the headers that keepline reads and writes.
//
// PURE. All fields are byte-aligned, so a pointer into a frame may be cast to these types once
// parse.h has checked the length; nobody else turns bytes into headers.
#pragma once

#include "dataplane/net/addr.h"
#include "dataplane/net/bytes.h"

namespace keepline::net {

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;  ///< IEEE 802.1Q: a VlanTag follows.
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

struct EthernetHeader {
  Mac destination;
  Mac source;
  be16 type;

  /// destination.raw() and source.raw() in one load each, which takes two bytes more.
  std::uint64_t raw_destination() const { return six_bytes(destination); }
  std::uint64_t raw_source() const { return six_bytes(source); }

 private:
  static std::uint64_t six_bytes(const Mac& mac) {
    std::uint64_t raw;
    __builtin_memcpy(&raw, &mac, sizeof raw);
    return raw & 0xffff'ffff'ffff;
  }
};
static_assert(sizeof(EthernetHeader) == 14);

/// Behind the type kEtherTypeVlan.
struct VlanTag {
  be16 control;
  be16 type;  ///< Of what follows.

  /// 1..4094; 0: the tag is but a priority.
  std::uint16_t number() const { return control.value() & 0x0fff; }
};
static_assert(sizeof(VlanTag) == 4);

/// What a frame is sent to a neighbour with: the header without its type.
struct LinkAddresses {
  Mac destination;
  Mac source;
  friend bool operator==(const LinkAddresses&, const LinkAddresses&) = default;
};
static_assert(sizeof(LinkAddresses) == 12);

/// RFC 826, for IPv4 over Ethernet.
struct ArpHeader {
  be16 hardware_type;
  be16 protocol_type;
  std::uint8_t hardware_length;
  std::uint8_t protocol_length;
  be16 operation;
  Mac sender_mac;
  be32 sender_ip;
  Mac target_mac;
  be32 target_ip;
};
static_assert(sizeof(ArpHeader) == 28);
inline constexpr std::uint16_t kArpRequest = 1;
inline constexpr std::uint16_t kArpReply = 2;

/// RFC 791 §3.1.
struct Ipv4Header {
  std::uint8_t version_ihl;
  std::uint8_t tos;
  be16 total_length;
  be16 id;
  be16 fragment;  ///< Flags (3 bits) and offset in units of 8 bytes.
  std::uint8_t ttl;
  std::uint8_t protocol;
  be16 checksum;
  be32 source;
  be32 destination;

  std::size_t header_length() const { return static_cast<std::size_t>(version_ihl & 0x0f) * 4; }
};
static_assert(sizeof(Ipv4Header) == 20);
inline constexpr std::uint16_t kIpv4DontFragment = 0x4000;
inline constexpr std::uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr std::uint16_t kIpv4OffsetMask = 0x1fff;

/// RFC 8200 §3.
struct Ipv6Header {
  be32 version_class_label;  ///< Version (4 bits), traffic class (8), flow label (20).
  be16 payload_length;
  std::uint8_t next_header;
  std::uint8_t hop_limit;
  Ip6 source;
  Ip6 destination;
};
static_assert(sizeof(Ipv6Header) == 40);

/// Extension headers that may stand before the transport header (RFC 8200 §4).
inline constexpr std::uint8_t kIpv6HopByHop = 0;
inline constexpr std::uint8_t kIpv6Routing = 43;
inline constexpr std::uint8_t kIpv6Fragment = 44;
inline constexpr std::uint8_t kIpv6DestinationOptions = 60;
constexpr bool is_ipv6_extension(std::uint8_t header) {
  return header == kIpv6HopByHop || header == kIpv6Routing || header == kIpv6DestinationOptions;
}

/// What TCP and UDP headers begin with.
struct alignas(4) Ports {
  be16 source;
  be16 destination;
};
static_assert(sizeof(Ports) == 4);

/// RFC 9293 §3.1.
struct TcpHeader {
  be16 source_port;
  be16 destination_port;
  be32 sequence;
  be32 acknowledgement;
  std::uint8_t data_offset;  ///< High 4 bits: header length in units of 4 bytes.
  std::uint8_t flags;
  be16 window;
  be16 checksum;
  be16 urgent;
};
static_assert(sizeof(TcpHeader) == 20);
inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpAck = 0x10;
inline constexpr std::uint8_t kTcpUrg = 0x20;

/// RFC 9260 §3; chunks follow.
struct SctpHeader {
  be16 source_port;
  be16 destination_port;
  be32 verification_tag;
  std::uint8_t checksum[4];  ///< CRC32c, little-endian.
};
static_assert(sizeof(SctpHeader) == 12);

/// What the first chunk of an SCTP packet means for its association.
enum class SctpEvent : std::uint8_t {
  kNone,  ///< Data, acknowledgements, heartbeats.
  kInit,
  kInitAck,
  kCookieEcho,
  kCookieAck,
  kShutdown,  ///< SHUTDOWN or its acknowledgement.
  kShutdownComplete,
  kAbort,
};

constexpr SctpEvent sctp_event(std::uint8_t chunk_type) {
  switch (chunk_type) {
    case 1:
      return SctpEvent::kInit;
    case 2:
      return SctpEvent::kInitAck;
    case 6:
      return SctpEvent::kAbort;
    case 7:
    case 8:
      return SctpEvent::kShutdown;
    case 10:
      return SctpEvent::kCookieEcho;
    case 11:
      return SctpEvent::kCookieAck;
    case 14:
      return SctpEvent::kShutdownComplete;
    default:
      return SctpEvent::kNone;
  }
}

/// RFC 768.
struct UdpHeader {
  be16 source_port;
  be16 destination_port;
  be16 length;
  be16 checksum;  ///< Zero = not computed.
};
static_assert(sizeof(UdpHeader) == 8);

// Of BFD, as destination: RFC 5881 §4, RFC 5883 §5.
inline constexpr std::uint16_t kBfdPort = 3784;
inline constexpr std::uint16_t kBfdMultihopPort = 4784;

/// RFC 792, echo form.
struct IcmpHeader {
  std::uint8_t type;
  std::uint8_t code;
  be16 checksum;
  be16 id;
  be16 sequence;
};
static_assert(sizeof(IcmpHeader) == 8);
inline constexpr std::uint8_t kIcmpEchoReply = 0;
inline constexpr std::uint8_t kIcmpEchoRequest = 8;
// Errors, which quote the packet that they are about.
inline constexpr std::uint8_t kIcmpUnreachable = 3;
inline constexpr std::uint8_t kIcmpTimeExceeded = 11;
inline constexpr std::uint8_t kIcmpParameterProblem = 12;
inline constexpr std::uint8_t kIcmpHostUnreachable = 1;  ///< Code of kIcmpUnreachable.
inline constexpr std::uint8_t kIcmpPortUnreachable = 3;  ///< Code of kIcmpUnreachable.
inline constexpr std::uint8_t kIcmpTooBig = 4;           ///< The same; RFC 1191.
// RFC 4443: all types below kIcmp6FirstInformation are errors.
inline constexpr std::uint8_t kIcmp6Unreachable = 1;
inline constexpr std::uint8_t kIcmp6TooBig = 2;
inline constexpr std::uint8_t kIcmp6TimeExceeded = 3;
inline constexpr std::uint8_t kIcmp6FirstInformation = 128;
inline constexpr std::uint8_t kIcmp6EchoRequest = 128;
inline constexpr std::uint8_t kIcmp6EchoReply = 129;
inline constexpr std::uint8_t kIcmp6AddressUnreachable = 3;  ///< Code of kIcmp6Unreachable.
inline constexpr std::uint8_t kIcmp6PortUnreachable = 4;     ///< Code of kIcmp6Unreachable.

inline constexpr std::uint8_t kIpv6Icmp = 58;  ///< As the next header.

/// RFC 4861 §4.3; options may follow.
struct NeighbourSolicitation {
  std::uint8_t type;
  std::uint8_t code;
  be16 checksum;
  be32 reserved;
  Ip6 target;
};
static_assert(sizeof(NeighbourSolicitation) == 24);
inline constexpr std::uint8_t kIcmp6NeighbourSolicitation = 135;
inline constexpr std::uint8_t kIcmp6FirstDiscovery = 133;
inline constexpr std::uint8_t kIcmp6LastDiscovery = 137;

/// RFC 4861 §4.4, with the one option that says the link address.
struct NeighbourAdvertisement {
  std::uint8_t type;
  std::uint8_t code;
  be16 checksum;
  be32 flags;
  Ip6 target;
  std::uint8_t option_type;
  std::uint8_t option_length;  ///< In units of 8 bytes.
  Mac target_mac;
};
static_assert(sizeof(NeighbourAdvertisement) == 32);
inline constexpr std::uint8_t kIcmp6NeighbourAdvertisement = 136;
inline constexpr std::uint8_t kOptionTargetLinkAddress = 2;
inline constexpr std::uint32_t kAdvertisementRouter = 0x80000000;
inline constexpr std::uint32_t kAdvertisementSolicited = 0x40000000;
inline constexpr std::uint32_t kAdvertisementOverride = 0x20000000;

}  // namespace keepline::net
