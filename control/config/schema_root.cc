// The keyword table of the root.
//
// PURE. One row a keyword; bound: the table.
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

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
    {"vrrp_script", kNamedBlock, kA, kActive, read_vrrp_script},
    {"virtual_server", {1, 2, true}, kA, kActive, read_service},
    {"virtual_server_group", kNamedBlock, kB, kActive, read_virtual_server_group},
    {"dataplane", kBlockShape, kA, kActive,
     [](Args& a, Draft& d) { read_dataplane(a, d.config.dataplane); }},
    {"static_ipaddress", kBlockShape, kB, kNotBuilt},
    {"static_routes", kBlockShape, kK, kKernelOnly},
    {"static_rules", kBlockShape, kK, kKernelOnly},
    {"track_file", kNamedBlock, kB, kActive, read_track_file, "vrrp_track_file"},
    {"vrrp_track_process", kNamedBlock, kB, kActive, read_track_process},
    {"bfd_instance", kNamedBlock, kB, kActive, read_bfd_instance},
    {"SSL", kBlockShape, kC, kNotBuilt},
    {"track_group", kNamedBlock, kC, kNotBuilt},
    {"garp_group", kBlockShape, kB, kActive,
     [](Args& a, Draft& d) { read_garp_group(a, d.config); }},
    {"interface_up_down_delays", kBlockShape, kB, kActive,
     [](Args& a, Draft& d) { read_link_delays(a, d.config); }},
    {"linkbeat_interfaces", kBlockShape, kK, kKernelOnly},
    {"linkbeat_use_polling", kBareShape, kK, kKernelOnly},
    {"net_namespace", kOneWord, kK, kKernelOnly},
    {"net_namespace_ipvs", {0, 1}, kK, kKernelOnly},
    {"namespace_with_ipsets", kBareShape, kK, kKernelOnly},
    {"instance", kOneWord, kC, kNotActedOn,
     [](Args& a, Draft& d) { d.config.global.instance = a.word(); }, nullptr,
     "names the files of data_use_instance only: for the rest there is --instance"},
    {"use_pid_dir", kBareShape, kC, kNotBuilt},
    {"child_wait_time", kOneWord, kB, kNotBuilt},
};

}  // namespace

void read_root(const Statement& root, Draft& draft, Diagnostics& diagnostics) {
  run_table(kRootRows, "the file", root.children, draft, diagnostics);
}

}  // namespace keepline::config
