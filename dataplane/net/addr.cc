#include "dataplane/net/addr.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "dataplane/net/hex.h"

namespace keepline::net {

namespace {

constexpr std::size_t kLongestAddress = INET6_ADDRSTRLEN;

// inet_pton wants a terminated string; a text longer than any address is no address.
template <typename T>
bool pton(int family, std::string_view text, T& out) {
  char buffer[kLongestAddress + 1];
  if (text.size() > kLongestAddress) return false;
  text.copy(buffer, text.size());
  buffer[text.size()] = '\0';
  return inet_pton(family, buffer, &out) == 1;
}

bool same_network(const Ip6& a, const Ip6& b, unsigned length) {
  const unsigned whole = length / 8;
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) return false;
  const unsigned rest = length % 8;
  return rest == 0 || ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

}  // namespace

bool Prefix::contains(const IpAddr& other) const {
  if (address.is_v6() != other.is_v6()) return false;
  if (address.is_v6()) return same_network(address.v6(), other.v6(), length);
  return Prefix4{address.v4(), length}.contains(other.v4());
}

std::optional<Ip4> parse_ip4(std::string_view text) {
  be32 wire;
  if (!pton(AF_INET, text, wire)) return std::nullopt;
  return Ip4(wire);
}

std::optional<IpAddr> parse_ip(std::string_view text) {
  if (auto v4 = parse_ip4(text)) return IpAddr(*v4);
  Ip6 v6;
  if (!pton(AF_INET6, text, v6.bytes)) return std::nullopt;
  return IpAddr(v6);
}

std::optional<Mac> parse_mac(std::string_view text) {
  Mac mac;
  if (text.size() != 17) return std::nullopt;
  for (std::size_t i = 0; i < 6; ++i) {
    const int high = hex_digit(text[3 * i]);
    const int low = hex_digit(text[3 * i + 1]);
    if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':')) return std::nullopt;
    mac.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return mac;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = address.size() >= 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  const auto parsed = parse_ip(address);
  // Without its brackets an IPv6 address would swallow the port.
  if (!parsed || parsed->is_v6() != bracketed) return std::nullopt;
  Endpoint endpoint{*parsed, 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return endpoint;
}

std::string to_string(Ip4 address) {
  char buffer[INET_ADDRSTRLEN];
  const be32 wire = address.be();
  inet_ntop(AF_INET, &wire, buffer, sizeof buffer);
  return buffer;
}

std::string to_string(const Ip6& address) {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, address.bytes.data(), buffer, sizeof buffer);
  return buffer;
}

std::string to_string(const IpAddr& address) {
  return address.is_v4() ? to_string(address.v4()) : to_string(address.v6());
}

std::string to_string(const Mac& mac) {
  char buffer[18];
  const auto& b = mac.bytes;
  std::snprintf(buffer, sizeof buffer, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
                b[4], b[5]);
  return buffer;
}

std::string to_string(const Endpoint4& endpoint) {
  return to_string(endpoint.address) + ':' + std::to_string(endpoint.port);
}

std::string to_string(const Endpoint& endpoint) {
  const std::string address = to_string(endpoint.address);
  return (endpoint.address.is_v6() ? '[' + address + ']' : address) + ':' +
         std::to_string(endpoint.port);
}

Ip6 masked(const Ip6& address, unsigned bits) {
  Ip6 result;
  for (std::size_t i = 0; i < result.bytes.size() && i * 8 < bits; ++i) {
    const unsigned kept = std::min<unsigned>(bits - static_cast<unsigned>(i) * 8, 8);
    result.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xff00u >> kept));
  }
  return result;
}

}  // namespace keepline::net
