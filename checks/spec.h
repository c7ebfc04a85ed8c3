// What to check: plain values that control fills from the configuration, with all inheritance
// (virtual server -> real server -> checker) already resolved.
//
// PURE. No type of control/config appears here. Two specs that compare equal except for the name
// are one probe with several subscribers.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "checks/damping.h"
#include "checks/http_codec.h"
#include "checks/md5.h"
#include "dataplane/net/addr.h"

namespace keepline::checks {

/// Where a probe connects to: connect_ip and connect_port if given, else the real server.
struct Endpoint {
  net::IpAddr address;
  std::uint16_t port = 0;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

std::string to_string(const Endpoint& endpoint);  ///< "10.0.0.1:80", "[2001:db8::1]:80".

/// TCP_CHECK: connect, then close. Also the connection part of every other TCP based check.
struct TcpTarget {
  Endpoint remote;
  std::optional<net::IpAddr> bind_address;             ///< bindto
  std::uint16_t bind_port = 0;                         ///< 0 = ephemeral.
  Duration connect_timeout = std::chrono::seconds(5);  ///< For the connect and each read.
  friend auto operator<=>(const TcpTarget&, const TcpTarget&) = default;
};

/// An inclusive range of HTTP status codes.
struct StatusRange {
  std::uint16_t first = 200;
  std::uint16_t last = 299;
  friend auto operator<=>(const StatusRange&, const StatusRange&) = default;
};

/// One url block of HTTP_GET.
struct UrlCheck {
  std::string path = "/";
  std::string virtual_host;           ///< Empty = that of the check.
  std::vector<StatusRange> statuses;  ///< Empty = 200-299.
  std::optional<Md5Digest> digest;    ///< Of the body as it comes, chunk headers included.
  friend auto operator<=>(const UrlCheck&, const UrlCheck&) = default;
};

/// HTTP_GET. One url is probed per cycle.
struct HttpTarget {
  TcpTarget connection;
  HttpVersion version = HttpVersion::k10;
  std::string virtual_host;  ///< Checker > real server > virtual server; empty = address:port.
  std::vector<UrlCheck> urls;
  friend auto operator<=>(const HttpTarget&, const HttpTarget&) = default;
};

using Target = std::variant<TcpTarget, HttpTarget>;

/// What makes two checks the same one.
struct CheckKey {
  Target target;
  DampingParams damping;
  friend auto operator<=>(const CheckKey&, const CheckKey&) = default;
};

/// One check of one real server. The name is for people only.
struct CheckSpec {
  CheckKey key;
  std::string name;  ///< e.g. "TCP_CHECK 10.0.0.1:80"; of the first subscriber when shared.
};

/// The length of a round: one step per url, one for everything else.
std::uint32_t steps_of(const Target& target);

}  // namespace keepline::checks
