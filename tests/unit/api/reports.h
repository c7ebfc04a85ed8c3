// Reports with every member set to something that is not its default, shared by the API tests.
#pragma once

#include "control/api/status.h"

namespace keepline::api {

inline StatusReport sample_status() {
  StatusReport report;
  report.version = "1.2.3";
  report.pid = 4711;
  report.instance = "keepline";
  report.uptime_s = 93784;
  report.config_path = "/etc/keepalived/keepalived.conf";
  report.mode = "full";
  report.workers = {{0, 2, 100, 3200, 12.5, {{"no_service", 3}, {"ttl", 0}}}};
  report.ports = {{"eth1", "af_xdp", "02:00:00:00:00:01", true, 10, 20, 1, 2}};
  report.control_lag_us = 12;
  report.control_lag_max_us = 850;
  return report;
}

inline RealReport sample_real(const char* address, std::int64_t weight, std::uint64_t active,
                              std::uint64_t inactive) {
  return {address, 80, "Masq", weight, active, inactive, "up", true, false};
}

inline ServicesReport sample_services() {
  ServiceReport web{"TCP", "10.230.0.100", 80, "rr", "", 7, 900, {}};
  web.reals = {sample_real("10.230.1.20", 1, 10, 43), sample_real("10.230.1.21", 2, 10, 44)};
  ServiceReport sticky{"TCP", "10.230.0.100", 81, "wrr", "persistent 120", 0, 0, {}};
  sticky.reals = {sample_real("10.230.1.20", 1, 0, 0)};
  sticky.reals[0].forward = "Route";
  ServiceReport dns{"UDP", "10.230.0.100", 53, "wlc", "", 0, 0, {}};
  dns.reals = {{"10.230.1.20", 53, "Masq", 1, 0, 0, "down", false, false},
               {"10.230.1.99", 53, "Tunnel", 1, 0, 0, "unchecked", true, true}};
  return {"0.1.0", 4096, {web, sticky, dns}};
}

inline VrrpsReport sample_vrrp() {
  VrrpReport master{"VI_1",  "MASTER",
                    "eth0",  51,
                    3,       150,
                    130,     "10.0.0.2",
                    1000000, {"10.0.0.100/24", "10.0.0.101/24"},
                    1000,    {{"adverts_received", 0}, {"adverts_sent", 12}}};
  VrrpReport backup{"VI_22", "BACKUP", "eth1", 7, 2, 100, 100, "", 10000, {}, 0, {}};
  return {{master, backup}};
}

inline ConnectionPage sample_connections() {
  return {{{"TCP", 899, "ESTABLISHED", "10.230.0.10:48582", "10.230.0.100:80", "10.230.1.21:80"},
           {"TCP", 118, "TIME_WAIT", "10.230.0.10:48402", "10.230.0.100:80", "10.230.1.20:80"},
           {"UDP", 297, "UDP", "10.230.0.10:40003", "10.230.0.100:53", "10.230.1.20:53"}},
          0};
}

}  // namespace keepline::api
