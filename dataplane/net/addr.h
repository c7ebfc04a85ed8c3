// Addresses: Ethernet, IPv4, IPv6, prefixes and endpoints, with parsing and printing.
//
// PURE. Everything is a small value; parse functions return nullopt on anything malformed and
// never guess.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
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
  /// As one number, as it lies in memory: for comparing.
  std::uint64_t raw() const {
    std::uint32_t first;
    std::uint16_t last;
    std::memcpy(&first, bytes.data(), sizeof first);
    std::memcpy(&last, bytes.data() + sizeof first, sizeof last);
    return std::uint64_t{last} << 32 | first;
  }
  friend bool operator==(const Mac& a, const Mac& b) { return a.raw() == b.raw(); }
  friend auto operator<=>(const Mac& a, const Mac& b) { return a.bytes <=> b.bytes; }
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

  /// Its halves as they lie in memory: for hashing and comparing.
  std::uint64_t raw_high() const { return std::bit_cast<Halves>(bytes)[0]; }
  std::uint64_t raw_low() const { return std::bit_cast<Halves>(bytes)[1]; }
  bool is_zero() const { return (raw_high() | raw_low()) == 0; }
  friend bool operator==(const Ip6& a, const Ip6& b) {
    return ((a.raw_high() ^ b.raw_high()) | (a.raw_low() ^ b.raw_low())) == 0;
  }
  friend auto operator<=>(const Ip6& a, const Ip6& b) { return a.bytes <=> b.bytes; }

 private:
  using Halves = std::array<std::uint64_t, 2>;
};
static_assert(sizeof(Ip6) == 16 && alignof(Ip6) == 1);

/// fe80::/10 (RFC 4291 §2.5.6).
inline bool is_link_local(const Ip6& address) {
  return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}

/// Either family.
class IpAddr {
 public:
  IpAddr() = default;
  IpAddr(Ip4 v4) : v4_(v4) {}                // NOLINT(google-explicit-constructor)
  IpAddr(Ip6 v6) : is_v6_(true), v6_(v6) {}  // NOLINT(google-explicit-constructor)

  bool is_v4() const { return !is_v6_; }
  bool is_v6() const { return is_v6_; }
  Ip4 v4() const { return v4_; }  ///< Only meaningful when is_v4().
  const Ip6& v6() const { return v6_; }
  bool is_zero() const { return is_v6_ ? v6_.is_zero() : v4_.is_zero(); }
  /// The longest prefix of the family: 32 or 128 bits.
  unsigned max_prefix_length() const { return is_v6_ ? 128 : 32; }
  friend auto operator<=>(const IpAddr&, const IpAddr&) = default;

 private:
  bool is_v6_ = false;
  Ip4 v4_;
  Ip6 v6_;
};

inline bool is_multicast(const IpAddr& address) {
  return address.is_v6() ? address.v6().bytes[0] == 0xff : address.v4().is_multicast();
}

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

/// A network of either family: address with host bits as given, and a length in bits.
struct Prefix {
  IpAddr address;
  std::uint8_t length = 0;

  /// False for an address of the other family.
  bool contains(const IpAddr& other) const;
  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

/// IP protocol numbers that keepline knows.
enum class Protocol : std::uint8_t {
  kIcmp = 1,
  kTcp = 6,
  kUdp = 17,
  kAh = 51,
  kIcmp6 = 58,
  kVrrp = 112,
  kSctp = 132,
};

/// Whether it begins with a source and a destination port: those that are balanced.
constexpr bool has_ports(Protocol protocol) {
  return protocol == Protocol::kTcp || protocol == Protocol::kUdp || protocol == Protocol::kSctp;
}

/// The first `bits` of an address, the rest zero.
inline be32 masked(be32 address, unsigned bits) {
  return be32(bits == 0 ? 0 : address.value() & (0xffffffffu << (32 - bits)));
}
Ip6 masked(const Ip6& address, unsigned bits);

/// An IPv4 transport address.
struct Endpoint4 {
  Ip4 address;
  std::uint16_t port = 0;  ///< Host order.
  friend constexpr auto operator<=>(const Endpoint4&, const Endpoint4&) = default;
};

/// A transport address of either family.
struct Endpoint {
  IpAddr address;
  std::uint16_t port = 0;  ///< Host order.

  Endpoint() = default;
  Endpoint(IpAddr at, std::uint16_t number) : address(at), port(number) {}
  Endpoint(const Endpoint4& v4)  // NOLINT(google-explicit-constructor)
      : address(v4.address), port(v4.port) {}
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

std::optional<Ip4> parse_ip4(std::string_view text);
std::optional<IpAddr> parse_ip(std::string_view text);
std::optional<Mac> parse_mac(std::string_view text);
/// "10.0.0.1:80", "[2001:db8::1]:80".
std::optional<Endpoint> parse_endpoint(std::string_view text);

std::string to_string(Ip4 address);
std::string to_string(const Ip6& address);
std::string to_string(const IpAddr& address);
std::string to_string(const Mac& mac);
std::string to_string(const Endpoint4& endpoint);
/// "192.0.2.1:80", "[2001:db8::1]:80".
std::string to_string(const Endpoint& endpoint);

}  // namespace keepline::net
