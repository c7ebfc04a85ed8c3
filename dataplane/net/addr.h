// Addresses: Ethernet, IPv4, IPv6, prefixes and endpoints, with parsing and printing.
//
// PURE. Everything is a small value; parse functions return nullopt on anything malformed and
// never guess.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/net/bytes.h"

namespace keepline::net {

/// A 48-bit Ethernet address in wire order.
struct Mac {
  std::array<std::uint8_t, 6> bytes{};

  bool is_multicast() const { return (bytes[0] & 1) != 0; }
  bool is_zero() const { return bytes == std::array<std::uint8_t, 6>{}; }
  friend auto operator<=>(const Mac&, const Mac&) = default;
};

inline constexpr Mac kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/// An IPv4 address. Holds host order, so that ordering and prefixes are plain arithmetic; be()
/// gives the wire form.
class Ip4 {
 public:
  constexpr Ip4() = default;
  constexpr explicit Ip4(std::uint32_t host_order) : value_(host_order) {}
  explicit Ip4(be32 wire) : value_(wire.value()) {}

  constexpr std::uint32_t value() const { return value_; }
  be32 be() const { return be32(value_); }
  constexpr bool is_multicast() const { return (value_ >> 28) == 0xe; }
  constexpr bool is_zero() const { return value_ == 0; }
  friend constexpr auto operator<=>(const Ip4&, const Ip4&) = default;

 private:
  std::uint32_t value_ = 0;
};

/// An IPv6 address in wire order.
struct Ip6 {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const Ip6&, const Ip6&) = default;
};

/// Either family. The dataplane of today handles Ip4 only; configuration and checks handle both.
class IpAddr {
 public:
  IpAddr() = default;
  IpAddr(Ip4 v4) : v4_(v4) {}                // NOLINT(google-explicit-constructor)
  IpAddr(Ip6 v6) : is_v6_(true), v6_(v6) {}  // NOLINT(google-explicit-constructor)

  bool is_v4() const { return !is_v6_; }
  bool is_v6() const { return is_v6_; }
  Ip4 v4() const { return v4_; }  ///< Only meaningful when is_v4().
  const Ip6& v6() const { return v6_; }
  /// The longest prefix of the family: 32 or 128 bits.
  unsigned max_prefix_length() const { return is_v6_ ? 128 : 32; }
  friend auto operator<=>(const IpAddr&, const IpAddr&) = default;

 private:
  bool is_v6_ = false;
  Ip4 v4_;
  Ip6 v6_;
};

/// A network: address with host bits as given, and a length of 0..32 bits.
struct Prefix4 {
  Ip4 address;
  std::uint8_t length = 32;

  constexpr std::uint32_t mask() const {
    return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
  }
  constexpr bool contains(Ip4 other) const {
    return ((address.value() ^ other.value()) & mask()) == 0;
  }
  friend constexpr auto operator<=>(const Prefix4&, const Prefix4&) = default;
};

/// IP protocol numbers that keepline knows.
enum class Protocol : std::uint8_t { kIcmp = 1, kTcp = 6, kUdp = 17, kVrrp = 112, kSctp = 132 };

/// An IPv4 transport address.
struct Endpoint4 {
  Ip4 address;
  std::uint16_t port = 0;  ///< Host order.
  friend constexpr auto operator<=>(const Endpoint4&, const Endpoint4&) = default;
};

std::optional<Ip4> parse_ip4(std::string_view text);
std::optional<IpAddr> parse_ip(std::string_view text);
std::optional<Mac> parse_mac(std::string_view text);

std::string to_string(Ip4 address);
std::string to_string(const Ip6& address);
std::string to_string(const IpAddr& address);
std::string to_string(const Mac& mac);
std::string to_string(const Endpoint4& endpoint);

}  // namespace keepline::net
