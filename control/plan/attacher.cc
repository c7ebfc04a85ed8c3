#include "control/plan/attacher.h"

#include <algorithm>

namespace keepline::control {

namespace {

constexpr std::size_t kMaxBondNics = 8;

}  // namespace

Attacher::Attacher(const config::Config& config, const KernelView& kernel,
                   config::Diagnostics& diagnostics, const Topology* running, Topology& topology)
    : config_(config),
      kernel_(kernel),
      diagnostics_(diagnostics),
      is_running_(running != nullptr),
      topology_(topology) {
  if (running == nullptr) return;
  topology_.devices = running->devices;
  topology_.ports = running->ports;
  for (PlacedPort& port : topology_.ports) port.virtual_macs.clear();
}

std::optional<net::PortId> Attacher::attach(const Link* link, const config::Position& at,
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
  if (is_running_) {
    if (missing_.insert(name).second) {
      diagnostics_.fatal(at, "interface",
                         "interface " + name + " was not attached when keeplined started",
                         "a reload cannot attach it: restart keeplined");
    }
    return std::nullopt;
  }
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
std::optional<std::size_t> Attacher::device_below(const Link& link, const config::Position& at) {
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
bool Attacher::add_nics(const Link& bond, const config::Position& at, PlacedDevice& device) {
  for (const Link& link : kernel_.links) {
    if (link.bond != bond.ifindex) continue;
    if (!can_attach(link, at)) return false;
    device.nics.push_back({link.name, link.ifindex});
  }
  if (!device.nics.empty() && device.nics.size() <= kMaxBondNics) return true;
  diagnostics_.fatal(
      at, "interface", "bond " + bond.name + " has " + std::to_string(device.nics.size()) + " NICs",
      "ip link set NIC master " + bond.name + ", for up to " + std::to_string(kMaxBondNics));
  return false;
}

// Without a name: the netdev stays the kernel's.
config::DataplanePort Attacher::owned_port(const std::string& name) const {
  for (const config::DataplanePort& port : config_.dataplane.ports) {
    if (port.interface == name) return port;
  }
  return {};
}

bool Attacher::can_attach(const Link& link, const config::Position& at) {
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

}  // namespace keepline::control
