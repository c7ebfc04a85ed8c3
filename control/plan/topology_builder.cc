// make_topology(): what is attached and where each VIP belongs, or why that cannot be.

#include <algorithm>
#include <set>

#include "control/config/load.h"
#include "control/plan/attacher.h"

namespace keepline::control {

namespace {

constexpr std::uint8_t kOwnerPriority = 255;

// RFC 9568 §7.3.
net::Mac virtual_mac(std::uint8_t vrid, bool is_v6) {
  return {{0x00, 0x00, 0x5e, 0x00, static_cast<std::uint8_t>(is_v6 ? 2 : 1), vrid}};
}

bool is_loopback(const net::IpAddr& address) {
  const net::Ip6 loopback6 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  if (address.is_v6()) return address.v6() == loopback6;
  return address.v4().value() >> 24 == 127;
}

class Builder {
 public:
  Builder(const config::Config& config, const KernelView& kernel, Mode mode,
          config::Diagnostics& diagnostics, const Topology* running)
      : config_(config),
        kernel_(kernel),
        mode_(mode),
        diagnostics_(diagnostics),
        running_(running),
        mentions_(config::mentioned_interfaces(config)),
        attacher_(config, kernel, diagnostics, running, topology_) {}

  Topology build() {
    collect_vrrp_vips();
    for (const config::DataplanePort& port : config_.dataplane.ports) {
      attach(kernel_.find_link(port.interface), port.position, port.interface);
    }
    if (mode_.vrrp) place_instances();
    if (mode_.services) place_services();
    if (mode_.bfd) attach_bfd();
    if (!topology_.ports.empty()) {
      for (const bool v6 : {false, true}) attach_default_route(v6);
    }
    for (std::size_t i = 0; i < topology_.instances.size(); ++i) set_source(i);
    return std::move(topology_);
  }

 private:
  std::optional<net::PortId> attach(const Link* link, const config::Position& at,
                                    const std::string& name) {
    return attacher_.attach(link, at, name);
  }

  // Where the file first names the interface.
  config::Position position_of(const std::string& name) const {
    for (const config::InterfaceMention& mention : mentions_) {
      if (mention.name == name) return mention.position;
    }
    return {};
  }

  void collect_vrrp_vips() {
    for (const config::VrrpInstance& instance : config_.vrrp_instances) {
      for (const auto* list : {&instance.vips, &instance.excluded_vips}) {
        for (const config::VipAddress& vip : *list) {
          vrrp_vips_.push_back(vip.address);
        }
      }
    }
  }

  void place_instances() {
    for (const config::VrrpInstance& instance : config_.vrrp_instances) {
      PlacedInstance placed;
      const std::string& name = *instance.interface;
      if (const auto port = attach(kernel_.find_link(name), position_of(name), name)) {
        placed.port = *port;
      }
      if (instance.vmac.is_used) {
        placed.vmac =
            instance.vmac.mac.value_or(virtual_mac(*instance.virtual_router_id, instance.is_v6));
        if (placed.port != net::kNoPort) {
          topology_.ports[placed.port].virtual_macs.push_back(*placed.vmac);
        }
      }
      placed.vrid = *instance.virtual_router_id;
      placed.group = instance.group;
      placed.is_unicast = !instance.unicast_peers.empty();
      placed.lease = lease_of(placed);
      topology_.instances.push_back(placed);
      for (const auto* list : {&instance.vips, &instance.excluded_vips}) {
        for (const config::VipAddress& vip : *list) place_vrrp_vip(placed, instance, vip);
      }
    }
    const auto is_too_high = [](const PlacedInstance& each) {
      return each.lease >= lb::kMaxLeases;
    };
    if (std::ranges::any_of(topology_.instances, is_too_high)) {
      diagnostics_.fatal({}, "vrrp_instance",
                         "more than " + std::to_string(lb::kMaxLeases) + " instances",
                         "at a reload, those that go count as well");
    }
  }

  // At a reload a router keeps its own. A new one takes one that nobody had, as those that go have
  // theirs until the very end.
  lb::LeaseSlot lease_of(const PlacedInstance& placed) const {
    std::set<lb::LeaseSlot> used;
    for (const PlacedInstance& other : topology_.instances) used.insert(other.lease);
    if (running_ != nullptr) {
      for (const PlacedInstance& before : running_->instances) {
        if (before.is_same_router(placed) && !used.contains(before.lease)) return before.lease;
        used.insert(before.lease);
      }
    }
    lb::LeaseSlot lease = 0;
    while (used.contains(lease)) ++lease;
    return lease;
  }

  void place_vrrp_vip(const PlacedInstance& instance, const config::VrrpInstance& configured,
                      const config::VipAddress& vip) {
    const auto port = attach(kernel_.find_link(vip.dev), position_of(vip.dev), vip.dev);
    if (!port) return;
    if (const PlacedVip* same = topology_.find_vip(vip.address)) {
      diagnostics_.fatal(vip.position, "virtual_ipaddress",
                         net::to_string(vip.address) + " is a VIP on " +
                             topology_.ports[same->port].netdev + " already",
                         "each address once; link-local ones, too, have to differ");
      return;
    }
    PlacedVip placed;
    placed.address = vip.address;
    placed.prefix_length = vip.prefix_length;
    placed.label = vip.label;
    placed.port = *port;
    placed.lease = instance.lease;
    placed.mac = mac_on(instance, *port);
    // Only an owner has the address anyway; on any other node somebody has left it behind.
    const bool is_owner = *configured.priority == kOwnerPriority;
    placed.is_ours = !is_owner || !kernel_.has_address(placed.address);
    placed.is_accepted = *configured.accept;
    topology_.vips.push_back(placed);
  }

  void place_services() {
    for (const config::LocalAddresses& group : config_.dataplane.local_addresses) {
      for (const net::IpAddr& address : group.addresses) place_local(group, address);
    }
    for (const config::VirtualServer& server : config_.virtual_servers) {
      if (topology_.find_vip(server.address) == nullptr) place_lone_vip(server);
      for (const config::RealServer& real : server.real_servers) {
        attach_route(real.address, real.position);
      }
      if (server.sorry_server) {
        attach_route(server.sorry_server->target.address, server.sorry_server->position);
      }
    }
  }

  // The interface whose network contains the address. One that the node has on its loopback is
  // routed to it, and belongs where the default route leads.
  const Link* home_of(const net::IpAddr& address) const {
    const Address* home = nullptr;
    for (const Address& own : kernel_.addresses) {
      const Link* link = kernel_.find_link(own.ifindex);
      if (link == nullptr || !link->is_ethernet || !own.prefix.contains(address)) continue;
      if (home == nullptr || own.prefix.length > home->prefix.length) home = &own;
    }
    if (home != nullptr) return kernel_.find_link(home->ifindex);
    if (!kernel_.has_address(address) || is_loopback(address)) return nullptr;
    const KernelRoute* route = default_route(address.is_v6());
    return route == nullptr ? nullptr : kernel_.find_link(route->ifindex);
  }

  // A VIP that is in no vrrp_instance: served by this node alone.
  void place_lone_vip(const config::VirtualServer& server) {
    const net::IpAddr& address = server.address;
    const bool is_vrrp_vip =
        std::find(vrrp_vips_.begin(), vrrp_vips_.end(), address) != vrrp_vips_.end();
    auto placed = at_home(address, server.position, "virtual_server", "in no vrrp_instance and ",
                          "add it to a virtual_ipaddress block, or give an interface an address "
                          "of its network");
    if (!placed) return;
    // With -C somebody else speaks VRRP and installs the address.
    placed->is_ours = !is_vrrp_vip && !kernel_.has_address(address);
    topology_.vips.push_back(*placed);
  }

  // On the port of the network that has it; nothing: said why.
  std::optional<PlacedVip> at_home(const net::IpAddr& address, const config::Position& at,
                                   const char* keyword, const std::string& moreover,
                                   const char* hint) {
    const Link* link = home_of(address);
    if (link == nullptr) {
      diagnostics_.fatal(at, keyword,
                         net::to_string(address) + " is " + moreover + "in no network of this node",
                         hint);
      return std::nullopt;
    }
    const auto port = attach(link, at, link->name);
    if (!port) return std::nullopt;
    PlacedVip placed;
    placed.address = address;
    placed.prefix_length = static_cast<std::uint8_t>(address.max_prefix_length());
    placed.port = *port;
    placed.mac = topology_.ports[*port].mac;
    return placed;
  }

  // Comes and goes with the VIPs of its instance.
  void place_local(const config::LocalAddresses& group, const net::IpAddr& address) {
    if (kernel_.has_address(address)) {
      diagnostics_.fatal(group.position, "local_address",
                         net::to_string(address) + " is an address of this node itself",
                         "use addresses that nobody has: keepline answers for them");
      return;
    }
    auto placed = at_home(address, group.position, "local_address", "",
                          "use addresses of the network that leads to the real servers");
    if (!placed) return;
    placed->is_local = true;
    const auto& instances = config_.vrrp_instances;
    const auto owner = std::ranges::find(instances, group.instance, &config::VrrpInstance::name);
    if (mode_.vrrp && owner != instances.end()) {
      const PlacedInstance& of =
          topology_.instances[static_cast<std::size_t>(owner - instances.begin())];
      placed->lease = of.lease;
      placed->mac = mac_on(of, placed->port);
    }
    topology_.vips.push_back(*placed);
  }

  // With a virtual MAC, that is what the instance's own interface answers with.
  net::Mac mac_on(const PlacedInstance& instance, net::PortId port) const {
    return port == instance.port && instance.vmac ? *instance.vmac : topology_.ports[port].mac;
  }

  // Sessions live on the interfaces that lead to the neighbours.
  void attach_bfd() {
    for (const config::BfdInstance& bfd : config_.bfd_instances) {
      if (kernel_.has_address(bfd.neighbour)) {
        diagnostics_.fatal(bfd.position, "neighbor_ip",
                           net::to_string(bfd.neighbour) + " is an address of this node itself",
                           "neighbor_ip is the other node's address, source_ip this one's");
      } else {
        attach_way(bfd.neighbour, bfd.position, "bfd_instance");
      }
    }
  }

  void attach_route(const net::IpAddr& destination, const config::Position& at) {
    if (kernel_.has_address(destination)) {
      diagnostics_.fatal(at, "real_server",
                         net::to_string(destination) + " is an address of this node itself",
                         "run the service on another node, or bind it to the VIP without a "
                         "virtual_server");
      return;
    }
    attach_way(destination, at, "real_server");
  }

  void attach_way(const net::IpAddr& destination, const config::Position& at, const char* keyword) {
    const KernelRoute* route = kernel_.find_route(destination);
    if (route == nullptr) {
      diagnostics_.warning(at, keyword,
                           "no route to " + net::to_string(destination) +
                               ": its interface is not attached, packets for it are dropped",
                           "add the route and start again", config::Effect::kNone);
      return;
    }
    const Link* link = kernel_.find_link(route->ifindex);
    if (link != nullptr) attach(link, at, link->name);
  }

  const KernelRoute* default_route(bool v6) const {
    const KernelRoute* route = nullptr;
    for (const KernelRoute& candidate : kernel_.routes) {
      const net::Prefix& destination = candidate.destination;
      if (destination.length != 0 || destination.address.is_v6() != v6) continue;
      if (route == nullptr || candidate.metric < route->metric) route = &candidate;
    }
    return route;
  }

  // Clients come and go through the default route of their family, if there is one that can be
  // attached.
  void attach_default_route(bool v6) {
    const bool has_services =
        std::any_of(config_.virtual_servers.begin(), config_.virtual_servers.end(),
                    [v6](const auto& server) { return server.address.is_v6() == v6; });
    const KernelRoute* route = default_route(v6);
    if (route == nullptr || !mode_.services || !has_services) return;
    const Link* link = kernel_.find_link(route->ifindex);
    if (link == nullptr || running_ != nullptr || topology_.port_of(link->ifindex)) return;
    if (link->is_ethernet && link->mtu <= kMaxAfXdpMtu) attach(link, {}, link->name);
  }

  void set_source(std::size_t index) {
    PlacedInstance& placed = topology_.instances[index];
    if (placed.port == net::kNoPort) return;
    placed.source = source_of(config_.vrrp_instances[index], kernel_,
                              topology_.ports[placed.port].ifindex, topology_);
  }

  const config::Config& config_;
  const KernelView& kernel_;
  Mode mode_;
  config::Diagnostics& diagnostics_;
  const Topology* running_;  // nullptr: at start
  std::vector<config::InterfaceMention> mentions_;
  std::vector<net::IpAddr> vrrp_vips_;
  Topology topology_;
  Attacher attacher_;
};

}  // namespace

Topology make_topology(const config::Config& config, const KernelView& kernel, Mode mode,
                       config::Diagnostics& diagnostics, const Topology* running) {
  if (running == nullptr) return Builder(config, kernel, mode, diagnostics, nullptr).build();
  // What we have given to the kernel ourselves is no address of this node.
  KernelView without = kernel;
  std::erase_if(without.addresses, [running](const Address& own) {
    const PlacedVip* vip = running->find_vip(own.prefix.address);
    return vip != nullptr && vip->is_installed();
  });
  return Builder(config, without, mode, diagnostics, running).build();
}

}  // namespace keepline::control
