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
  report.config_loaded_unix_s = 1'700'000'000;
  report.reloads = 3;
  report.reloads_refused = 1;
  report.last_reload_refused = true;
  report.mode = "full";
  report.workers = {{0, 2, 100, 3200, 12.5, {{"no_service", 3}, {"ttl", 0}}, {{"reclaimed", 5}}}};
  report.ports = {{"eth1", "af_xdp", "02:00:00:00:00:01", true, false, 10, 20, 1, 2}};
  report.control_lag_us = 12;
  report.control_lag_max_us = 850;
  report.connection_capacity = 1048576;
  report.bytes_per_connection4 = 80;
  report.bytes_per_connection6 = 144;
  report.index_load_percent = 52;
  return report;
}

inline LcoresReport sample_lcores() {
  LcoreReport first{0,
                    1,
                    1000,
                    123456,
                    12,
                    40,
                    99.6,
                    7e3,
                    0.4,
                    500000,
                    250,
                    30,
                    12.5,
                    {{"no_route", 2}, {"too_big", 3}},
                    {{"eth0", 600, 500}, {"eth1", 400, 480}}};
  LcoreReport second;
  second.worker = 1;
  second.lcore = 2;
  return {{first, second}};
}

inline RealReport sample_real(const char* address, std::int64_t weight, std::uint64_t active,
                              std::uint64_t inactive) {
  return {address, 80, "Masq", weight, active, inactive, "up", true, false, {}, {}};
}

inline ServicesReport sample_services() {
  ServiceReport web{"TCP", "10.230.0.100", 80, "rr", "", {}, {}, {}};
  web.reals = {sample_real("10.230.1.20", 1, 10, 43), sample_real("10.230.1.21", 2, 10, 44)};
  web.stats = {107, 91829, 91757, 8248936, 19666271};
  web.reals[0].stats = {53, 45914, 45878, 4124476, 9833187};
  web.reals[1].stats = {54, 45915, 45879, 4124460, 9833084};
  web.rates = {8.7, 7906.1, 7901.4, 710285.2, 1693686};
  web.reals[0].rates = {4.4, 3953, 3950.5, 355150, 846851};
  web.reals[1].rates = {4.3, 3953.1, 3950.9, 355135.9, 846835};
  ServiceReport sticky{"TCP", "10.230.0.100", 81, "wrr", "persistent 120", {}, {}, {}};
  sticky.reals = {sample_real("10.230.1.20", 1, 0, 0)};
  sticky.reals[0].forward = "Route";
  ServiceReport dns{"UDP", "10.230.0.100", 53, "wlc", "", {}, {}, {}};
  dns.reals = {{"10.230.1.20", 53, "Masq", 1, 0, 0, "down", false, false, {}, {}},
               {"10.230.1.99", 53, "Tunnel", 1, 0, 0, "unchecked", true, true, {}, {}}};
  return {"0.1.0", 4096, {web, sticky, dns}};
}

inline VrrpsReport sample_vrrp() {
  VrrpReport master{"VI_1",
                    "MASTER",
                    "eth0",
                    51,
                    3,
                    150,
                    130,
                    "10.0.0.2",
                    1000000,
                    {"10.0.0.100/24", "10.0.0.101/24"},
                    1000,
                    192,
                    {{"adverts_received", 0}, {"adverts_sent", 12}}};
  VrrpReport backup{"VI_22", "BACKUP", "eth1", 7, 2, 100, 100, "", 10000, {}, 0, 0, {}};
  return {{master, backup}};
}

inline BfdsReport sample_bfd() {
  BfdReport up{"peer",
               "10.0.0.2",
               "10.0.0.1",
               false,
               "Up",
               "No Diagnostic",
               "Up",
               "No Diagnostic",
               258,
               1027,
               10'000,
               30'000,
               90'000,
               3,
               1000,
               61,
               {{"discarded_ttl", 2}, {"received", 20}, {"sent", 21}}};
  BfdReport down;
  down.name = "far";
  down.neighbour = "2001:db8::2";
  down.multihop = true;
  down.state = "Down";
  down.diagnostic = "Control Detection Time Expired";
  down.tx_interval_us = 1'000'000;
  return {{up, down}, {{"unknown_session", 4}, {"udp", 0}}};
}

inline ConnectionPage sample_connections() {
  return {{{"TCP", 899, "ESTABLISHED", "10.230.0.10:48582", "10.230.0.100:80", "10.230.1.21:80"},
           {"TCP", 118, "TIME_WAIT", "10.230.0.10:48402", "10.230.0.100:80", "10.230.1.20:80"},
           {"UDP", 297, "UDP", "10.230.0.10:40003", "10.230.0.100:53", "10.230.1.20:53"}},
          0};
}

inline StagesReport sample_stages_report() {
  WorkerStagesReport busy{0, 1, 10, 320, {}};
  busy.stages = {{"receive", 32000, 100, 50, 25}, {"parse", 96000, 300, 150, 75}};
  return {true, 2'000'000'000, {busy, {1, 2, 0, 0, {}}}};
}

/// A SYN to a service of the master.
inline ExplainReport sample_explain() {
  ExplainReport report;
  report.protocol = "TCP";
  report.source = "198.51.100.7:40000";
  report.destination = "192.0.2.100:80";
  report.outcome = "new_connection";
  report.is_vip = true;
  report.lease_held = true;
  report.instance = "VI_1";
  report.instance_state = "MASTER";
  report.service = "192.0.2.100:80";
  report.scheduler = "wrr";
  report.server = "10.0.0.2:8080";
  report.forward = "Masq";
  report.weight = 3;
  report.worker = 1;
  report.shard = 17;
  report.next_hop = {"found", "eth1", "10.0.0.2", "02:00:00:00:00:02"};
  return report;
}

}  // namespace keepline::api
