// Reports to JSON and back.
//
// PURE. Reading is lenient towards another version of the daemon: unknown members are ignored and
// missing ones keep their default; a member of the wrong type makes the whole reading fail.
#pragma once

#include <boost/json/value.hpp>
#include <optional>

#include "control/api/status.h"

namespace keepline::api {

boost::json::value to_json(const StatusReport& report);
boost::json::value to_json(const LcoresReport& report);
boost::json::value to_json(const ServicesReport& report);
boost::json::value to_json(const ServiceReport& report);
boost::json::value to_json(const VrrpsReport& report);
boost::json::value to_json(const BfdsReport& report);
boost::json::value to_json(const ConnectionReport& report);
boost::json::value to_json(const ConnectionPage& page);
boost::json::value to_json(const StagesReport& report);
boost::json::value to_json(const ReloadReport& report);
boost::json::value to_json(const FailoverReport& report);
boost::json::value to_json(const ExplainReport& report);

std::optional<StatusReport> status_from_json(const boost::json::value& json);
std::optional<LcoresReport> lcores_from_json(const boost::json::value& json);
std::optional<ServicesReport> services_from_json(const boost::json::value& json);
std::optional<VrrpsReport> vrrp_from_json(const boost::json::value& json);
std::optional<BfdsReport> bfd_from_json(const boost::json::value& json);
std::optional<ConnectionPage> connections_from_json(const boost::json::value& json);
std::optional<StagesReport> stages_from_json(const boost::json::value& json);
std::optional<ReloadReport> reload_from_json(const boost::json::value& json);
std::optional<FailoverReport> failover_from_json(const boost::json::value& json);
std::optional<ExplainReport> explain_from_json(const boost::json::value& json);

}  // namespace keepline::api
