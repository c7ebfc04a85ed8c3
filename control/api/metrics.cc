#include "control/api/metrics.h"

#include <cstdio>
#include <utility>

namespace keepline::api {

namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// Backslash, quote and line feed are escaped in a label's value.
void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
}

std::string number(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.17g", value);
  return digits;
}

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

/// What is summed up of a service, or a real server.
struct Family {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::string (*of_service)(const ServiceReport&);  ///< nullptr: of real servers.
  std::string (*of_server)(const RealReport&);
  std::string_view direction;  ///< Its label; empty: none.
  bool goes_on;                ///< Of the family before, with another label.
};

constexpr std::string_view kCounter = "counter";
constexpr std::string_view kGauge = "gauge";

#define KEEPLINE_SERVICE(name, help, member, direction, goes_on)                                   \
  {                                                                                                \
    "keepline_service_" name, kCounter, help,                                                      \
        [](const ServiceReport& s) { return number(s.stats.member); }, nullptr, direction, goes_on \
  }
#define KEEPLINE_SERVER(name, type, help, expression, direction, goes_on)                         \
  {                                                                                               \
    "keepline_server_" name, type, help, nullptr,                                                 \
        [](const RealReport& r) { return number(std::uint64_t{expression}); }, direction, goes_on \
  }

constexpr Family kFamilies[] = {
    KEEPLINE_SERVICE("connections_total", "Connections since the start.", connections, "", false),
    KEEPLINE_SERVICE("packets_total", "Packets from and to clients.", packets_in, "in", false),
    KEEPLINE_SERVICE("packets_total", "", packets_out, "out", true),
    KEEPLINE_SERVICE("bytes_total", "Bytes from the IP header on.", bytes_in, "in", false),
    KEEPLINE_SERVICE("bytes_total", "", bytes_out, "out", true),
    KEEPLINE_SERVER("up", kGauge, "1 unless its checks fail.", r.health != "down", "", false),
    KEEPLINE_SERVER("in_pool", kGauge, "Whether it may have connections.", r.in_pool, "", false),
    {"keepline_server_weight", kGauge, "Its weight as it is now.", nullptr,
     [](const RealReport& r) { return std::to_string(r.weight); }, "", false},
    KEEPLINE_SERVER("active_connections", kGauge, "Established ones.", r.active, "", false),
    KEEPLINE_SERVER("inactive_connections", kGauge, "All others.", r.inactive, "", false),
    KEEPLINE_SERVER("local_ports", kGauge, "Connections that FULLNAT can have to it at a time.",
                    r.local_ports, "", false),
    KEEPLINE_SERVER("connections_total", kCounter, "Connections since the start.",
                    r.stats.connections, "", false),
    KEEPLINE_SERVER("packets_total", kCounter, "Packets to and from it.", r.stats.packets_in, "in",
                    false),
    KEEPLINE_SERVER("packets_total", kCounter, "", r.stats.packets_out, "out", true),
    KEEPLINE_SERVER("bytes_total", kCounter, "Bytes from the IP header on.", r.stats.bytes_in, "in",
                    false),
    KEEPLINE_SERVER("bytes_total", kCounter, "", r.stats.bytes_out, "out", true),
};

#undef KEEPLINE_SERVICE
#undef KEEPLINE_SERVER

Labels labels_of(const ServiceReport& service, const Family& family) {
  Labels labels = {
      {"protocol", service.protocol}, {"vip", service.vip}, {"port", std::to_string(service.port)}};
  if (!family.direction.empty()) labels.emplace_back("direction", family.direction);
  return labels;
}

}  // namespace

/// Appends lines of the format to a text.
class MetricsWriter::Lines {
 public:
  explicit Lines(std::string& text) : text_(text) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    text_.append(name).append(" ").append(type).append("\n");
  }
  void sample(std::string_view name, const Labels& labels, const std::string& value) {
    text_ += name;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      text_ += i == 0 ? '{' : ',';
      text_.append(labels[i].first).append("=\"");
      append_escaped(text_, labels[i].second);
      text_ += '"';
    }
    if (!labels.empty()) text_ += '}';
    text_.append(" ").append(value).append("\n");
    ++count_;
  }
  void single(std::string_view name, std::string_view type, std::string_view help,
              const std::string& value) {
    family(name, type, help);
    sample(name, {}, value);
  }
  std::size_t count() const { return count_; }

 private:
  std::string& text_;
  std::size_t count_ = 0;
};

MetricsWriter::MetricsWriter(StatusReport status, LcoresReport lcores, VrrpsReport vrrp,
                             BfdsReport bfd)
    : status_(std::move(status)),
      lcores_(std::move(lcores)),
      vrrp_(std::move(vrrp)),
      bfd_(std::move(bfd)) {}

void MetricsWriter::add(ServiceReport service) {
  if (services_.size() >= kMaxServices || servers_ + service.reals.size() > kMaxServers) {
    left_out_ += 1 + service.reals.size();
    return;
  }
  servers_ += service.reals.size();
  services_.push_back(std::move(service));
}

auto MetricsWriter::write_piece() -> Piece {
  if (!std::exchange(head_written_, true)) {
    write_daemon();
    write_workers();
    write_ports();
    write_vrrp();
    if (!bfd_.sessions.empty()) write_bfd();
    return Piece::kMore;
  }
  Lines lines(text_);
  for (; family_ < std::size(kFamilies); ++family_, service_ = 0) {
    const Family& family = kFamilies[family_];
    if (service_ == 0 && !family.goes_on) lines.family(family.name, family.type, family.help);
    for (; service_ < services_.size(); ++service_) {
      if (lines.count() >= kLinesPerPiece) return Piece::kMore;
      const ServiceReport& service = services_[service_];
      Labels labels = labels_of(service, family);
      if (family.of_service != nullptr) {
        lines.sample(family.name, labels, family.of_service(service));
        continue;
      }
      labels.emplace_back("server", "");
      labels.emplace_back("server_port", "");
      for (const RealReport& real : service.reals) {
        labels[labels.size() - 2].second = real.address;
        labels.back().second = std::to_string(real.port);
        lines.sample(family.name, labels, family.of_server(real));
      }
    }
  }
  return Piece::kLast;
}

void MetricsWriter::write_daemon() {
  Lines lines(text_);
  lines.family("keepline_info", kGauge, "1, with what runs here.");
  lines.sample(
      "keepline_info",
      {{"version", status_.version}, {"instance", status_.instance}, {"mode", status_.mode}}, "1");
  lines.single("keepline_uptime_seconds", kGauge, "Since the daemon's start.",
               number(status_.uptime_s));
  lines.single("keepline_reloads_total", kCounter, "Configurations that a reload has applied.",
               number(status_.reloads));
  lines.single("keepline_reloads_refused_total", kCounter, "Those that could not run.",
               number(status_.reloads_refused));
  lines.single("keepline_last_reload_successful", kGauge,
               "0 when what is in the file does not run.",
               number(std::uint64_t{status_.last_reload_refused ? 0u : 1u}));
  lines.single("keepline_config_loaded_timestamp_seconds", kGauge,
               "When the configuration was read that runs.",
               number(static_cast<std::uint64_t>(status_.config_loaded_unix_s)));
  lines.single("keepline_control_lag_seconds", kGauge, "How late the control thread ran lately.",
               number(static_cast<double>(status_.control_lag_us) / 1e6));
  lines.single("keepline_control_lag_max_seconds", kGauge, "The worst of that since the start.",
               number(static_cast<double>(status_.control_lag_max_us) / 1e6));
  lines.single("keepline_connection_capacity", kGauge,
               "Connections that fit into the tables, of each family.",
               number(status_.connection_capacity));
  lines.single("keepline_series_left_out", kGauge,
               "Services and servers beyond the bound, without series of their own.",
               number(std::uint64_t{left_out_}));
}

void MetricsWriter::write_workers() {
  struct Figure {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    std::uint64_t LcoreReport::*member;
  };
  constexpr Figure kFigures[] = {
      {"keepline_packets_total", kCounter, "Frames looked at.", &LcoreReport::packets},
      {"keepline_bytes_total", kCounter, "Of these, Ethernet header included.",
       &LcoreReport::bytes},
      {"keepline_connections", kGauge, "In the tables right now.", &LcoreReport::connections},
      {"keepline_connections_created_total", kCounter, "Connections since the start.",
       &LcoreReport::created},
      {"keepline_turns_total", kCounter, "Rounds of the worker's loop.", &LcoreReport::turns},
      {"keepline_busy_turns_total", kCounter, "Rounds with something to do.",
       &LcoreReport::busy_turns},
      {"keepline_sleeps_total", kCounter, "Naps of an idle worker.", &LcoreReport::sleeps}};
  Lines lines(text_);
  for (const Figure& figure : kFigures) {
    lines.family(figure.name, figure.type, figure.help);
    for (const LcoreReport& lcore : lcores_.lcores) {
      lines.sample(figure.name, {{"worker", std::to_string(lcore.worker)}},
                   number(lcore.*figure.member));
    }
  }
  lines.family("keepline_drops_total", kCounter, "Frames dropped, by reason.");
  for (const LcoreReport& lcore : lcores_.lcores) {
    for (const auto& [reason, count] : lcore.drops) {
      lines.sample("keepline_drops_total",
                   {{"worker", std::to_string(lcore.worker)}, {"reason", reason}}, number(count));
    }
  }
  lines.family("keepline_half_open_connections", kGauge, "Those that nobody has answered yet.");
  for (const WorkerReport& worker : status_.workers) {
    const auto found = worker.flows.find("half_open");
    if (found == worker.flows.end()) continue;
    lines.sample("keepline_half_open_connections", {{"worker", std::to_string(worker.id)}},
                 number(found->second));
  }
  lines.family("keepline_flow_events_total", kCounter, "What else happened to packets.");
  for (const WorkerReport& worker : status_.workers) {
    for (const auto& [event, count] : worker.flows) {
      if (event == "half_open") continue;
      lines.sample("keepline_flow_events_total",
                   {{"worker", std::to_string(worker.id)}, {"event", event}}, number(count));
    }
  }
}

void MetricsWriter::write_ports() {
  Lines lines(text_);
  lines.family("keepline_port_up", kGauge, "Whether the link is up.");
  for (const PortReport& port : status_.ports) {
    lines.sample("keepline_port_up", {{"port", port.name}}, port.link_up ? "1" : "0");
  }
  lines.family("keepline_port_needs_restart", kGauge,
               "Whether its interface was removed, so that one of that name is not attached.");
  for (const PortReport& port : status_.ports) {
    lines.sample("keepline_port_needs_restart", {{"port", port.name}},
                 port.needs_restart ? "1" : "0");
  }
  lines.family("keepline_port_packets_total", kCounter, "Frames through the port.");
  for (const PortReport& port : status_.ports) {
    lines.sample("keepline_port_packets_total", {{"port", port.name}, {"direction", "in"}},
                 number(port.rx_packets));
    lines.sample("keepline_port_packets_total", {{"port", port.name}, {"direction", "out"}},
                 number(port.tx_packets));
  }
  lines.family("keepline_port_missed_total", kCounter, "Frames that the driver had no room for.");
  for (const PortReport& port : status_.ports) {
    lines.sample("keepline_port_missed_total", {{"port", port.name}}, number(port.rx_missed));
  }
}

void MetricsWriter::write_vrrp() {
  Lines lines(text_);
  const auto labels = [](const VrrpReport& instance) -> Labels {
    return {{"name", instance.name},
            {"interface", instance.interface},
            {"vrid", std::to_string(instance.vrid)}};
  };
  lines.family("keepline_vrrp_state", kGauge, "1 for the state that the instance is in.");
  for (const VrrpReport& instance : vrrp_.instances) {
    for (const char* state : {"INIT", "BACKUP", "MASTER", "FAULT"}) {
      Labels all = labels(instance);
      all.emplace_back("state", state);
      lines.sample("keepline_vrrp_state", all, instance.state == state ? "1" : "0");
    }
  }
  lines.family("keepline_vrrp_priority", kGauge, "The priority as it is now.");
  for (const VrrpReport& instance : vrrp_.instances) {
    lines.sample("keepline_vrrp_priority", labels(instance),
                 number(std::uint64_t{instance.effective_priority}));
  }
  lines.family("keepline_vrrp_events_total", kCounter, "Adverts, changes and errors.");
  for (const VrrpReport& instance : vrrp_.instances) {
    for (const auto& [event, count] : instance.statistics) {
      Labels all = labels(instance);
      all.emplace_back("event", event);
      lines.sample("keepline_vrrp_events_total", all, number(count));
    }
  }
}

void MetricsWriter::write_bfd() {
  Lines lines(text_);
  const auto labels = [](const BfdReport& session) -> Labels {
    return {{"name", session.name}, {"neighbour", session.neighbour}};
  };
  lines.family("keepline_bfd_up", kGauge, "1 while the session is Up.");
  for (const BfdReport& session : bfd_.sessions) {
    lines.sample("keepline_bfd_up", labels(session), session.state == "Up" ? "1" : "0");
  }
  lines.family("keepline_bfd_detection_time_seconds", kGauge,
               "After so much silence the neighbour is down; 0: it is not heard.");
  for (const BfdReport& session : bfd_.sessions) {
    lines.sample("keepline_bfd_detection_time_seconds", labels(session),
                 number(static_cast<double>(session.detection_time_us) / 1e6));
  }
  lines.family("keepline_bfd_events_total", kCounter, "Packets sent, used and discarded.");
  for (const BfdReport& session : bfd_.sessions) {
    for (const auto& [event, count] : session.counters) {
      Labels all = labels(session);
      all.emplace_back("event", event);
      lines.sample("keepline_bfd_events_total", all, number(count));
    }
  }
  lines.family("keepline_bfd_unclaimed_total", kCounter, "Discarded packets of no session.");
  for (const auto& [reason, count] : bfd_.unclaimed) {
    lines.sample("keepline_bfd_unclaimed_total", {{"reason", reason}}, number(count));
  }
}

}  // namespace keepline::api
