#include "control/plan/ipv4_only.h"

#include <algorithm>
#include <vector>

namespace keepline::control {

config::Config ipv4_only(config::Config config) {
  const auto is_v6 = [](const auto& each) { return each.address.is_v6(); };
  for (config::VrrpInstance& instance : config.vrrp_instances) {
    if (!instance.is_v6) std::erase_if(instance.vips, is_v6);
    std::erase_if(instance.excluded_vips, is_v6);
    if (!instance.is_v6) continue;
    for (config::SyncGroup& group : config.sync_groups) std::erase(group.members, instance.name);
  }
  std::erase_if(config.vrrp_instances, [](const auto& instance) { return instance.is_v6; });
  std::erase_if(config.virtual_servers, is_v6);
  for (config::VirtualServer& server : config.virtual_servers) {
    std::erase_if(server.real_servers, is_v6);
    if (server.sorry_server && server.sorry_server->target.address.is_v6()) {
      server.sorry_server.reset();
    }
  }
  return config;
}

}  // namespace keepline::control
