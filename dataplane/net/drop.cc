#include "dataplane/net/drop.h"

#include <array>

namespace keepline::net {

std::string_view to_string(Drop reason) {
  static constexpr std::array<std::string_view, kDropReasons> kNames = {
      "none",           "truncated",   "bad_ip_header", "bad_arp",      "not_for_us",
      "unknown",        "fragment",    "not_master",    "bad_icmp",     "no_connection",
      "no_real_server", "server_gone", "no_route",      "no_neighbour", "ttl_expired",
      "too_big",        "denied",      "rate_limited",  "bad_cookie",   "table_full",
      "no_local_port",  "no_headroom", "tx_full",       "control_full", "hand_off_full",
      "not_accepted",
  };
  static_assert(!kNames.back().empty(), "every reason has a name");
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace keepline::net
