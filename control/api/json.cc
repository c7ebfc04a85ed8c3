// JSON for the reports, driven by the list of their members. PURE; any thread.
#include "control/api/json.h"

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cmath>
#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>

namespace keepline::api {

// The order here is the order in the JSON text.
BOOST_DESCRIBE_STRUCT(WorkerReport, (), (id, lcore, bursts, packets, idle_percent, drops, flows))
BOOST_DESCRIBE_STRUCT(PortReport, (),
                      (name, driver, mac, link_up, needs_restart, rx_packets, tx_packets, rx_missed,
                       tx_missed))
BOOST_DESCRIBE_STRUCT(StatusReport, (),
                      (version, pid, instance, uptime_s, config_path, mode, config_loaded_unix_s,
                       reloads, reloads_refused, last_reload_refused, workers, ports,
                       control_lag_us, control_lag_max_us, connection_capacity,
                       bytes_per_connection4, bytes_per_connection6, index_load_percent))
BOOST_DESCRIBE_STRUCT(ReloadReport, (), (outcome, took_ms, messages))
BOOST_DESCRIBE_STRUCT(FailoverRow, (), (name, outcome))
BOOST_DESCRIBE_STRUCT(FailoverReport, (), (error, instances))
BOOST_DESCRIBE_STRUCT(LcorePortReport, (), (name, received, transmitted))
BOOST_DESCRIBE_STRUCT(LcoreReport, (),
                      (worker, lcore, packets, bytes, connections, created, packets_per_s,
                       bytes_per_s, created_per_s, turns, busy_turns, sleeps, busy_percent, drops,
                       ports))
BOOST_DESCRIBE_STRUCT(LcoresReport, (), (lcores))
BOOST_DESCRIBE_STRUCT(TrafficReport, (),
                      (connections, packets_in, packets_out, bytes_in, bytes_out))
BOOST_DESCRIBE_STRUCT(RateReport, (), (connections, packets_in, packets_out, bytes_in, bytes_out))
BOOST_DESCRIBE_STRUCT(RealReport, (),
                      (address, port, forward, weight, active, inactive, health, in_pool, is_sorry,
                       stats, rates, local_ports))
BOOST_DESCRIBE_STRUCT(ServiceReport, (),
                      (protocol, vip, port, scheduler, flags, stats, rates, reals))
BOOST_DESCRIBE_STRUCT(ServicesReport, (), (version, connection_table_size, services))
BOOST_DESCRIBE_STRUCT(VrrpReport, (),
                      (name, state, interface, vrid, version, priority, effective_priority,
                       master_address, advert_interval_us, vips, since_unix_s, state_age_s,
                       statistics))
BOOST_DESCRIBE_STRUCT(VrrpsReport, (), (instances))
BOOST_DESCRIBE_STRUCT(BfdReport, (),
                      (name, neighbour, source, multihop, state, diagnostic, remote_state,
                       remote_diagnostic, discriminator, remote_discriminator, tx_interval_us,
                       rx_interval_us, detection_time_us, remote_multiplier, since_unix_s,
                       state_age_s, counters))
BOOST_DESCRIBE_STRUCT(BfdsReport, (), (sessions, unclaimed))
BOOST_DESCRIBE_STRUCT(ConnectionReport, (),
                      (protocol, expires_s, state, client, virtual_end, destination, local))
BOOST_DESCRIBE_STRUCT(ConnectionPage, (), (connections))
BOOST_DESCRIBE_STRUCT(StageReport, (),
                      (stage, cycles, cycles_per_packet, ns_per_packet, share_percent))
BOOST_DESCRIBE_STRUCT(WorkerStagesReport, (), (worker, lcore, bursts, packets, stages))
BOOST_DESCRIBE_STRUCT(StagesReport, (), (sampling, cycles_per_s, workers))
BOOST_DESCRIBE_STRUCT(NextHopReport, (), (reach, port, address, mac))
BOOST_DESCRIBE_STRUCT(ExplainReport, (),
                      (protocol, source, destination, outcome, drop, is_vip, lease_held, instance,
                       instance_state, service, scheduler, server, forward, weight, state,
                       remaining_s, worker, shard, next_hop))

namespace {

namespace json = boost::json;

template <typename T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

// "virtual" is no name for a C++ member.
std::string_view key_of(std::string_view member) {
  return member == "virtual_end" ? "virtual" : member;
}

template <typename T>
concept Number = std::integral<T> && !std::same_as<T, bool>;

template <typename T>
requires std::same_as<T, bool> || std::same_as<T, std::string> || Number<T> json::value write(
    const T& value) {
  return json::value(value);
}

// JSON has no word for what comes out of a division by zero.
json::value write(double value) {
  return json::value(std::isfinite(value) ? value : 0.0);
}

json::value write(const Counters& counters) {
  json::object object;
  for (const auto& [name, count] : counters) object.emplace(name, count);
  return object;
}

template <typename T>
json::value write(const std::vector<T>& list);

template <typename T>
requires boost::describe::has_describe_members<T>::value json::value write(const T& report) {
  json::object object;
  boost::mp11::mp_for_each<Members<T>>(
      [&](auto member) { object.emplace(key_of(member.name), write(report.*member.pointer)); });
  return object;
}

template <typename T>
json::value write(const std::vector<T>& list) {
  json::array array;
  array.reserve(list.size());
  for (const T& item : list) array.push_back(write(item));
  return array;
}

enum class Read : std::uint8_t { kOk, kWrongType };

template <Number T>
Read read(const json::value& value, T& out) {
  boost::system::error_code error;
  out = value.to_number<T>(error);  // Refuses fractions and what does not fit.
  return error ? Read::kWrongType : Read::kOk;
}

Read read(const json::value& value, double& out) {
  boost::system::error_code error;
  out = value.to_number<double>(error);
  return error ? Read::kWrongType : Read::kOk;
}

Read read(const json::value& value, bool& out) {
  if (!value.is_bool()) return Read::kWrongType;
  out = value.get_bool();
  return Read::kOk;
}

Read read(const json::value& value, std::string& out) {
  if (!value.is_string()) return Read::kWrongType;
  out = std::string_view(value.get_string());
  return Read::kOk;
}

Read read(const json::value& value, Counters& out) {
  if (!value.is_object()) return Read::kWrongType;
  for (const auto& [name, count] : value.get_object()) {
    if (read(count, out[name]) != Read::kOk) return Read::kWrongType;
  }
  return Read::kOk;
}

template <typename T>
Read read(const json::value& value, std::vector<T>& out);

template <typename T>
requires boost::describe::has_describe_members<T>::value Read read(const json::value& value,
                                                                   T& out) {
  if (!value.is_object()) return Read::kWrongType;
  Read result = Read::kOk;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    const json::value* found = value.get_object().if_contains(key_of(member.name));
    if (found != nullptr && read(*found, out.*member.pointer) != Read::kOk) {
      result = Read::kWrongType;
    }
  });
  return result;
}

template <typename T>
Read read(const json::value& value, std::vector<T>& out) {
  if (!value.is_array()) return Read::kWrongType;
  out.clear();
  for (const json::value& item : value.get_array()) {
    if (read(item, out.emplace_back()) != Read::kOk) return Read::kWrongType;
  }
  return Read::kOk;
}

template <typename T>
std::optional<T> read_report(const json::value& value) {
  T report;
  if (read(value, report) != Read::kOk) return std::nullopt;
  return report;
}

}  // namespace

json::value to_json(const StatusReport& report) {
  return write(report);
}
json::value to_json(const LcoresReport& report) {
  return write(report);
}
json::value to_json(const ServicesReport& report) {
  return write(report);
}
json::value to_json(const ServiceReport& report) {
  return write(report);
}
json::value to_json(const VrrpsReport& report) {
  return write(report);
}
json::value to_json(const BfdsReport& report) {
  return write(report);
}
json::value to_json(const ConnectionReport& report) {
  return write(report);
}
json::value to_json(const ConnectionPage& page) {
  return write(page);
}
json::value to_json(const StagesReport& report) {
  return write(report);
}

json::value to_json(const ReloadReport& report) {
  return write(report);
}

json::value to_json(const FailoverReport& report) {
  return write(report);
}
json::value to_json(const ExplainReport& report) {
  return write(report);
}

std::optional<StatusReport> status_from_json(const json::value& value) {
  return read_report<StatusReport>(value);
}

std::optional<LcoresReport> lcores_from_json(const json::value& value) {
  return read_report<LcoresReport>(value);
}

std::optional<ServicesReport> services_from_json(const json::value& value) {
  return read_report<ServicesReport>(value);
}

std::optional<VrrpsReport> vrrp_from_json(const json::value& value) {
  return read_report<VrrpsReport>(value);
}

std::optional<BfdsReport> bfd_from_json(const json::value& value) {
  return read_report<BfdsReport>(value);
}

std::optional<ConnectionPage> connections_from_json(const json::value& value) {
  return read_report<ConnectionPage>(value);
}

std::optional<ReloadReport> reload_from_json(const json::value& value) {
  return read_report<ReloadReport>(value);
}

std::optional<FailoverReport> failover_from_json(const json::value& value) {
  return read_report<FailoverReport>(value);
}

std::optional<StagesReport> stages_from_json(const json::value& value) {
  return read_report<StagesReport>(value);
}

std::optional<ExplainReport> explain_from_json(const json::value& value) {
  return read_report<ExplainReport>(value);
}

}  // namespace keepline::api
