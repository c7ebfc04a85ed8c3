// Reports as text for a terminal. Services and connections look like `ipvsadm -Ln` (--stats,
// --rate) and -Lnc, column by column, because people and scripts read those.
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

/// What `services` says of them.
enum class Columns : std::uint8_t {
  kServers,  ///< Forwarding, weight and connections.
  kStats,    ///< --stats: what went through since the start.
  kRates,    ///< --rate: the same per second.
};

/// How numbers of --stats and --rate are written.
enum class Numbers : std::uint8_t {
  kShort,  ///< 123456789 is 123456K.
  kExact,
};

struct ServicesView {
  Columns columns = Columns::kServers;
  Reals reals = Reals::kInPool;
  Numbers numbers = Numbers::kShort;
};

std::string render_status(const api::StatusReport& report);
std::string render_lcores(const api::LcoresReport& report);
std::string render_services(const api::ServicesReport& report, const ServicesView& view = {});
std::string render_vrrp(const api::VrrpsReport& report);
std::string render_bfd(const api::BfdsReport& report);
std::string render_connections(const api::ConnectionPage& page);
std::string render_reload(const api::ReloadReport& report);
std::string render_failover(const api::FailoverReport& report);
std::string render_stages(const api::StagesReport& report);
std::string render_explain(const api::ExplainReport& report);

/// "5s", "3m12s", "4h03m", "12d04h".
std::string render_duration(std::uint64_t seconds);

}  // namespace keepline::cli
