// Puts the steps together: text -> lines -> tree -> draft -> resolved model. PURE.
#include "control/config/load.h"

#include <set>
#include <utility>

#include "control/config/resolve.h"
#include "control/config/schema.h"
#include "control/config/source.h"
#include "control/config/tree.h"

namespace keepline::config {

LoadResult load(const std::string& path, Loader& loader, const LoadOptions& options) {
  LoadResult result;
  Diagnostics& diagnostics = result.diagnostics;
  auto lines =
      read_source(path, loader, {options.config_id, options.env, options.random_seed}, diagnostics);
  const Statement root = build_tree(std::move(lines), diagnostics);
  Draft draft;
  read_root(root, draft, diagnostics);
  read_key_files(draft, loader, diagnostics);
  resolve_vrrp(draft, diagnostics);
  resolve_groups(draft.config, diagnostics);
  resolve_interfaces(draft.config, diagnostics);
  resolve_services(draft, diagnostics);
  resolve_dataplane(draft.config, diagnostics);
  check_script_security(draft.config, diagnostics);
  result.config = std::move(draft.config);
  return result;
}

std::vector<InterfaceMention> mentioned_interfaces(const Config& config) {
  std::vector<InterfaceMention> mentions;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name, const Position& position) {
    if (!name.empty() && seen.insert(name).second) mentions.push_back({name, position});
  };
  for (const VrrpInstance& instance : config.vrrp_instances) {
    add(instance.interface,
        instance.interface.is_set() ? instance.interface_position : instance.position);
    for (const auto* vips : {&instance.vips, &instance.excluded_vips}) {
      for (const VipAddress& vip : *vips) add(vip.dev, vip.position);
    }
    for (const Tracker& tracker : instance.track_interface) add(tracker.name, tracker.position);
  }
  for (const SyncGroup& group : config.sync_groups) {
    for (const Tracker& tracker : group.track_interface) add(tracker.name, tracker.position);
  }
  for (const DataplanePort& port : config.dataplane.ports) add(port.interface, port.position);
  return mentions;
}

}  // namespace keepline::config
