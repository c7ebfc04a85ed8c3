// The keyword tables of the root and of keepline's own `dataplane` block.
//
// PURE. One row a keyword; bounds: the tables, and kMaxPorts ports.
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

constexpr std::size_t kMaxPorts = 64;
constexpr std::uint64_t kMaxWorkers = 16;
constexpr std::uint32_t kMaxDrain_s = 30 * 24 * 3600;
constexpr std::uint16_t kMetricsPort = 9748;
constexpr std::uint64_t kMaxMaglevSize = 1'048'573;
constexpr std::uint64_t kMaxConnections = std::uint64_t{1} << 28;

void warn_not_built(Args& a, const std::string& what) {
  a.warning(what + " is not built yet");
}

constexpr Row<DataplanePort> kPortRows[] = {
    {"pci", kOneWord, kA, kActive,
     [](Args& a, DataplanePort& p) {
       p.pci = a.word();
       warn_not_built(a, "handing a NIC to a DPDK driver (pci)");
     }},
    {"vdev", kOneWord, kA, kActive,
     [](Args& a, DataplanePort& p) {
       p.vdev = a.word();
       warn_not_built(a, "a DPDK virtual device (vdev)");
     }},
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
    {"idle", kOneWord, kA, kActive, read_idle},
    {"metrics", {1, 2}, kA, kActive, read_metrics},
    {"port", kNamedBlock, kA, kActive, read_port},
};

void read_service(Args& a, Draft& d) {
  if (a.word() == "group" && a.count() < 2) {
    a.diagnostics().fatal(a.position(), a.keyword(), "virtual_server group missing parameter", "",
                          Effect::kMissingParameter);
    return;
  }
  read_virtual_server(a, d);
}

constexpr Row<Draft> kRootRows[] = {
    {"global_defs", kBlockShape, kA, kActive,
     [](Args& a, Draft& d) { read_global_defs(a, d.config); }},
    {"vrrp_instance", kNamedBlock, kA, kActive, read_vrrp_instance},
    {"vrrp_sync_group", kNamedBlock, kA, kActive, read_sync_group},
    {"vrrp_script", kNamedBlock, kA, kNotActedOn, read_vrrp_script},
    {"virtual_server", {1, 2, true}, kA, kActive, read_service},
    {"virtual_server_group", kNamedBlock, kB, kActive, read_virtual_server_group},
    {"dataplane", kBlockShape, kA, kActive,
     [](Args& a, Draft& d) { read_dataplane(a, d.config.dataplane); }},
    {"static_ipaddress", kBlockShape, kB, kNotBuilt},
    {"static_routes", kBlockShape, kK, kKernelOnly},
    {"static_rules", kBlockShape, kK, kKernelOnly},
    {"track_file", kNamedBlock, kB, kNotBuilt, nullptr, "vrrp_track_file"},
    {"vrrp_track_process", kNamedBlock, kB, kNotBuilt},
    {"bfd_instance", kNamedBlock, kB, kNotBuilt},
    {"SSL", kBlockShape, kC, kNotBuilt},
    {"track_group", kNamedBlock, kC, kNotBuilt},
    {"garp_group", kBlockShape, kB, kNotBuilt},
    {"interface_up_down_delays", kBlockShape, kB, kNotBuilt},
    {"linkbeat_interfaces", kBlockShape, kK, kKernelOnly},
    {"linkbeat_use_polling", kBareShape, kK, kKernelOnly},
    {"net_namespace", kOneWord, kK, kKernelOnly},
    {"net_namespace_ipvs", {0, 1}, kK, kKernelOnly},
    {"namespace_with_ipsets", kBareShape, kK, kKernelOnly},
    {"instance", kOneWord, kC, kNotBuilt},
    {"use_pid_dir", kBareShape, kC, kNotBuilt},
    {"child_wait_time", kOneWord, kB, kNotBuilt},
};

}  // namespace

void read_dataplane(Args& args, DataplaneOptions& options) {
  run_table(kDataplaneRows, "dataplane", args.statement().children, options, args.diagnostics());
}

void read_root(const Statement& root, Draft& draft, Diagnostics& diagnostics) {
  run_table(kRootRows, "the file", root.children, draft, diagnostics);
}

}  // namespace keepline::config
