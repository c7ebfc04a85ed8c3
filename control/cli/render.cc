// See render.h. PURE.
#include "control/cli/render.h"

#include <algorithm>
#include <concepts>
#include <cstdio>
#include <string_view>
#include <vector>

namespace keepline::cli {

namespace {

constexpr std::size_t kColumnGap = 2;

void pad(std::string& text, std::size_t width, std::string_view cell) {
  text.append(cell);
  if (cell.size() < width) text.append(width - cell.size(), ' ');
}

template <std::integral Number>
void pad(std::string& text, std::size_t width, Number number) {
  pad(text, width, std::string_view(std::to_string(number)));
}

/// Rows of cells, each column as wide as its longest cell; the first row is the head.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string text() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string result;
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i + 1 < row.size(); ++i) pad(result, widths[i] + kColumnGap, row[i]);
      result += row.back() + '\n';
    }
    return result;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string endpoint(const std::string& address, std::uint16_t port) {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? '[' + address + ']' : address) + ':' + std::to_string(port);
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string one_decimal(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

// 1000000 -> "1s", 10000 -> "0.01s".
std::string seconds_of(std::uint64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(us) / 1e6);
  std::string result = text;
  result.erase(result.find_last_not_of('0') + 1);
  if (result.back() == '.') result.pop_back();
  return result + 's';
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result.append(result.empty() ? "" : ",").append(word);
  return or_dash(result);
}

std::string non_zero(const api::Counters& counters) {
  std::string result;
  for (const auto& [name, count] : counters) {
    if (count == 0) continue;
    result.append(result.empty() ? "" : " ").append(name).append("=").append(std::to_string(count));
  }
  return result;
}

void render_real(std::string& text, const api::RealReport& real, Reals reals) {
  text += "  -> ";
  pad(text, 28, endpoint(real.address, real.port));
  text += ' ';
  pad(text, 7, real.forward);
  text += ' ';
  pad(text, 6, real.weight);
  text += ' ';
  pad(text, 10, real.active);
  text += ' ';
  pad(text, 10, real.inactive);
  if (reals == Reals::kAll) {
    text += ' ' + real.health;
    if (real.is_sorry) text += ", sorry server";
    if (!real.in_pool) text += ", not in pool";
  }
  text += '\n';
}

}  // namespace

std::string render_services(const api::ServicesReport& report, Reals reals) {
  std::string text = "IP Virtual Server version keepline-" + report.version +
                     " (size=" + std::to_string(report.connection_table_size) + ")\n";
  text += "Prot LocalAddress:Port Scheduler Flags\n";
  text += "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n";
  for (const api::ServiceReport& service : report.services) {
    pad(text, 4, service.protocol);
    text += ' ' + endpoint(service.vip, service.port) + ' ' + service.scheduler;
    if (!service.flags.empty()) text += ' ' + service.flags;
    text += '\n';
    for (const api::RealReport& real : service.reals) {
      if (real.in_pool || reals == Reals::kAll) render_real(text, real, reals);
    }
  }
  return text;
}

std::string render_connections(const api::ConnectionPage& page) {
  std::string text = "IPVS connection entries\n";
  text += "pro expire state       source             virtual            destination\n";
  for (const api::ConnectionReport& connection : page.connections) {
    char expires[32];
    std::snprintf(expires, sizeof expires, "%02u:%02u ", connection.expires_s / 60,
                  connection.expires_s % 60);
    pad(text, 3, connection.protocol);
    text += ' ';
    pad(text, 6, std::string_view(expires));
    text += ' ';
    pad(text, 11, connection.state);
    text += ' ';
    pad(text, 18, connection.client);
    text += ' ';
    pad(text, 18, connection.virtual_end);
    text += ' ' + connection.destination + '\n';
  }
  return text;
}

std::string render_vrrp(const api::VrrpsReport& report, std::int64_t now_unix_s) {
  if (report.instances.empty()) return "no VRRP instances\n";
  Table table({"Instance", "State", "Since", "Interface", "VRID", "Ver", "Prio", "Eff", "Advert",
               "Master", "Addresses"});
  for (const api::VrrpReport& instance : report.instances) {
    std::string since = "-";
    if (instance.since_unix_s > 0) {
      const std::int64_t age = std::max<std::int64_t>(0, now_unix_s - instance.since_unix_s);
      since = render_duration(static_cast<std::uint64_t>(age));
    }
    table.add({instance.name, instance.state, since, instance.interface,
               std::to_string(instance.vrid), std::to_string(instance.version),
               std::to_string(instance.priority), std::to_string(instance.effective_priority),
               seconds_of(instance.advert_interval_us), or_dash(instance.master_address),
               joined(instance.vips)});
  }
  std::string text = table.text();
  for (const api::VrrpReport& instance : report.instances) {
    const std::string counters = non_zero(instance.statistics);
    if (!counters.empty()) text += '\n' + instance.name + ": " + counters;
  }
  if (text.back() != '\n') text += '\n';
  return text;
}

std::string render_status(const api::StatusReport& report) {
  std::string text = "keepline " + report.version + ", instance " + report.instance + ", pid " +
                     std::to_string(report.pid) + ", up " + render_duration(report.uptime_s) + '\n';
  text += "Configuration: " + or_dash(report.config_path) + " (" + or_dash(report.mode) + ")\n";
  text += "Control lag:   " + std::to_string(report.control_lag_us) + " us, at most " +
          std::to_string(report.control_lag_max_us) + " us\n";
  if (!report.ports.empty()) {
    Table ports(
        {"Port", "Driver", "Address", "Link", "RxPackets", "TxPackets", "RxMissed", "TxMissed"});
    for (const api::PortReport& port : report.ports) {
      ports.add({port.name, port.driver, or_dash(port.mac), port.link_up ? "up" : "down",
                 std::to_string(port.rx_packets), std::to_string(port.tx_packets),
                 std::to_string(port.rx_missed), std::to_string(port.tx_missed)});
    }
    text += '\n' + ports.text();
  }
  if (!report.workers.empty()) {
    Table workers({"Worker", "Lcore", "Packets", "Bursts", "Idle%", "Drops"});
    for (const api::WorkerReport& worker : report.workers) {
      workers.add({std::to_string(worker.id), std::to_string(worker.lcore),
                   std::to_string(worker.packets), std::to_string(worker.bursts),
                   one_decimal(worker.idle_percent), or_dash(non_zero(worker.drops))});
    }
    text += '\n' + workers.text();
  }
  return text;
}

std::string render_duration(std::uint64_t seconds) {
  constexpr std::uint64_t kMinute = 60;
  constexpr std::uint64_t kHour = 60 * kMinute;
  constexpr std::uint64_t kDay = 24 * kHour;
  const auto two = [](std::uint64_t big, char unit, std::uint64_t small, char small_unit) {
    char text[48];
    std::snprintf(text, sizeof text, "%llu%c%02llu%c", static_cast<unsigned long long>(big), unit,
                  static_cast<unsigned long long>(small), small_unit);
    return std::string(text);
  };
  if (seconds < kMinute) return std::to_string(seconds) + 's';
  if (seconds < kHour) return two(seconds / kMinute, 'm', seconds % kMinute, 's');
  if (seconds < kDay) return two(seconds / kHour, 'h', seconds % kHour / kMinute, 'm');
  return two(seconds / kDay, 'd', seconds % kDay / kHour, 'h');
}

}  // namespace keepline::cli
