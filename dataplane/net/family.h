// The two families as template arguments: what one body of code needs to know of each.
//
// PURE. There is no other place that tells IPv4 from IPv6 in the packet's way.
#pragma once

#include "dataplane/net/headers.h"

namespace keepline::net {

enum class Family : std::uint8_t { kV4, kV6 };

struct V4 {
  using Address = be32;
  using Header = Ipv4Header;
  static constexpr Family kFamily = Family::kV4;
  static constexpr std::uint16_t kEtherType = kEtherTypeIpv4;
  static constexpr unsigned kBits = 32;
  static Address address_of(const IpAddr& address) { return address.v4().be(); }
  static IpAddr generic(const Address& address) { return Ip4(address); }
};

struct V6 {
  using Address = Ip6;
  using Header = Ipv6Header;
  static constexpr Family kFamily = Family::kV6;
  static constexpr std::uint16_t kEtherType = kEtherTypeIpv6;
  static constexpr unsigned kBits = 128;
  static const Address& address_of(const IpAddr& address) { return address.v6(); }
  static IpAddr generic(const Address& address) { return address; }
};

inline Family family_of(const IpAddr& address) {
  return address.is_v6() ? Family::kV6 : Family::kV4;
}

}  // namespace keepline::net
