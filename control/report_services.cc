// Services and real servers as reports. See reports.h.
#include "control/figures.h"
#include "control/report_text.h"
#include "control/reports.h"

namespace keepline::control {

namespace {

std::string health_name(Health health) {
  switch (health) {
    case Health::kUnchecked:
      return "unchecked";
    case Health::kUp:
      return "up";
    case Health::kDown:
      return "down";
  }
  return "unchecked";
}

api::TrafficReport traffic_report(const TrafficRates::Totals& totals) {
  return {totals[Traffic::kConnections], totals[Traffic::kPacketsIn], totals[Traffic::kPacketsOut],
          totals[Traffic::kBytesIn], totals[Traffic::kBytesOut]};
}

api::RateReport rate_report(const TrafficRates::Rates& rates) {
  return {rates[Traffic::kConnections], rates[Traffic::kPacketsIn], rates[Traffic::kPacketsOut],
          rates[Traffic::kBytesIn], rates[Traffic::kBytesOut]};
}

// As ipvsadm words them.
std::string flags_of(const lb::Service& service) {
  const std::string name(lb::to_string(service.scheduler));
  std::string flags;
  if (service.hash_fallback) flags += name + "-fallback";
  if (service.hash_port) flags += (flags.empty() ? "" : ",") + name + "-port";
  if (!flags.empty()) flags = "(" + flags + ")";
  const auto append = [&flags](const std::string& word) {
    flags += (flags.empty() ? "" : " ") + word;
  };
  if (service.one_packet) append("ops");
  if (service.persistence_s == 0) return flags;
  append("persistent " + std::to_string(service.persistence_s));
  const unsigned bits = service.persistence_bits;
  if (bits == service.vip.address.max_prefix_length()) return flags;
  const net::be32 all(0xffffffff);
  append("mask " + (service.vip.address.is_v6() ? std::to_string(bits)
                                                : to_string(net::Ip4(net::masked(all, bits)))));
  return flags;
}

void add(auto& sum, const auto& part) {
  sum.connections += part.connections;
  sum.packets_in += part.packets_in;
  sum.packets_out += part.packets_out;
  sum.bytes_in += part.bytes_in;
  sum.bytes_out += part.bytes_out;
}

}  // namespace

void Reports::count(api::RealReport& report, const lb::RealServer& real) const {
  const RealFigures figures = real_figures(*from_.dataplane, real);
  report.active = figures.active;
  report.inactive = figures.inactive;
  report.stats = traffic_report(figures.traffic);
  report.rates = rate_report(from_.rates->traffic_per_second(real));
}

api::RealReport Reports::real_report(std::size_t real, const PlannedService& planned) const {
  const lb::RealServer& running = planned.reals[real];
  api::RealReport report;
  report.address = net::to_string(running.endpoint.address);
  report.port = running.endpoint.port;
  report.forward = forward_name(running.method);
  report.weight = running.weight;
  report.health = health_name(planned.health[real]);
  for (const PoolMember& member : planned.pool.members) report.in_pool |= member.real == real;
  count(report, running);
  report.local_ports = local_ports(planned, running);
  return report;
}

api::RealReport Reports::sorry_report(const PlannedService& planned) const {
  api::RealReport report;
  report.address = net::to_string(planned.sorry.endpoint.address);
  report.port = planned.sorry.endpoint.port;
  report.forward = forward_name(planned.sorry.method);
  report.health = "unchecked";
  report.is_sorry = true;
  for (const PoolMember& member : planned.pool.members) {
    if (member.real != PoolMember::kSorry) continue;
    report.in_pool = true;
    report.weight = member.weight;
  }
  count(report, planned.sorry);
  report.local_ports = local_ports(planned, planned.sorry);
  return report;
}

api::ServiceReport Reports::service_report(const PlannedService& planned) const {
  api::ServiceReport row;
  row.protocol = protocol_name(planned.service->protocol);
  row.vip = net::to_string(planned.service->vip.address);
  row.port = planned.service->vip.port;
  row.scheduler = std::string(lb::to_string(planned.service->scheduler));
  row.flags = flags_of(*planned.service);
  for (std::size_t real = 0; real < planned.reals.size(); ++real) {
    row.reals.push_back(real_report(real, planned));
  }
  if (planned.sorry.slot != 0) row.reals.push_back(sorry_report(planned));
  for (const api::RealReport& real : row.reals) {
    add(row.stats, real.stats);
    add(row.rates, real.rates);
  }
  return row;
}

// The cursor is the index of the next virtual server. A reload in between may move them: then the
// listing has a seam, like that of a table that is read while it changes.
api::ServicesReport Reports::services(std::uint64_t cursor) {
  api::ServicesReport report;
  report.version = KEEPLINE_VERSION;
  report.connection_table_size = connection_capacity(*from_.dataplane);
  const std::vector<PlannedService>& planned = from_.publisher->services();
  std::size_t items = 0;
  for (std::size_t i = cursor; i < planned.size(); ++i) {
    if (items >= api::kItemsPerPiece) {
      report.next_cursor = i;
      break;
    }
    report.services.push_back(service_report(planned[i]));
    items += 1 + report.services.back().reals.size();
  }
  return report;
}

}  // namespace keepline::control
