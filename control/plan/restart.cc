#include "control/plan/restart.h"

namespace keepline::control {

void check_restart(const config::Config& running, const config::Config& wanted,
                   config::Diagnostics& diagnostics) {
  if (wanted.vrrp_instances.empty() && wanted.virtual_servers.empty() &&
      wanted.bfd_instances.empty()) {
    diagnostics.fatal({}, "", "nothing to run is in the file",
                      "write it whole and rename it into place; to run nothing, stop keeplined");
  }
  const auto& before = running.dataplane;
  const auto& after = wanted.dataplane;
  const char* hint = "restart keeplined for the change";
  const auto keep = [&](bool same, const char* keyword) {
    if (same) return;
    diagnostics.warning({}, keyword, "cannot change while keeplined runs: stays as it was", hint);
  };
  keep(before.workers == after.workers, "workers");
  keep(before.connections == after.connections, "connections");
  keep(before.half_open_percent == after.half_open_percent, "half_open");
  keep(before.idle == after.idle, "idle");
  keep(before.metrics == after.metrics, "metrics");
  keep(running.global.lvs_timeouts == wanted.global.lvs_timeouts, "lvs_timeouts");
  if (before.ports != after.ports) {
    const auto& any = after.ports.empty() ? before.ports : after.ports;
    diagnostics.fatal(any.front().position, "port",
                      "the NICs that a DPDK driver owns cannot change in a reload", hint);
  }
  if (before.local_addresses.empty() && !after.local_addresses.empty()) {
    diagnostics.fatal(after.local_addresses.front().position, "local_address",
                      "the tables for FULLNAT are made at start, if there are local addresses",
                      hint);
  }
}

}  // namespace keepline::control
