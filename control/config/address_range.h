// Ranges of addresses as keepalived writes them: IP, A.B.C.D-N, IP1-IP2 or IP/LEN.
//
// PURE.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/net/addr.h"

namespace keepline::config {

inline constexpr const char* kRangeForms = "IP, A.B.C.D-N, IP1-IP2 or IP/LEN";

struct AddressRange {
  net::IpAddr first;
  std::uint64_t count = 1;

  /// The address `offset` places after the first; nothing: there is none.
  std::optional<net::IpAddr> at(std::uint32_t offset) const;
};

/// Nothing: the text is no range.
std::optional<AddressRange> parse_range(const std::string& text);

/// ADDRESS or ADDRESS/LENGTH; nothing: the text is none, or has host bits.
std::optional<net::Prefix> parse_network(const std::string& text);

}  // namespace keepline::config
