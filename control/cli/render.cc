// See render.h. PURE.
#include "control/cli/render.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "control/cli/text.h"

namespace keepline::cli {

namespace {

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

const char* link_text(const api::PortReport& port) {
  if (port.needs_restart) return "removed";
  return port.link_up ? "up" : "down";
}

}  // namespace

std::string render_vrrp(const api::VrrpsReport& report) {
  if (report.instances.empty()) return "no VRRP instances\n";
  Table table({"Instance", "State", "Since", "Interface", "VRID", "Ver", "Prio", "Eff", "Advert",
               "Master", "Addresses"});
  for (const api::VrrpReport& instance : report.instances) {
    const std::string since =
        instance.since_unix_s > 0 ? render_duration(instance.state_age_s) : "-";
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
  text +=
      "Reloads:       " + std::to_string(report.reloads) + ", refused " +
      std::to_string(report.reloads_refused) +
      (report.last_reload_refused ? "; the last one was refused: the file does not run\n" : "\n");
  text += "Control lag:   " + std::to_string(report.control_lag_us) + " us, at most " +
          std::to_string(report.control_lag_max_us) + " us\n";
  text += "Connections:   room for " + std::to_string(report.connection_capacity) +
          " of each family, " + std::to_string(report.bytes_per_connection4) +
          " bytes each (IPv6 " + std::to_string(report.bytes_per_connection6) + ")\n";
  if (!report.ports.empty()) {
    Table ports(
        {"Port", "Driver", "Address", "Link", "RxPackets", "TxPackets", "RxMissed", "TxMissed"});
    for (const api::PortReport& port : report.ports) {
      ports.add({port.name, port.driver, or_dash(port.mac), link_text(port),
                 std::to_string(port.rx_packets), std::to_string(port.tx_packets),
                 std::to_string(port.rx_missed), std::to_string(port.tx_missed)});
    }
    text += '\n' + ports.text();
    for (const api::PortReport& port : report.ports) {
      if (!port.needs_restart) continue;
      text += port.name + " was removed: when it is there again, restart keeplined\n";
    }
  }
  if (!report.workers.empty()) {
    Table workers({"Worker", "Lcore", "Packets", "Bursts", "Idle%", "Drops", "Flows"});
    for (const api::WorkerReport& worker : report.workers) {
      workers.add({std::to_string(worker.id), std::to_string(worker.lcore),
                   std::to_string(worker.packets), std::to_string(worker.bursts),
                   one_decimal(worker.idle_percent), or_dash(non_zero(worker.drops)),
                   or_dash(non_zero(worker.flows))});
    }
    text += '\n' + workers.text();
  }
  return text;
}

std::string render_lcores(const api::LcoresReport& report) {
  Table lcores({"Worker", "Lcore", "Packets", "Bytes", "Packets/s", "Bytes/s", "Conns/s", "Conns",
                "Drops", "Busy%", "Turns", "Sleeps"});
  Table ports({"Worker", "Lcore", "Port", "Received", "Transmitted"});
  for (const api::LcoreReport& lcore : report.lcores) {
    const std::string worker = std::to_string(lcore.worker);
    const std::string number = std::to_string(lcore.lcore);
    std::uint64_t drops = 0;
    for (const auto& [name, count] : lcore.drops) drops += count;
    lcores.add({worker, number, std::to_string(lcore.packets), std::to_string(lcore.bytes),
                whole(lcore.packets_per_s), whole(lcore.bytes_per_s), whole(lcore.created_per_s),
                std::to_string(lcore.connections), std::to_string(drops),
                one_decimal(lcore.busy_percent), std::to_string(lcore.turns),
                std::to_string(lcore.sleeps)});
    for (const api::LcorePortReport& port : lcore.ports) {
      ports.add({worker, number, port.name, std::to_string(port.received),
                 std::to_string(port.transmitted)});
    }
  }
  return lcores.text() + '\n' + ports.text();
}

std::string render_reload(const api::ReloadReport& report) {
  std::string text;
  for (const std::string& line : report.messages) text += line + '\n';
  if (report.outcome != "applied") {
    return text + "The configuration cannot run: everything stays as it was.\n";
  }
  return text + "The configuration runs, after " + std::to_string(report.took_ms) + " ms.\n";
}

std::string render_failover(const api::FailoverReport& report) {
  if (!report.error.empty()) return report.error + '\n';
  Table table({"Instance", "Outcome"});
  for (const api::FailoverRow& row : report.instances) table.add({row.name, row.outcome});
  return table.text();
}

std::string render_stages(const api::StagesReport& report) {
  std::string text = report.sampling ? "Sampling is on: `keepline stages off` ends it.\n"
                                     : "Sampling is off: `keepline stages on` begins it.\n";
  for (const api::WorkerStagesReport& worker : report.workers) {
    if (worker.packets == 0) continue;
    text += "\nWorker " + std::to_string(worker.worker) + ", lcore " +
            std::to_string(worker.lcore) + ": " + std::to_string(worker.packets) + " packets in " +
            std::to_string(worker.bursts) + " bursts sampled\n";
    Table table({"Stage", "Cycles/packet", "ns/packet", "Share%"});
    api::StageReport sum;
    for (const api::StageReport& stage : worker.stages) {
      table.add({stage.stage, one_decimal(stage.cycles_per_packet),
                 one_decimal(stage.ns_per_packet), one_decimal(stage.share_percent)});
      sum.cycles_per_packet += stage.cycles_per_packet;
      sum.ns_per_packet += stage.ns_per_packet;
      sum.share_percent += stage.share_percent;
    }
    table.add({"all", one_decimal(sum.cycles_per_packet), one_decimal(sum.ns_per_packet),
               one_decimal(sum.share_percent)});
    text += table.text();
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
