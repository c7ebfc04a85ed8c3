// The typed configuration of the load balancer: virtual servers, real servers and their checks.
//
// PURE. Plain values as they are after resolving (virtual server -> real server -> checker).
// Durations are in microseconds, ports in host order. Equality ignores positions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "control/config/model_vrrp.h"

namespace keepline::config {

enum class Scheduler : std::uint8_t {
  kRr,
  kWrr,
  kLc,
  kWlc,
  kLblc,
  kSh,
  kMh,
  kDh,
  kFo,
  kOvf,
  kLblcr,
  kSed,
  kNq,
  kTwos,
};

enum class Method : std::uint8_t { kNat, kDr, kTun, kFullNat };
enum class TunnelType : std::uint8_t { kIpip, kGue, kGre };
enum class TunnelChecksum : std::uint8_t { kNone, kAll, kRemote };

/// Whether the port may be another one behind the balancer.
constexpr bool translates(Method method) {
  return method == Method::kNat || method == Method::kFullNat;
}

/// How FULLNAT's real servers are told who the client is.
enum class ClientAddress : std::uint8_t { kUntold, kToa, kProxyProtocol };

/// What lb_kind and lvs_method say.
struct Forwarding {
  Method method = Method::kNat;
  TunnelType tunnel = TunnelType::kIpip;  ///< Of TUN, as are the next two.
  std::uint16_t gue_port = 0;
  TunnelChecksum checksum = TunnelChecksum::kNone;
  ClientAddress client_address = ClientAddress::kUntold;  ///< Of FULLNAT.
  friend bool operator==(const Forwarding&, const Forwarding&) = default;
};

/// An address and port; port 0 = none given.
struct Target {
  net::IpAddr address;
  std::uint16_t port = 0;
  friend bool operator==(const Target&, const Target&) = default;
};

/// What every checker has. Resolved: own > real server > virtual server > default of its kind.
struct CheckOptions {
  Setting<net::IpAddr> connect_ip;      ///< Resolved: the real server's address.
  Setting<std::uint16_t> connect_port;  ///< Resolved: the real server's port.
  std::optional<net::IpAddr> bindto;
  std::uint16_t bind_port = 0;  ///< 0 = any.
  std::string bind_if;
  Setting<std::uint64_t> connect_timeout_us{5 * kSecondUs};
  Setting<std::uint32_t> retry{1};  ///< Failures beyond the first before it is down.
  Setting<std::uint64_t> delay_before_retry_us{kSecondUs};
  Setting<std::uint64_t> warmup_us{60 * kSecondUs};
  Setting<std::uint64_t> delay_loop_us{60 * kSecondUs};
  Setting<bool> alpha{false};  ///< Starts down.
  Setting<bool> log_all_failures{false};
  Position position;

  friend bool operator==(const CheckOptions&, const CheckOptions&) = default;
};

struct TcpCheck {
  CheckOptions options;
  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

/// An inclusive range of HTTP status codes, 100..599.
struct StatusRange {
  std::uint16_t first = 200;
  std::uint16_t last = 299;
  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

struct HttpUrl {
  std::string path;
  std::optional<std::array<std::uint8_t, 16>> digest;  ///< MD5 of the body.
  std::vector<StatusRange> status_codes;               ///< Resolved: never empty.
  std::string virtualhost;  ///< Resolved: url > checker > real > virtual server; may be empty.
  std::string regex;        ///< PCRE2; empty = not checked.
  std::vector<std::string> regex_options;
  bool regex_no_match = false;
  std::uint64_t regex_min_offset_bytes = 0;
  std::uint64_t regex_max_offset_bytes = 0;  ///< 0 = no limit.
  Position position;
  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

enum class HttpProtocol : std::uint8_t { k10, k10Close, k11 };

struct HttpCheck {
  CheckOptions options;
  bool is_ssl = false;  ///< SSL_GET.
  std::vector<HttpUrl> urls;
  HttpProtocol protocol = HttpProtocol::k10;
  Setting<std::string> virtualhost;
  bool enable_sni = false;
  std::string sni_name;
  bool fast_recovery = false;
  bool tls_compliant = false;
  friend bool operator==(const HttpCheck&, const HttpCheck&) = default;
};

enum class OtherKind : std::uint8_t { kSmtp, kDns, kMisc, kUdp, kPing, kFile, kBfd };

/// A checker that is read but not run yet: its real server counts as up.
struct OtherCheck {
  OtherKind kind = OtherKind::kMisc;
  CheckOptions options;
  Command misc_path;                  ///< MISC_CHECK only.
  std::uint64_t misc_timeout_us = 0;  ///< 0 = delay_loop.
  bool misc_dynamic = false;
  friend bool operator==(const OtherCheck&, const OtherCheck&) = default;
};

using Checker = std::variant<TcpCheck, HttpCheck, OtherCheck>;

inline const CheckOptions& options_of(const Checker& checker) {
  return std::visit([](const auto& check) -> const CheckOptions& { return check.options; },
                    checker);
}
inline CheckOptions& options_of(Checker& checker) {
  return const_cast<CheckOptions&>(options_of(std::as_const(checker)));
}

/// What a virtual server hands down to its real servers and their checkers.
struct InheritedOptions {
  Setting<std::uint64_t> delay_loop_us{60 * kSecondUs};
  Setting<std::uint32_t> retry{1};
  Setting<std::uint64_t> delay_before_retry_us{kSecondUs};
  Setting<std::uint64_t> warmup_us{60 * kSecondUs};
  Setting<std::uint64_t> connect_timeout_us{5 * kSecondUs};
  Setting<std::uint32_t> weight{1};
  Setting<bool> alpha{false};
  Setting<bool> inhibit_on_failure{false};
  Setting<std::string> virtualhost;
  Setting<Forwarding> forwarding;

  friend bool operator==(const InheritedOptions&, const InheritedOptions&) = default;
};

struct RealServer {
  net::IpAddr address;
  std::uint16_t port = 0;  ///< Resolved: never 0 in a configuration that can run.
  Position position;
  InheritedOptions options;           ///< Own values, else the virtual server's.
  std::uint32_t upper_threshold = 0;  ///< Connections; 0 = off.
  std::uint32_t lower_threshold = 0;
  Command notify_up, notify_down;
  Setting<bool> smtp_alert{true};
  std::vector<Checker> checkers;  ///< Empty = always up; several = all must be up.

  std::uint32_t weight() const { return options.weight; }
  const Forwarding& forwarding() const { return options.forwarding.value(); }
  Method method() const { return forwarding().method; }
  bool inhibit_on_failure() const { return options.inhibit_on_failure; }
  bool alpha() const { return options.alpha; }
  friend bool operator==(const RealServer&, const RealServer&) = default;
};

struct Persistence {
  std::uint64_t timeout_us = 360 * kSecondUs;
  std::uint8_t granularity = 32;  ///< Prefix length of the client address.
  std::string engine;
  friend bool operator==(const Persistence&, const Persistence&) = default;
};

struct SorryServer {
  Target target;  ///< Resolved: the port is the virtual server's when not given.
  Forwarding forwarding;
  bool is_inhibited = false;  ///< sorry_server_inhibit.
  Position position;
  friend bool operator==(const SorryServer&, const SorryServer&) = default;
};

/// `allow` and `deny`: networks whose clients a service admits or not.
struct AccessRule {
  net::Prefix network;
  bool allow = false;
  friend bool operator==(const AccessRule&, const AccessRule&) = default;
};
/// Shared by the addresses of a group, as there may be very many.
struct AccessRules {
  std::shared_ptr<const std::vector<AccessRule>> list;  ///< nullptr: everybody is admitted.
  friend bool operator==(const AccessRules& a, const AccessRules& b) {
    return a.list == b.list || (a.list && b.list && *a.list == *b.list);
  }
};

/// `client_rate`: new connections of one client.
struct ClientRate {
  std::uint32_t per_s = 0;  ///< 0: as many as it likes.
  std::uint32_t burst = 0;
  friend bool operator==(const ClientRate&, const ClientRate&) = default;
};

/// One address and port. Groups are expanded: each of their addresses is one of these.
struct VirtualServer {
  net::IpAddr address;
  std::uint16_t port = 0;
  Position position;
  Setting<net::Protocol> protocol{net::Protocol::kUdp};  ///< Unwritten = UDP, with an error.
  Setting<Scheduler> scheduler{Scheduler::kWlc};
  bool hash_port = false;      ///< sh-port, mh-port, flag-2.
  bool hash_fallback = false;  ///< sh-fallback, mh-fallback, flag-1.
  bool one_packet = false;     ///< ops.
  bool syn_proxy = false;
  InheritedOptions options;
  std::optional<Persistence> persistence;
  AccessRules access;
  ClientRate client_rate;
  std::uint32_t quorum = 1;
  std::uint32_t hysteresis = 0;
  Command quorum_up, quorum_down;
  bool omega = false;
  bool ha_suspend = false;
  Setting<bool> smtp_alert{false};
  std::optional<SorryServer> sorry_server;
  std::vector<RealServer> real_servers;  ///< Never empty.

  const Forwarding& forwarding() const { return options.forwarding.value(); }
  std::uint64_t delay_loop_us() const { return options.delay_loop_us; }
  friend bool operator==(const VirtualServer&, const VirtualServer&) = default;
};

}  // namespace keepline::config
