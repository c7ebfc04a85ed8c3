// make_topology(): what is attached and where each VIP belongs, or why that cannot be.
#include "control/plan/topology.h"

#include <algorithm>
#include <set>

#include "control/config/load.h"

namespace keepline::control {

namespace {

constexpr std::uint8_t kOwnerPriority = 255;
constexpr std::size_t kMaxBondNics = 8;

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
          config::Diagnostics& diagnostics)
      : config_(config),
        kernel_(kernel),
        mode_(mode),
        diagnostics_(diagnostics),
        mentions_(config::mentioned_interfaces(config)) {}

  Topology build() {
    collect_vrrp_vips();
    for (const config::DataplanePort& port : config_.dataplane.ports) {
      attach(kernel_.find_link(port.interface), port.position, port.interface);
    }
    if (mode_.vrrp) place_instances();
    if (mode_.services) place_services();
    if (!topology_.ports.empty()) {
      for (const bool v6 : {false, true}) attach_default_route(v6);
    }
    for (std::size_t i = 0; i < topology_.instances.size(); ++i) set_source(i);
    return std::move(topology_);
  }

 private:
  // The port of an interface, attached if it was not yet; nothing (and a diagnostic) if it
  // cannot be.
  std::optional<net::PortId> attach(const Link* link, const config::Position& at,
                                    const std::string& name) {
    if (link == nullptr) {
      // Said once, however often it is mentioned.
      if (missing_.insert(name).second) {
        diagnostics_.fatal(at, "interface", "interface " + name + " does not exist",
                           "`ip link` lists the interfaces of this machine");
      }
      return std::nullopt;
    }
    if (const auto port = topology_.port_of(link->ifindex)) return port;
    const auto device = device_below(*link, at);
    if (!device) return std::nullopt;
    const std::size_t needed = topology_.devices[*device].is_owned() ? 2 : 1;
    if (ids_ + needed > net::kMaxPorts) {
      diagnostics_.fatal(at, "interface",
                         "more than " + std::to_string(net::kMaxPorts) + " interfaces needed");
      return std::nullopt;
    }
    ids_ += needed;
    topology_.ports.push_back(
        {link->name, link->ifindex, link->mac, link->mtu, {}, *device, link->vlan});
    return static_cast<net::PortId>(topology_.ports.size() - 1);
  }

  // What the interface's frames go through; nothing (and a diagnostic) if it cannot be attached.
  std::optional<std::size_t> device_below(const Link& link, const config::Position& at) {
    const Link* lower = link.kind == "vlan" ? kernel_.find_link(link.lower) : &link;
    if (lower == nullptr || (lower != &link && lower->kind == "vlan")) {
      diagnostics_.fatal(
          at, "interface",
          "VLAN " + link.name +
              (lower == nullptr ? " has its device in another namespace" : " is of a VLAN itself") +
              ": the dataplane cannot tag its frames",
          "use a VLAN of a NIC of this namespace");
      return std::nullopt;
    }
    if (lower != &link && link.vlan == 0) {
      diagnostics_.fatal(at, "interface", "VLAN " + link.name + " has tags of another kind",
                         "ip link add ... type vlan proto 802.1Q id NUMBER");
      return std::nullopt;
    }
    if (const Link* bond = kernel_.find_link(lower->bond); lower->bond != 0 && bond != nullptr) {
      diagnostics_.fatal(at, "interface", lower->name + " is a NIC of bond " + bond->name,
                         "use " + bond->name);
      return std::nullopt;
    }
    auto& devices = topology_.devices;
    const auto known = std::ranges::find(devices, lower->ifindex, &PlacedDevice::ifindex);
    if (known != devices.end()) return static_cast<std::size_t>(known - devices.begin());
    PlacedDevice device{lower->name, lower->ifindex, lower->mtu, {}, owned_port(lower->name)};
    if (!can_attach(*lower, at)) return std::nullopt;
    if (lower->kind == "bond") {
      if (!add_nics(*lower, at, device)) return std::nullopt;
    } else if (!device.is_owned()) {
      device.nics.push_back({lower->name, lower->ifindex});
    }
    devices.push_back(std::move(device));
    return devices.size() - 1;
  }

  // The bond's NICs as they are now: one that joins later is not used before the next start.
  bool add_nics(const Link& bond, const config::Position& at, PlacedDevice& device) {
    for (const Link& link : kernel_.links) {
      if (link.bond != bond.ifindex) continue;
      if (!can_attach(link, at)) return false;
      device.nics.push_back({link.name, link.ifindex});
    }
    if (!device.nics.empty() && device.nics.size() <= kMaxBondNics) return true;
    diagnostics_.fatal(
        at, "interface",
        "bond " + bond.name + " has " + std::to_string(device.nics.size()) + " NICs",
        "ip link set NIC master " + bond.name + ", for up to " + std::to_string(kMaxBondNics));
    return false;
  }

  // Without a name: the netdev stays the kernel's.
  config::DataplanePort owned_port(const std::string& name) const {
    for (const config::DataplanePort& port : config_.dataplane.ports) {
      if (port.interface == name) return port;
    }
    return {};
  }

  // Where the file first names the interface.
  config::Position position_of(const std::string& name) const {
    for (const config::InterfaceMention& mention : mentions_) {
      if (mention.name == name) return mention.position;
    }
    return {};
  }

  bool can_attach(const Link& link, const config::Position& at) {
    if (!link.is_ethernet) {
      diagnostics_.fatal(at, "interface",
                         "interface " + link.name + " is not Ethernet: AF_XDP cannot carry it",
                         "use a plain NIC");
      return false;
    }
    if (link.mtu > kMaxAfXdpMtu) {
      diagnostics_.fatal(at, "interface",
                         "the MTU of " + link.name + " is " + std::to_string(link.mtu) +
                             ", but AF_XDP carries at most " + std::to_string(kMaxAfXdpMtu),
                         "ip link set " + link.name + " mtu 1500");
      return false;
    }
    return true;
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
    for (std::size_t i = 0; i < config_.vrrp_instances.size(); ++i) {
      const config::VrrpInstance& instance = config_.vrrp_instances[i];
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
      topology_.instances.push_back(placed);
      const auto lease = static_cast<lb::LeaseSlot>(i);
      for (const auto* list : {&instance.vips, &instance.excluded_vips}) {
        const bool is_owner = *instance.priority == kOwnerPriority;
        for (const config::VipAddress& vip : *list) place_vrrp_vip(placed, lease, vip, is_owner);
      }
    }
    if (config_.vrrp_instances.size() > lb::kMaxLeases) {
      diagnostics_.fatal({}, "vrrp_instance",
                         "more than " + std::to_string(lb::kMaxLeases) + " instances");
    }
  }

  void place_vrrp_vip(const PlacedInstance& instance, lb::LeaseSlot lease,
                      const config::VipAddress& vip, bool is_owner) {
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
    placed.lease = lease;
    placed.mac = mac_on(instance, *port);
    // Only an owner has the address anyway; on any other node somebody has left it behind.
    placed.is_ours = !is_owner || !kernel_.has_address(placed.address);
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
      const auto index = static_cast<std::size_t>(owner - instances.begin());
      placed->lease = static_cast<lb::LeaseSlot>(index);
      placed->mac = mac_on(topology_.instances[index], placed->port);
    }
    topology_.vips.push_back(*placed);
  }

  // With a virtual MAC, that is what the instance's own interface answers with.
  net::Mac mac_on(const PlacedInstance& instance, net::PortId port) const {
    return port == instance.port && instance.vmac ? *instance.vmac : topology_.ports[port].mac;
  }

  void attach_route(const net::IpAddr& destination, const config::Position& at) {
    if (kernel_.has_address(destination)) {
      diagnostics_.fatal(at, "real_server",
                         net::to_string(destination) + " is an address of this node itself",
                         "run the service on another node, or bind it to the VIP without a "
                         "virtual_server");
      return;
    }
    const KernelRoute* route = kernel_.find_route(destination);
    if (route == nullptr) {
      diagnostics_.warning(at, "real_server",
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
    if (link == nullptr || topology_.port_of(link->ifindex)) return;
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
  std::vector<config::InterfaceMention> mentions_;
  std::set<std::string> missing_;
  std::vector<net::IpAddr> vrrp_vips_;
  Topology topology_;
  std::size_t ids_ = 0;  // of ports, those of TAPs included
};

}  // namespace

Topology make_topology(const config::Config& config, const KernelView& kernel, Mode mode,
                       config::Diagnostics& diagnostics) {
  return Builder(config, kernel, mode, diagnostics).build();
}

}  // namespace keepline::control
