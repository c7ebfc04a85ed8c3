// BFD sessions as a table. PURE.
#include <cstdio>

#include "control/cli/render.h"
#include "control/cli/text.h"

namespace keepline::cli {

namespace {

std::string ms(std::uint64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1fms", static_cast<double>(us) / 1000);
  return us == 0 ? "-" : text;
}

std::uint64_t discarded(const api::Counters& counters) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : counters) sum += name.starts_with("discarded_") ? count : 0;
  return sum;
}

std::uint64_t count_of(const api::Counters& counters, const char* name) {
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

}  // namespace

std::string render_bfd(const api::BfdsReport& report) {
  Table table({"Session", "Neighbour", "State", "Remote", "Tx", "Rx", "Detect", "Since", "Sent",
               "Received", "Discarded", "Diagnostic"});
  for (const api::BfdReport& row : report.sessions) {
    table.add({row.name, row.neighbour + (row.multihop ? " (multihop)" : ""), or_dash(row.state),
               or_dash(row.remote_state), ms(row.tx_interval_us), ms(row.rx_interval_us),
               ms(row.detection_time_us),
               row.since_unix_s != 0 ? render_duration(row.state_age_s) : "-",
               std::to_string(count_of(row.counters, "sent")),
               std::to_string(count_of(row.counters, "received")),
               std::to_string(discarded(row.counters)), row.diagnostic});
  }
  std::string text = table.text();
  const std::string unclaimed = non_zero(report.unclaimed);
  if (!unclaimed.empty()) text += "Discarded, of no session: " + unclaimed + '\n';
  return text;
}

}  // namespace keepline::cli
