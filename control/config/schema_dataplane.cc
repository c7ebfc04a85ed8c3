// The keyword table of keepline's own `dataplane` block.
//
// PURE. One row a keyword; bounds: the tables, kMaxPorts ports, kMaxLocalAddresses addresses.
#include <regex>

#include "control/config/address_range.h"
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

constexpr std::size_t kMaxPorts = 64;
constexpr std::size_t kMaxLocalAddresses = 1024;
constexpr std::uint64_t kMaxWorkers = 16;
constexpr std::uint32_t kMaxDrain_s = 30 * 24 * 3600;
constexpr std::uint16_t kMetricsPort = 9748;
constexpr std::uint64_t kMaxMaglevSize = 1'048'573;
constexpr std::uint64_t kMaxConnections = std::uint64_t{1} << 28;

// "DDDD:BB:DD.F", as `lspci -D` has it, or without its domain; empty: none.
std::string pci_address(const std::string& word) {
  static const std::regex kForm("([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");
  if (!std::regex_match(word, kForm)) return {};
  return word.size() == std::string_view("00:00.0").size() ? "0000:" + word : word;
}

constexpr Row<DataplanePort> kPortRows[] = {
    {"pci", kOneWord, kA, kActive,
     [](Args& a, DataplanePort& p) {
       p.pci = pci_address(a.word());
       if (p.pci.empty()) {
         a.fatal("'" + a.word() + "' is no PCI address", "as in pci 0000:3b:00.0, see lspci -D");
       }
     }},
    {"vdev", kOneWord, kA, kActive, [](Args& a, DataplanePort& p) { p.vdev = a.word(); }},
};

void read_port(Args& a, DataplaneOptions& options) {
  DataplanePort port;
  port.interface = a.word();
  port.position = a.position();
  run_table(kPortRows, "port", a.statement().children, port, a.diagnostics());
  if (port.pci.empty() == port.vdev.empty()) {
    a.error("a port needs either pci or vdev: skipped");
    return;
  }
  for (const DataplanePort& other : options.ports) {
    if (other.interface == port.interface) {
      a.error("a second port '" + port.interface + "': skipped");
      return;
    }
  }
  if (options.ports.size() < kMaxPorts) options.ports.push_back(std::move(port));
}

void read_idle(Args& a, DataplaneOptions& options) {
  if (a.word() == "adaptive") {
    options.idle = IdlePolicy::kAdaptive;
  } else if (a.word() == "poll") {
    options.idle = IdlePolicy::kPoll;
  } else {
    a.error("unknown idle policy '" + a.word() + "': ignored", "adaptive or poll");
  }
}

// `ADDRESS [PORT]`.
void read_metrics(Args& a, DataplaneOptions& options) {
  const auto address = a.address();
  if (!address) return;
  const auto port = a.count() > 1 ? a.port(2, 1) : std::optional(kMetricsPort);
  if (port) options.metrics = net::Endpoint{*address, *port};
}

// `reschedule` or `drain SECONDS`.
void read_leaving(Args& a, LeavingPolicy& policy) {
  if (a.word() == "reschedule" && a.count() == 1) {
    policy.drain_s = 0;
  } else if (a.word() == "drain" && a.count() == 2) {
    if (const auto value = a.number(1, kMaxDrain_s, 2)) {
      policy.drain_s = static_cast<std::uint32_t>(*value);
    }
  } else {
    a.error("expected 'reschedule' or 'drain SECONDS': ignored");
  }
}

// `local_address [INSTANCE] { RANGES }`.
void read_local_addresses(Args& a, DataplaneOptions& options) {
  LocalAddresses group;
  if (a.count() > 0) group.instance = a.word();
  group.position = a.position();
  std::size_t room = kMaxLocalAddresses;
  for (const LocalAddresses& other : options.local_addresses) room -= other.addresses.size();
  for_each_entry(a.statement(), a.diagnostics(), [&](Args& entry) {
    const auto range = parse_range(entry.keyword());
    if (!range) {
      entry.fatal("'" + entry.keyword() + "' is no address or range", kRangeForms);
    } else if (range->count > room - group.addresses.size()) {
      entry.fatal("more than " + std::to_string(kMaxLocalAddresses) + " local addresses", "");
    } else {
      for (std::uint32_t i = 0; i < range->count; ++i) {
        if (const auto address = range->at(i)) group.addresses.push_back(*address);
      }
    }
  });
  if (group.addresses.empty()) a.fatal("local_address without addresses", kRangeForms);
  options.local_addresses.push_back(std::move(group));
}

constexpr Row<DataplaneOptions> kDataplaneRows[] = {
    {"workers", kOneWord, kA, kActive,
     [](Args& a, DataplaneOptions& o) { a.number_to(o.workers, 1, kMaxWorkers); }},
    {"connections", kOneWord, kA, kActive,
     [](Args& a, DataplaneOptions& o) { a.number_to(o.connections, 1024, kMaxConnections); }},
    {"half_open_percent", kOneWord, kA, kActive,
     [](Args& a, DataplaneOptions& o) { a.number_to(o.half_open_percent, 1, 100); }},
    {"failed_server",
     {1, 2},
     kA,
     kActive,
     [](Args& a, DataplaneOptions& o) { read_leaving(a, o.failed_server); }},
    {"removed_server",
     {1, 2},
     kA,
     kActive,
     [](Args& a, DataplaneOptions& o) { read_leaving(a, o.removed_server); }},
    {"maglev_size", kOneWord, kA, kActive,
     [](Args& a, DataplaneOptions& o) { a.number_to(o.maglev_size, 0, kMaxMaglevSize); }},
    {"local_address", {0, 1, true}, kA, kActive, read_local_addresses},
    {"idle", kOneWord, kA, kActive, read_idle},
    {"metrics", {1, 2}, kA, kActive, read_metrics},
    {"port", kNamedBlock, kA, kActive, read_port},
};

}  // namespace

void read_dataplane(Args& args, DataplaneOptions& options) {
  run_table(kDataplaneRows, "dataplane", args.statement().children, options, args.diagnostics());
}

}  // namespace keepline::config
