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
  Counters flows;  ///< half_open, reclaimed, stateless...; handed_over, taken_over.
};

struct PortReport {
  std::string name;
  std::string driver;
  std::string mac;
  bool link_up = false;
  bool needs_restart = false;  ///< Its interface was removed; one of that name is another one.
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
  std::int64_t config_loaded_unix_s = 0;
  std::uint64_t reloads = 0;
  std::uint64_t reloads_refused = 0;
  bool last_reload_refused = false;  ///< What is in the file does not run.
  std::vector<WorkerReport> workers;
  std::vector<PortReport> ports;
  std::uint64_t control_lag_us = 0;
  std::uint64_t control_lag_max_us = 0;
  std::uint64_t connection_capacity = 0;    ///< Of each family, all workers together.
  std::uint64_t bytes_per_connection4 = 0;  ///< At capacity, index included.
  std::uint64_t bytes_per_connection6 = 0;
  std::uint64_t index_load_percent = 0;  ///< Of the index slots, at capacity.
};

/// POST /v1/reload
struct ReloadReport {
  std::string outcome;  ///< "applied", or "refused": then everything is as it was.
  std::uint64_t took_ms = 0;
  std::vector<std::string> messages;  ///< What there is to say about the file, a line each.
};

/// POST /v1/failover
struct FailoverRow {
  std::string name;
  /// "handed over", "not master", "takes back"; or it failed: "no successor", "lost meanwhile".
  std::string outcome;
};
struct FailoverReport {
  std::string error;  ///< Not empty: why there is no outcome.
  std::vector<FailoverRow> instances;
};

/// Frames of one worker through one port.
struct LcorePortReport {
  std::string name;
  std::uint64_t received = 0;
  std::uint64_t transmitted = 0;
};

struct LcoreReport {
  std::uint32_t worker = 0;
  std::uint32_t lcore = 0;
  std::uint64_t packets = 0;      ///< Frames looked at since the start.
  std::uint64_t bytes = 0;        ///< Of these, Ethernet header included.
  std::uint64_t connections = 0;  ///< In its table right now.
  std::uint64_t created = 0;      ///< Connections since the start.
  double packets_per_s = 0;
  double bytes_per_s = 0;
  double created_per_s = 0;
  std::uint64_t turns = 0;       ///< Rounds of its loop.
  std::uint64_t busy_turns = 0;  ///< Those with something to do.
  std::uint64_t sleeps = 0;
  double busy_percent = 0;  ///< Share of busy turns in the last seconds.
  Counters drops;
  std::vector<LcorePortReport> ports;
};

/// GET /v1/lcores
struct LcoresReport {
  std::vector<LcoreReport> lcores;
};

/// What went through since the start: ipvsadm's Conns, InPkts, OutPkts, InBytes, OutBytes. Bytes
/// from the IP header on.
struct TrafficReport {
  std::uint64_t connections = 0;
  std::uint64_t packets_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

/// The same per second: CPS, InPPS, OutPPS, InBPS, OutBPS.
struct RateReport {
  double connections = 0;
  double packets_in = 0;
  double packets_out = 0;
  double bytes_in = 0;
  double bytes_out = 0;
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
  TrafficReport stats;
  RateReport rates;
  std::uint64_t local_ports = 0;  ///< Connections that FULLNAT can have to it; 0: no FULLNAT.
};

struct ServiceReport {
  std::string protocol;  ///< "TCP", "UDP", "SCTP".
  std::string vip;
  std::uint16_t port = 0;
  std::string scheduler;
  std::string flags;    ///< ipvsadm's words after the scheduler: "persistent 120", "ops".
  TrafficReport stats;  ///< Sums over all real servers, in the pool or not; so are the rates.
  RateReport rates;
  std::vector<RealReport> reals;
};

/// GET /v1/services, which is streamed.
struct ServicesReport {
  std::string version;
  std::uint64_t connection_table_size = 0;
  std::vector<ServiceReport> services;
  std::uint64_t next_cursor = 0;  ///< Not in the JSON; 0 = these were the last ones.
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
  /// The last transition, seconds since 1970 by the wall clock of that moment; 0 = none.
  std::int64_t since_unix_s = 0;
  std::uint64_t state_age_s = 0;  ///< For how long already, whatever became of the wall clock.
  Counters statistics;
};

/// GET /v1/vrrp
struct VrrpsReport {
  std::vector<VrrpReport> instances;
};

/// A BFD session. Intervals are microseconds.
struct BfdReport {
  std::string name;
  std::string neighbour;
  std::string source;  ///< Empty: the address of the way out.
  bool multihop = false;
  std::string state;         ///< "AdminDown", "Down", "Init", "Up"; empty: it does not run.
  std::string diagnostic;    ///< Why it is not Up, in the RFC's words.
  std::string remote_state;  ///< What the neighbour said last; empty: it is not heard.
  std::string remote_diagnostic;
  std::uint64_t discriminator = 0;
  std::uint64_t remote_discriminator = 0;
  std::uint64_t tx_interval_us = 0;     ///< We send at most so often.
  std::uint64_t rx_interval_us = 0;     ///< And the neighbour does; 0: it is not heard.
  std::uint64_t detection_time_us = 0;  ///< The same.
  std::uint64_t remote_multiplier = 0;
  std::int64_t since_unix_s = 0;  ///< The last change of state, seconds since 1970; 0: none.
  std::uint64_t state_age_s = 0;  ///< For how long already, whatever became of the wall clock.
  Counters counters;              ///< sent, unsent, received, and discarded_REASON.
};

/// GET /v1/bfd
struct BfdsReport {
  std::vector<BfdReport> sessions;
  Counters unclaimed;  ///< Discarded packets that were of no session, by reason.
};

struct ConnectionReport {
  std::string protocol;
  std::uint32_t expires_s = 0;
  std::string state;        ///< "ESTABLISHED", "TIME_WAIT", "UDP"...
  std::string client;       ///< address:port, as are the next two.
  std::string virtual_end;  ///< "virtual" in JSON.
  std::string destination;
  std::string local;  ///< Whom FULLNAT's real server takes for the client; empty otherwise.
};

/// Part of GET /v1/connections, which is streamed.
struct ConnectionPage {
  std::vector<ConnectionReport> connections;
  std::uint64_t next_cursor = 0;  ///< 0 = this was the last page.
};

struct StageReport {
  std::string stage;  ///< "receive", "parse", "classify", "lookup", "forward", "transmit".
  std::uint64_t cycles = 0;
  double cycles_per_packet = 0;
  double ns_per_packet = 0;
  double share_percent = 0;  ///< Of the cycles of all stages.
};

/// What sampling has found on one worker.
struct WorkerStagesReport {
  std::uint32_t worker = 0;
  std::uint32_t lcore = 0;
  std::uint64_t bursts = 0;   ///< Sampled.
  std::uint64_t packets = 0;  ///< In these bursts.
  std::vector<StageReport> stages;
};

/// GET /v1/stages
struct StagesReport {
  bool sampling = false;
  std::uint64_t cycles_per_s = 0;
  std::vector<WorkerStagesReport> workers;
};

/// Where a packet goes.
struct NextHopReport {
  std::string reach;    ///< "found", "no_route", "no_neighbour".
  std::string port;     ///< The interface's name.
  std::string address;  ///< The gateway or the destination itself.
  std::string mac;
};

/// GET /v1/explain. Texts are empty where there is nothing to say.
struct ExplainReport {
  std::string protocol;
  std::string source;  ///< address:port, as are the next, the service and the server.
  std::string destination;
  /// "connection", "new_connection", "stateless", "return_traffic", "routed", "dropped", "kernel".
  std::string outcome;
  std::string drop;  ///< The counter's name.
  bool is_vip = false;
  bool lease_held = false;
  std::string instance;  ///< Whose VIP it is.
  std::string instance_state;
  std::string service;
  std::string scheduler;
  std::string server;
  std::string forward;
  std::int64_t weight = 0;
  std::string state;  ///< Of the connection.
  std::uint32_t remaining_s = 0;
  std::uint32_t worker = 0;
  std::uint32_t shard = 0;
  NextHopReport next_hop;
};

}  // namespace keepline::api
