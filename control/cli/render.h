// Reports as text for a terminal. Services and connections look like `ipvsadm -Ln` and -Lnc, column
// by column, because people and scripts read those.
//
// PURE: the only clock is an argument.
#pragma once

#include <cstdint>
#include <string>

#include "control/api/status.h"

namespace keepline::cli {

/// Which real servers `services` shows.
enum class Reals : std::uint8_t {
  kInPool,  ///< Like ipvsadm: those that get connections.
  kAll,     ///< Also the failed ones; each row ends with its health.
};

std::string render_status(const api::StatusReport& report);
std::string render_services(const api::ServicesReport& report, Reals reals = Reals::kInPool);
std::string render_vrrp(const api::VrrpsReport& report, std::int64_t now_unix_s);
std::string render_connections(const api::ConnectionPage& page);

/// "5s", "3m12s", "4h03m", "12d04h".
std::string render_duration(std::uint64_t seconds);

}  // namespace keepline::cli
