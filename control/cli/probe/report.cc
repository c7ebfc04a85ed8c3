#include "control/cli/probe/report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <string_view>

#include "control/cli/text.h"

namespace keepline::cli::probe {

namespace {

namespace json = boost::json;

constexpr std::size_t kShownOutages = 20;

std::string decimals(double number, int count) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", count, number);
  return text;
}

// Long ones in whole ms, so that columns stay readable; a packet at 20,000 per second is 0.05 ms.
std::string ms(double number) {
  return decimals(number, number < 100 ? 2 : 0);
}

std::string where(const Lost& lost) {
  if (lost.all() == 0) return "-";
  std::string text;
  const auto part = [&](std::uint64_t count, std::string_view words) {
    if (count == 0) return;
    text.append(text.empty() ? "" : ", ").append(std::to_string(count)).append(words);
  };
  part(lost.there, " on the way there");
  part(lost.back, " on the way back");
  part(lost.unknown, " unknown where");
  return text;
}

void add_times(Table& table, const char* name, const std::optional<Percentiles>& times) {
  if (!times) return;
  table.add({name, whole(times->p50), whole(times->p90), whole(times->p99), whole(times->p999),
             whole(times->max)});
}

std::string outages_text(const Statistics& all) {
  if (all.outage_count == 0) return "no outage\n";
  std::string text = std::to_string(all.outage_count) +
                     (all.outage_count == 1 ? " outage, " : " outages, ") + "the longest " +
                     ms(all.outage_ms) + " ms, all together " + ms(all.outages_sum_ms) + " ms\n";
  Table table({"AT s", "ms", "LOST", "WHERE", "BEFORE", "AFTER"});
  for (std::size_t i = 0; i < std::min(all.outages.size(), kShownOutages); ++i) {
    const Outage& each = all.outages[i];
    table.add({decimals(each.start_s, 4), ms(each.duration_ms) + (each.stalled ? " (stall)" : ""),
               std::to_string(each.lost.all()), where(each.lost), or_dash(each.before),
               or_dash(each.after)});
  }
  text += table.text();
  if (all.outage_count > kShownOutages) {
    text += "and " + std::to_string(all.outage_count - kShownOutages) + " more\n";
  }
  return text;
}

std::string stall_warning(const Statistics& all, std::uint64_t overflowed) {
  std::string text;
  if (all.not_sent > 0) {
    text += "warning: the probe did not get round to sending " + std::to_string(all.not_sent) +
            ": they are no losses\n";
  }
  if (all.late > 0) {
    text += "warning: the probe stalled: " + std::to_string(all.late) +
            " were sent over 1 ms late, the worst " + ms(all.worst_late_us / 1e3) + " ms\n";
  }
  if (overflowed > 0) {
    text += "warning: the probe's socket overflowed: " + std::to_string(overflowed) +
            " answers came and were dropped there\n";
  }
  return text;
}

json::value times_json(const std::optional<Percentiles>& times) {
  if (!times) return nullptr;
  return json::object{{"p50", times->p50},
                      {"p90", times->p90},
                      {"p99", times->p99},
                      {"p99.9", times->p999},
                      {"max", times->max}};
}

json::object lost_json(const Lost& lost) {
  return {{"lost", lost.all()},
          {"lost_there", lost.there},
          {"lost_back", lost.back},
          {"lost_unknown", lost.unknown}};
}

json::array outages_json(const Statistics& all) {
  json::array outages;
  for (const Outage& each : all.outages) {
    json::object row{{"start_s", each.start_s}, {"duration_ms", each.duration_ms},
                     {"first", each.first},     {"before", each.before},
                     {"after", each.after},     {"stalled", each.stalled}};
    for (const auto& [key, value] : lost_json(each.lost)) row[key] = value;
    outages.push_back(std::move(row));
  }
  return outages;
}

json::array changes_json(const Statistics& all) {
  json::array changes;
  for (const Change& each : all.changes) {
    changes.push_back(
        json::object{{"at_s", each.at_s}, {"before", each.before}, {"after", each.after}});
  }
  return changes;
}

}  // namespace

std::string text_report(const Heading& heading, const Outcome& outcome) {
  const Statistics& all = outcome.statistics;
  std::string text = heading.kind + " " + heading.target + ": " + std::to_string(all.sent) +
                     " sent in " + one_decimal(all.seconds) + " s (" + one_decimal(heading.rate) +
                     " per second), " + std::to_string(all.answered) + " answered, " +
                     std::to_string(all.lost.all()) + " lost\n";
  if (heading.kind == "udp") {
    text += "lost: " + where(all.lost) + "; duplicated: " + std::to_string(all.duplicated) + "\n";
  } else {
    text += "refused " + std::to_string(all.refused) + ", reset " + std::to_string(all.reset) +
            ", timed out " + std::to_string(all.timeout) + ", SYN repeated (a second or more) " +
            std::to_string(all.slow) + "\n";
  }
  for (const auto& [name, count] : all.servers) {
    text += "answered by " + or_dash(name) + ": " + std::to_string(count) + "\n";
  }
  text += outages_text(all);
  Table table({"us", "p50", "p90", "p99", "p99.9", "max"});
  add_times(table, "round trip", all.round_trip_us);
  add_times(table, "way there", all.there_us);
  add_times(table, "way back", all.back_us);
  add_times(table, "sent late", all.late_us);
  text += table.text() + stall_warning(all, outcome.overflowed);
  if (outcome.unasked > 0) {
    text += std::to_string(outcome.unasked) + " far ends did not say what they have seen\n";
  }
  if (!outcome.last_error.empty()) text += "the last error: " + outcome.last_error + "\n";
  return text;
}

std::string json_report(const Heading& heading, const Outcome& outcome) {
  const Statistics& all = outcome.statistics;
  json::object servers;
  for (const auto& [name, count] : all.servers) servers[name] = count;
  json::object report{{"probe", heading.kind},   {"target", heading.target},
                      {"rate", heading.rate},    {"started_unix_ns", outcome.started_unix_ns},
                      {"seconds", all.seconds},  {"sent", all.sent},
                      {"answered", all.answered}};
  for (const auto& [key, value] : lost_json(all.lost)) report[key] = value;
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"duplicated", all.duplicated},
      {"refused", all.refused},
      {"reset", all.reset},
      {"timeout", all.timeout},
      {"slow", all.slow},
      {"not_sent", all.not_sent},
      {"late", all.late},
      {"overflowed", outcome.overflowed},
      {"unasked", outcome.unasked},
      {"outage_count", all.outage_count},
  };
  for (const auto& [key, count] : counts) report[key] = count;
  report["outage_ms"] = all.outage_ms;
  report["outages_sum_ms"] = all.outages_sum_ms;
  report["servers"] = std::move(servers);
  report["outages"] = outages_json(all);
  report["changes"] = changes_json(all);
  report["round_trip_us"] = times_json(all.round_trip_us);
  report["there_us"] = times_json(all.there_us);
  report["back_us"] = times_json(all.back_us);
  report["late_us"] = times_json(all.late_us);
  report["last_error"] = outcome.last_error;
  return json::serialize(report) + "\n";
}

}  // namespace keepline::cli::probe
