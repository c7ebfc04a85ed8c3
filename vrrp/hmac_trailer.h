// The trailer that authenticates an advert: `auth_hmac` of keepalived from 2.4.1 on.
//
// PURE; the control thread calls it for every advert. Specified by draft-cassen-vrrp-auth-hmac: 28
// bytes behind the VRRP message, of both versions and families. HMAC-SHA256 (RFC 2104), truncated
// to 16 bytes, covers a pseudo header (family, version, VRID, source), the message with a checksum
// of zero, and the trailer with a digest of zero; nothing of the IP header but the source. What the
// numbers of adverts must be is hmac_sequence.h's affair. Bounds: kHmacKeyLimit keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/net/addr.h"
#include "dataplane/net/bytes.h"

namespace keepline::vrrp {

inline constexpr std::size_t kHmacTrailerBytes = 28;
inline constexpr std::size_t kHmacKeyLimit = 255;  ///< One byte of id, and 0 is none.
inline constexpr std::size_t kLeastHmacKeyBytes = 32;
inline constexpr std::size_t kMostHmacKeyBytes = 64;

struct HmacKey {
  std::uint8_t id = 1;              ///< 1..255; the trailer names it.
  std::vector<std::uint8_t> bytes;  ///< kLeastHmacKeyBytes..kMostHmacKeyBytes.
  friend bool operator==(const HmacKey&, const HmacKey&) = default;
};

/// What is done with adverts that have no trailer, and whether ours have one. One that is there has
/// to be right in every mode.
enum class HmacMode : std::uint8_t {
  kEnforce,      ///< Drops them.
  kPermissive,   ///< Takes them: while a cluster changes over.
  kReceiveOnly,  ///< Takes them, and sends none: before the first node of a cluster changes.
};

enum class AntiReplay : std::uint8_t {
  kTime,       ///< The number's time must be near our own, and the numbers of a sender grow.
  kMonotonic,  ///< They only grow: for clocks that are apart.
};

/// `auth_hmac` of an instance; without keys there is none.
struct AuthHmac {
  std::vector<HmacKey> keys;
  std::uint8_t active_key = 0;     ///< The id of the key that we sign with; kReceiveOnly: any.
  std::int64_t time_window_s = 5;  ///< 1..300, either way; only with AntiReplay::kTime.
  AntiReplay anti_replay = AntiReplay::kTime;
  HmacMode mode = HmacMode::kEnforce;

  bool is_used() const { return !keys.empty(); }
  bool signs() const { return is_used() && mode != HmacMode::kReceiveOnly; }
  /// Null: there is no such key.
  const HmacKey* find(std::uint8_t id) const;
  friend bool operator==(const AuthHmac&, const AuthHmac&) = default;
};

/// A received trailer; whether it is right depends on the key.
struct HmacTrailer {
  std::uint8_t type = 0;  ///< 1: HMAC-SHA256-128.
  std::uint8_t key_id = 0;
  std::uint16_t reserved = 0;
  std::uint64_t number = 0;  ///< Seconds (32 bits), their fraction (16), a counter (16).
  std::array<std::uint8_t, 16> digest{};
  std::vector<std::uint8_t> covered;  ///< What the digest is of.

  bool is_well_formed() const;
  friend bool operator==(const HmacTrailer&, const HmacTrailer&) = default;
};

/// Reads the last kHmacTrailerBytes of `message`, a VRRP message with its trailer. At least a
/// VRRP header must be before them.
HmacTrailer read_hmac_trailer(net::Bytes message, const net::IpAddr& source);

/// In constant time.
bool is_authentic(const HmacTrailer& trailer, const HmacKey& key);

/// Writes the last kHmacTrailerBytes of `message`, which is complete but for those and perhaps for
/// the checksum.
void write_hmac_trailer(net::MutableBytes message, const net::IpAddr& source, const HmacKey& key,
                        std::uint64_t number);

}  // namespace keepline::vrrp
