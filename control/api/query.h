// The query of a request: "source=10.0.0.1%3A80&protocol=tcp".
//
// PURE.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/lb/conn/connection_filter.h"
#include "dataplane/net/addr.h"

namespace keepline::api {

using Query = std::map<std::string, std::string, std::less<>>;

/// The members of a target's part behind '?'; nullopt: malformed, or a name given twice.
std::optional<Query> parse_query(std::string_view text);

/// A value as it may stand in a query.
std::string percent_encoded(std::string_view value);

/// What `explain` is asked about: a packet that comes in.
struct ExplainQuery {
  net::Endpoint source;
  net::Endpoint destination;
  net::Protocol protocol = net::Protocol::kTcp;
};

/// "tcp", "udp" in any case.
std::optional<net::Protocol> parse_protocol(std::string_view text);

/// "client=10.0.0.0/8&virtual=192.0.2.1:80&server=:8080&protocol=tcp&state=ESTABLISHED": each of
/// them optional; an end is ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT or :PORT.
struct ParsedConnectionFilter {
  lb::ConnectionFilter filter;
  std::string error;  ///< Not empty: says what is wrong.
};
ParsedConnectionFilter parse_connection_filter(const Query& query);

/// Who hands over: "instance=NAME" (without it all), "back=on" for the reverse.
struct FailoverQuery {
  std::string instance;
  bool is_back = false;
};

/// Frames to be captured: "program=28000000...&count=100&seconds=10&bytes=96", each optional.
struct CaptureQuery {
  static constexpr std::uint32_t kMostSeconds = 3600;
  static constexpr std::uint32_t kMostBytes = 1536;
  /// The filter as the BPF instructions that pcap_compile() makes, eight bytes each; in the query
  /// as hexadecimal. Compiled by who asks: names in it may take long to look up.
  std::string program;
  std::uint64_t count = 0;
  std::uint32_t seconds = 60;
  std::uint32_t bytes = kMostBytes;  ///< Of each frame.
};
struct ParsedCaptureQuery {
  CaptureQuery query;
  std::string error;  ///< Not empty: says what is wrong.
};
ParsedCaptureQuery parse_capture_query(const Query& query);

struct ParsedExplainQuery {
  ExplainQuery query;
  std::string error;  ///< Not empty: says what is wrong.
};
ParsedExplainQuery parse_explain_query(const Query& query);

}  // namespace keepline::api
