// Services and connections in ipvsadm's columns. See render.h. PURE.
#include <array>
#include <cmath>
#include <cstdio>

#include "control/cli/render.h"
#include "control/cli/text.h"

namespace keepline::cli {

namespace {

constexpr std::size_t kNameColumns = 33;
constexpr std::size_t kNumberColumns = 9;

using Row = std::array<std::uint64_t, 5>;

std::uint64_t rounded(double rate) {
  return static_cast<std::uint64_t>(std::llround(rate));
}

Row row_of(const api::TrafficReport& stats) {
  return {stats.connections, stats.packets_in, stats.packets_out, stats.bytes_in, stats.bytes_out};
}

Row row_of(const api::RateReport& rates) {
  return {rounded(rates.connections), rounded(rates.packets_in), rounded(rates.packets_out),
          rounded(rates.bytes_in), rounded(rates.bytes_out)};
}

template <typename Report>
Row row_of(const Report& report, Columns columns) {
  return columns == Columns::kStats ? row_of(report.stats) : row_of(report.rates);
}

// ipvsadm keeps its nine columns up to 99,999,999T; --exact lets a number be wider, after a blank.
std::string number(std::uint64_t n, Numbers numbers) {
  struct Unit {
    std::uint64_t below;
    std::uint64_t divisor;
    const char* letter;
  };
  constexpr Unit kUnits[] = {{100'000'000, 1, ""},
                             {1'000'000'000, 1'000, "K"},
                             {100'000'000'000, 1'000'000, "M"},
                             {100'000'000'000'000, 1'000'000'000, "G"},
                             {~std::uint64_t{0}, 1'000'000'000'000, "T"}};
  std::string text = std::to_string(n);
  if (numbers == Numbers::kShort) {
    const Unit* unit = kUnits;
    while (n >= unit->below && unit->letter[0] != 'T') ++unit;
    text = std::to_string(n / unit->divisor) + unit->letter;
  } else if (text.size() >= kNumberColumns) {
    return ' ' + text;
  }
  return text.size() < kNumberColumns ? std::string(kNumberColumns - text.size(), ' ') + text
                                      : text;
}

void append_row(std::string& text, const Row& row, Numbers numbers) {
  for (const std::uint64_t n : row) text += number(n, numbers);
}

std::string health_of(const api::RealReport& real) {
  std::string text = ' ' + real.health;
  if (real.is_sorry) text += ", sorry server";
  if (!real.in_pool) text += ", not in pool";
  return text;
}

std::string head(const api::ServicesReport& report, Columns columns) {
  std::string text = "IP Virtual Server version keepline-" + report.version +
                     " (size=" + std::to_string(report.connection_table_size) + ")\n";
  switch (columns) {
    case Columns::kServers:
      text += "Prot LocalAddress:Port Scheduler Flags\n";
      text += "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n";
      return text;
    case Columns::kStats:
      text += "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n";
      break;
    case Columns::kRates:
      text += "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n";
      break;
  }
  return text + "  -> RemoteAddress:Port\n";
}

void append_real(std::string& text, const api::RealReport& real, const ServicesView& view) {
  std::string name = "  -> ";
  pad(name, 28, endpoint(real.address, real.port));
  text += name;
  if (view.columns == Columns::kServers) {
    text += ' ';
    pad(text, 7, real.forward);
    text += ' ';
    pad(text, 6, real.weight);
    text += ' ';
    pad(text, 10, real.active);
    text += ' ';
    pad(text, 10, real.inactive);
  } else {
    append_row(text, row_of(real, view.columns), view.numbers);
  }
  if (view.reals == Reals::kAll) text += health_of(real);
  text += '\n';
}

void append_service(std::string& text, const api::ServiceReport& service,
                    const ServicesView& view) {
  std::string name;
  pad(name, 5, service.protocol);
  name += endpoint(service.vip, service.port);
  if (view.columns == Columns::kServers) {
    text += name + ' ' + service.scheduler;
    if (!service.flags.empty()) text += ' ' + service.flags;
  } else {
    pad(text, kNameColumns, name);
    append_row(text, row_of(service, view.columns), view.numbers);
  }
  text += '\n';
}

}  // namespace

std::string render_services(const api::ServicesReport& report, const ServicesView& view) {
  std::string text = head(report, view.columns);
  for (const api::ServiceReport& service : report.services) {
    append_service(text, service, view);
    for (const api::RealReport& real : service.reals) {
      if (real.in_pool || view.reals == Reals::kAll) append_real(text, real, view);
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
    text += ' ' + connection.destination;
    if (!connection.local.empty()) text += " from " + connection.local;
    text += '\n';
  }
  return text;
}

}  // namespace keepline::cli
