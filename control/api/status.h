// What the daemon tells its users: plain reports that control fills from its own state and that
// the API turns into JSON. The CLI reads the JSON back into the same types.
//
// PURE, values only. Addresses are text here because this is where text begins.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace keepline::api {

using Counters = std::map<std::string, std::uint64_t>;  ///< Name -> count; ordered for people.

struct WorkerReport {
  std::uint32_t id = 0;
  std::uint32_t lcore = 0;
  std::uint64_t bursts = 0;
  std::uint64_t packets = 0;
  double idle_percent = 0;
  Counters drops;
};

struct PortReport {
  std::string name;
  std::string driver;
  std::string mac;
  bool link_up = false;
  std::uint64_t rx_packets = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t rx_missed = 0;
  std::uint64_t tx_missed = 0;
};

/// GET /v1/status
struct StatusReport {
  std::string version;
  std::int64_t pid = 0;
  std::string instance;
  std::uint64_t uptime_s = 0;
  std::string config_path;
  std::string mode;  ///< "full", "vrrp only", "services only".
  std::vector<WorkerReport> workers;
  std::vector<PortReport> ports;
  std::uint64_t control_lag_us = 0;
  std::uint64_t control_lag_max_us = 0;
};

struct RealReport {
  std::string address;
  std::uint16_t port = 0;
  std::string forward;  ///< ipvsadm's words: "Masq", "Route", "Tunnel", "FullNat".
  std::int64_t weight = 0;
  std::uint64_t active = 0;
  std::uint64_t inactive = 0;
  std::string health;  ///< "up", "down", "unchecked".
  bool in_pool = false;
  bool is_sorry = false;
};

struct ServiceReport {
  std::string protocol;  ///< "TCP", "UDP", "SCTP".
  std::string vip;
  std::uint16_t port = 0;
  std::string scheduler;
  std::string flags;  ///< ipvsadm's words after the scheduler: "persistent 120", "ops".
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::vector<RealReport> reals;
};

/// GET /v1/services
struct ServicesReport {
  std::string version;
  std::uint64_t connection_table_size = 0;
  std::vector<ServiceReport> services;
};

struct VrrpReport {
  std::string name;
  std::string state;  ///< "INIT", "BACKUP", "MASTER", "FAULT".
  std::string interface;
  std::uint16_t vrid = 0;
  std::uint16_t version = 0;
  std::uint16_t priority = 0;
  std::uint16_t effective_priority = 0;
  std::string master_address;
  std::uint64_t advert_interval_us = 0;
  std::vector<std::string> vips;
  std::int64_t since_unix_s = 0;  ///< The last transition, seconds since 1970; 0 = none.
  Counters statistics;
};

/// GET /v1/vrrp
struct VrrpsReport {
  std::vector<VrrpReport> instances;
};

struct ConnectionReport {
  std::string protocol;
  std::uint32_t expires_s = 0;
  std::string state;        ///< "ESTABLISHED", "TIME_WAIT", "UDP"...
  std::string client;       ///< address:port, as are the next two.
  std::string virtual_end;  ///< "virtual" in JSON.
  std::string destination;
};

/// Part of GET /v1/connections, which is streamed.
struct ConnectionPage {
  std::vector<ConnectionReport> connections;
  std::uint64_t next_cursor = 0;  ///< 0 = this was the last page.
};

}  // namespace keepline::api
