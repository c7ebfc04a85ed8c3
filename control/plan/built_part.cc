#include "control/plan/built_part.h"

#include <set>
#include <vector>

namespace keepline::control {

config::Config built_part(config::Config config, Mode mode, config::Diagnostics& diagnostics) {
  if (!mode.vrrp) return config;
  std::set<net::IpAddr> unheld;
  for (const config::VrrpInstance& instance : config.vrrp_instances) {
    if (!instance.is_v6) continue;
    for (const auto* list : {&instance.vips, &instance.excluded_vips}) {
      for (const config::VipAddress& vip : *list) unheld.insert(vip.address);
    }
    for (config::SyncGroup& group : config.sync_groups) std::erase(group.members, instance.name);
  }
  std::erase_if(config.vrrp_instances, [](const auto& instance) { return instance.is_v6; });
  std::erase_if(config.virtual_servers, [&](const config::VirtualServer& server) {
    if (!unheld.contains(server.address)) return false;
    diagnostics.warning(server.position, "virtual_server",
                        "virtual_server " + net::to_string(server.address) +
                            " is skipped: its vrrp_instance is one of IPv6, which is not built yet",
                        "virtual_ipaddress_excluded of an IPv4 instance", config::Effect::kProblem);
    return true;
  });
  return config;
}

}  // namespace keepline::control
