// The advert codec: bytes of an IP packet <-> Advert, for VRRP versions 2 and 3, over IPv4 and
// (version 3) IPv6.
//
// PURE; called by the control thread for every VRRP packet, so it must stand any bytes. Receive
// checks come in two parts: parse_advert makes those that need no instance, check_advert and
// compare_vips those that do. An Advert that exists is internally sound. Bound: kMaxAdvertBytes.
//
// Wire format: RFC 9568 §5 (version 3), RFC 3768 §5 (version 2) with the 8 bytes of
// authentication data that version 2 always carries.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "dataplane/net/addr.h"
#include "dataplane/net/bytes.h"
#include "vrrp/auth_header.h"
#include "vrrp/hmac_trailer.h"
#include "vrrp/types.h"

namespace keepline::vrrp {

/// IPv4 header, VRRP header, 255 addresses, authentication data, and either an authentication
/// header or a trailer; or IPv6 header, VRRP header and what fits of addresses, without or with a
/// trailer.
inline constexpr std::size_t kMaxAdvertBytes =
    std::max({20 + 8 + kMaxVips * 4 + 8 + std::max(sizeof(AuthHeader), kHmacTrailerBytes),
              40 + 8 + kMaxVips6 * 16, 40 + 8 + kMaxSignedVips6 * 16 + kHmacTrailerBytes});

/// A received advert whose form is right.
struct Advert {
  Version version = Version::k2;
  std::uint8_t vrid = 0;
  std::uint8_t priority = 0;
  std::uint8_t auth_type = 0;    ///< As received, any value; 0 in version 3.
  AuthData auth_data{};          ///< Zero in version 3.
  std::int64_t interval_us = 0;  ///< More than zero in version 3.
  net::IpAddr source;
  net::IpAddr destination;
  std::uint8_t ttl = 255;  ///< Or hop limit.
  /// Which checksum rule holds. Which one must hold is the instance's affair, and for some pairs
  /// of addresses both do.
  bool checksum_plain = false;
  bool checksum_pseudo = false;
  std::vector<net::IpAddr> vips;
  std::optional<Authenticated> header;  ///< It came behind an authentication header.
  std::optional<HmacTrailer> trailer;   ///< One follows it: known by the exact length.
  friend bool operator==(const Advert&, const Advert&) = default;
};

/// A dropped packet, with what is known for counting and logging.
struct Rejection {
  Reject reason = Reject::kIpHeader;
  std::optional<std::uint8_t> vrid;  ///< Set when the packet was long enough to have one.
  net::IpAddr source;                ///< Zero without a sound IP header.
  friend bool operator==(const Rejection&, const Rejection&) = default;
};

/// Reads a packet from its IP header on. Bytes after the packet's own length are Ethernet padding
/// and are ignored. Order: IP header, version, length, type, checksum, interval.
tl::expected<Advert, Rejection> parse_advert(net::Bytes packet);

/// The checks against an instance: VRID, version, own source, TTL (multicast), trailer,
/// authentication type, password, interval, checksum rule, destination, peers. No value = accepted,
/// but for what an instance remembers (Instance::examine).
std::optional<Reject> check_advert(const Advert& advert, const InstanceConfig& config);

/// Address lists are compared as sets; a difference is logged and counted, the advert is used.
enum class VipComparison : std::uint8_t { kSame, kDifferent };
VipComparison compare_vips(const Advert& advert, const InstanceConfig& config);

/// Writes the whole IP packet from `config.source` to `destination`, the group or a peer, and
/// returns its length. No value = `out` is too small (kMaxAdvertBytes always suffices for up to
/// kMaxVips, over IPv6 kMaxVips6 and signed kMaxSignedVips6 addresses), there are more than
/// kMaxVips addresses, or no key to sign with; nothing useful is in `out` then. `sequence` numbers
/// adverts with an authentication header (its low 32 bits) or a trailer (HmacSequence::next).
std::optional<std::size_t> encode_advert(const InstanceConfig& config, std::uint8_t priority,
                                         const net::IpAddr& destination, net::MutableBytes out,
                                         std::uint64_t sequence = 0);

}  // namespace keepline::vrrp
