// Names of the enumerations: see names.h. PURE.
#include "control/config/names.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace keepline::config {

namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 14> kSchedulers = {
    "rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"};
constexpr std::array<std::string_view, 4> kMethods = {"NAT", "DR", "TUN", "FULLNAT"};
constexpr std::array<std::string_view, 3> kClientAddresses = {"", "toa", "proxy_protocol"};
constexpr std::array<std::string_view, 3> kTunnelTypes = {"ipip", "gue", "gre"};
constexpr std::array<std::string_view, 3> kTunnelChecksums = {"nocsum", "csum", "remcsum"};
constexpr std::array<std::string_view, 7> kOtherKinds = {
    "SMTP_CHECK", "DNS_CHECK", "MISC_CHECK", "UDP_CHECK", "PING_CHECK", "FILE_CHECK", "BFD_CHECK"};
constexpr std::array<std::string_view, 3> kHttpProtocols = {"1.0", "1.0C", "1.1"};
constexpr std::pair<std::string_view, net::Protocol> kProtocols[] = {
    {"TCP", net::Protocol::kTcp}, {"UDP", net::Protocol::kUdp}, {"SCTP", net::Protocol::kSctp}};

template <typename Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::optional<Scheduler> scheduler_from_name(std::string_view name) {
  return find<Scheduler>(kSchedulers, name);
}
std::string_view name_of(Scheduler scheduler) {
  return kSchedulers[static_cast<std::size_t>(scheduler)];
}
std::optional<Method> method_from_name(std::string_view name) {
  return find<Method>(kMethods, name);
}
std::string_view name_of(Method method) {
  return kMethods[static_cast<std::size_t>(method)];
}
std::optional<TunnelType> tunnel_type_from_name(std::string_view name) {
  return find<TunnelType>(kTunnelTypes, name);
}
std::optional<TunnelChecksum> tunnel_checksum_from_name(std::string_view name) {
  return find<TunnelChecksum>(kTunnelChecksums, name);
}
std::optional<ClientAddress> client_address_from_name(std::string_view name) {
  return find<ClientAddress>(kClientAddresses, name);
}
std::string_view name_of(ClientAddress how) {
  return kClientAddresses[static_cast<std::size_t>(how)];
}
std::string text_of(const Forwarding& forwarding) {
  std::string text(name_of(forwarding.method));
  if (forwarding.client_address != ClientAddress::kUntold) {
    text += ' ' + std::string(name_of(forwarding.client_address));
  }
  if (forwarding.method != Method::kTun) return text;
  text += " type " + std::string(kTunnelTypes[static_cast<std::size_t>(forwarding.tunnel)]);
  if (forwarding.gue_port != 0) text += " port " + std::to_string(forwarding.gue_port);
  if (forwarding.checksum != TunnelChecksum::kNone) {
    text += ' ' + std::string(kTunnelChecksums[static_cast<std::size_t>(forwarding.checksum)]);
  }
  return text;
}
std::string_view name_of(OtherKind kind) {
  return kOtherKinds[static_cast<std::size_t>(kind)];
}
std::string_view name_of(HttpProtocol protocol) {
  return kHttpProtocols[static_cast<std::size_t>(protocol)];
}

std::optional<net::Protocol> protocol_from_name(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  for (const auto& [text, protocol] : kProtocols) {
    if (upper == text) return protocol;
  }
  return std::nullopt;
}

std::string_view name_of(net::Protocol protocol) {
  for (const auto& [text, candidate] : kProtocols) {
    if (candidate == protocol) return text;
  }
  return "UDP";
}

std::string seconds_text(std::uint64_t us) {
  std::string text = std::to_string(us / kSecondUs);
  const auto fraction = static_cast<unsigned>(us % kSecondUs);
  if (fraction == 0) return text;
  char decimals[16];
  std::snprintf(decimals, sizeof decimals, ".%06u", fraction);
  text += decimals;
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace keepline::config
