// What tunnels look like on the wire, between the outer IP header and the packet inside.
//
// PURE. RFC 2784 (GRE), draft-ietf-intarea-gue-09 (GUE).
#pragma once

#include "dataplane/net/headers.h"

namespace keepline::lb {

// Protocol numbers (IANA) of what an IP header is in front of, a GUE header as well.
inline constexpr std::uint8_t kIpInIp = 4;
inline constexpr std::uint8_t kIpv6InIp = 41;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kGre = 47;

struct GreHeader {
  net::be16 flags;
  net::be16 protocol;
};
inline constexpr std::uint16_t kGreHasChecksum = 0x8000;  ///< GreChecksum follows.
struct GreChecksum {
  net::be16 checksum;
  net::be16 reserved;
};
struct GueHeader {
  std::uint8_t version_length;  ///< Both zero: no optional fields.
  std::uint8_t protocol;
  net::be16 flags;
};

}  // namespace keepline::lb
