// The typed configuration of BFD: bfd_instance.
//
// PURE. Plain values as they are after reading. Equality ignores positions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/config/diagnostic.h"
#include "control/config/setting.h"
#include "dataplane/net/addr.h"

namespace keepline::config {

/// One session with one neighbour.
struct BfdInstance {
  std::string name;  ///< At most 31 bytes.
  Position position;
  net::IpAddr neighbour;              ///< No other instance's.
  std::optional<net::IpAddr> source;  ///< Of the same family; none: that of the way out.
  std::uint32_t min_rx_ms = 10;       ///< 1..4294967, as are the next two
  std::uint32_t min_tx_ms = 10;
  std::uint32_t idle_tx_ms = 1000;  ///< At least 1000.
  std::uint8_t multiplier = 5;      ///< 1..255
  bool is_passive = false;
  bool is_multihop = false;
  std::uint8_t ttl = 255;             ///< 1..255
  Setting<std::int16_t> max_hops{0};  ///< -1: any number; at most ttl.
  int weight = 0;                     ///< -253..253
  bool is_reversed = false;
  bool tells_vrrp = true;
  bool tells_checkers = true;

  friend bool operator==(const BfdInstance&, const BfdInstance&) = default;
};

}  // namespace keepline::config
