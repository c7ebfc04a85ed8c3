// FULLNAT's local addresses: whose they are, and that every service that needs some has some. PURE.
#include <algorithm>
#include <set>

#include "control/config/resolve.h"

namespace keepline::config {

namespace {

bool has_vip(const VrrpInstance& instance, const net::IpAddr& address) {
  const auto is_it = [&](const VipAddress& vip) { return vip.address == address; };
  return std::ranges::any_of(instance.vips, is_it) ||
         std::ranges::any_of(instance.excluded_vips, is_it);
}

// Empty: the virtual server's address is in no instance.
std::string instance_of(const Config& config, const VirtualServer& server) {
  for (const VrrpInstance& instance : config.vrrp_instances) {
    if (has_vip(instance, server.address)) return instance.name;
  }
  return {};
}

bool uses_full_nat(const VirtualServer& server) {
  const auto& sorry = server.sorry_server;
  return std::ranges::any_of(
             server.real_servers,
             [](const RealServer& real) { return real.method() == Method::kFullNat; }) ||
         (sorry && sorry->forwarding.method == Method::kFullNat);
}

// The group without a name is for the one instance whose services use FULLNAT.
void settle_names(Config& config, Diagnostics& diagnostics) {
  std::set<std::string> users;
  for (const VirtualServer& server : config.virtual_servers) {
    if (uses_full_nat(server)) users.insert(instance_of(config, server));
  }
  std::set<std::string> seen;
  for (LocalAddresses& group : config.dataplane.local_addresses) {
    if (group.instance.empty() && users.size() > 1) {
      diagnostics.fatal(group.position, "local_address",
                        "FULLNAT services of several vrrp_instances: whose addresses are these?",
                        "local_address INSTANCE { ... }, one for each");
    } else if (group.instance.empty() && users.size() == 1) {
      group.instance = *users.begin();
    } else if (!group.instance.empty() &&
               std::ranges::find(config.vrrp_instances, group.instance, &VrrpInstance::name) ==
                   config.vrrp_instances.end()) {
      diagnostics.fatal(group.position, "local_address",
                        "there is no vrrp_instance '" + group.instance + "'",
                        "the name of the instance that has the services' VIPs");
    }
    if (!seen.insert(group.instance).second) {
      diagnostics.fatal(group.position, "local_address",
                        "a second local_address for the same services", "put them into one block");
    }
  }
}

void check_addresses(const Config& config, Diagnostics& diagnostics) {
  std::set<net::IpAddr> taken;
  for (const VrrpInstance& instance : config.vrrp_instances) {
    for (const auto* vips : {&instance.vips, &instance.excluded_vips}) {
      for (const VipAddress& vip : *vips) taken.insert(vip.address);
    }
  }
  for (const VirtualServer& server : config.virtual_servers) {
    taken.insert(server.address);
    for (const RealServer& real : server.real_servers) taken.insert(real.address);
  }
  for (const LocalAddresses& group : config.dataplane.local_addresses) {
    for (const net::IpAddr& address : group.addresses) {
      if (taken.insert(address).second) continue;
      diagnostics.fatal(group.position, "local_address",
                        net::to_string(address) + " is in use: a VIP, a real server or repeated",
                        "local addresses belong to nothing else");
    }
  }
}

void check_services(const Config& config, Diagnostics& diagnostics) {
  for (const VirtualServer& server : config.virtual_servers) {
    if (!uses_full_nat(server)) continue;
    const auto group = std::ranges::find(config.dataplane.local_addresses,
                                         instance_of(config, server), &LocalAddresses::instance);
    const bool has_some = group != config.dataplane.local_addresses.end() &&
                          std::ranges::any_of(group->addresses, [&](const net::IpAddr& address) {
                            return address.is_v6() == server.address.is_v6();
                          });
    if (has_some) continue;
    diagnostics.fatal(server.position, "virtual_server",
                      "FULLNAT has no " + std::string(server.address.is_v6() ? "IPv6" : "IPv4") +
                          " address to come from",
                      "dataplane { local_address { RANGE } }, unused addresses of the real "
                      "servers' network");
  }
}

}  // namespace

void resolve_dataplane(Config& config, Diagnostics& diagnostics) {
  settle_names(config, diagnostics);
  check_addresses(config, diagnostics);
  check_services(config, diagnostics);
}

}  // namespace keepline::config
