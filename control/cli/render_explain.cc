// `explain` as text: what becomes of the packet and why, then what that rests on. See render.h.
// PURE.
#include <cstdio>

#include "control/cli/render.h"
#include "control/cli/text.h"

namespace keepline::cli {

namespace {

constexpr std::size_t kLabelColumns = 10;

void append_line(std::string& text, std::string_view label, const std::string& value) {
  pad(text, kLabelColumns, label);
  text += value + '\n';
}

std::string minutes(std::uint32_t seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%02u:%02u", seconds / 60, seconds % 60);
  return text;
}

std::string lease_text(const api::ExplainReport& report) {
  if (report.instance.empty()) return report.lease_held ? "held without VRRP" : "not held here";
  const std::string instance = "instance " + report.instance + " is " + report.instance_state;
  if (report.lease_held || report.instance_state != "MASTER") return instance + " here";
  return instance + ", but its lease has run out: look for a stall";
}

std::string drop_reason(const api::ExplainReport& report) {
  if (report.drop == "not_master") return lease_text(report);
  if (report.drop == "not_accepted") return "no_accept: the node itself takes nothing by this VIP";
  if (report.drop == "no_connection") return "of no connection, and only a SYN makes one";
  if (report.drop == "no_real_server") {
    return "no real server of " + report.service + " takes new connections";
  }
  if (report.drop == "server_gone") return "the connection's real server has left the pool";
  if (report.drop == "table_full") return "no room for a new connection";
  if (report.drop == "no_route") {
    return "no route to " + (report.server.empty() ? report.destination : report.server);
  }
  if (report.drop == "no_neighbour") {
    return "the MAC address of " + report.next_hop.address + " on " + report.next_hop.port +
           " is not known";
  }
  return {};
}

std::string weighted_server(const api::ExplainReport& report) {
  return report.server + " (weight " + std::to_string(report.weight) + ")";
}

std::string verdict(const api::ExplainReport& report) {
  if (report.outcome == "connection") {
    return "connection: " + report.state + " for " + minutes(report.remaining_s) +
           " more, stays with " + report.server;
  }
  if (report.outcome == "new_connection") {
    return "new connection: scheduler " + report.scheduler + " would choose " +
           weighted_server(report);
  }
  if (report.outcome == "stateless") {
    return "no connection: the table is full, the client's hash leads to " +
           weighted_server(report);
  }
  if (report.outcome == "return_traffic") {
    return "answer in a connection of " + or_dash(report.service) + ": " + report.state + " for " +
           minutes(report.remaining_s) + " more";
  }
  if (report.outcome == "routed") {
    return "routed: from a real server's port, but in no connection";
  }
  if (report.outcome == "kernel") return "kernel: not the dataplane's, this node's kernel has it";
  if (report.outcome != "dropped") return report.outcome;
  const std::string reason = drop_reason(report);
  return "dropped: " + report.drop + (reason.empty() ? "" : " - " + reason);
}

std::string hop_text(const api::NextHopReport& hop) {
  if (hop.reach == "no_route") return "no route";
  const std::string way = hop.address + " through " + or_dash(hop.port);
  return hop.reach == "found" ? way + ", MAC address " + hop.mac : way + ", MAC address not known";
}

// A next hop has been looked for only where there is somewhere to go.
bool has_hop(const api::ExplainReport& report) {
  return report.outcome != "kernel" && (report.outcome != "dropped" || !report.server.empty());
}

}  // namespace

std::string render_explain(const api::ExplainReport& report) {
  std::string text = report.protocol + ' ' + report.source + " -> " + report.destination + '\n';
  text += verdict(report) + "\n\n";
  if (report.is_vip) append_line(text, "VIP", lease_text(report));
  if (!report.service.empty()) {
    append_line(text, "Service", report.protocol + ' ' + report.service + ' ' + report.scheduler);
  }
  if (!report.server.empty()) {
    append_line(text, "Server",
                report.server + ' ' + report.forward + ", weight " + std::to_string(report.weight));
  }
  if (has_hop(report)) append_line(text, "Next hop", hop_text(report.next_hop));
  append_line(text, "Worker",
              std::to_string(report.worker) + ", shard " + std::to_string(report.shard));
  return text;
}

}  // namespace keepline::cli
