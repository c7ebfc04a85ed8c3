#include "control/port_filters.h"

namespace keepline::control {

namespace {

// Adverts come through the instance's interface, claims (dataplane/neigh/claim.h) for VIPs on
// others through those.
std::set<Memberships::Group> groups_of(const Topology& topology) {
  std::set<Memberships::Group> groups;
  for (const PlacedInstance& instance : topology.instances) {
    groups.emplace(topology.ports[instance.port].ifindex, instance.group);
  }
  for (const PlacedVip& vip : topology.vips) {
    const auto index = topology.instance_of(vip.lease);
    if (!index) continue;
    const net::IpAddr& group = topology.instances[*index].group;
    if (group.is_v6() == vip.address.is_v6()) {
      groups.emplace(topology.ports[vip.port].ifindex, group);
    }
  }
  return groups;
}

}  // namespace

tl::expected<void, std::string> PortFilters::widen_for(const PlacedPort& port) {
  if (port.virtual_macs.empty()) return {};
  if (!deliveries_.contains(port.ifindex)) {
    auto delivery = port::VirtualMacs::attach(port.ifindex);
    if (!delivery) return tl::unexpected(delivery.error());
    deliveries_[port.ifindex] = std::move(*delivery);
  }
  for (const net::Mac& mac : port.virtual_macs) {
    if (const auto added = memberships_.add({port.ifindex, mac}); !added) return added;
  }
  return {};
}

tl::expected<void, std::string> PortFilters::widen(const Topology& topology) {
  for (const PlacedPort& port : topology.ports) {
    if (const auto done = widen_for(port); !done) {
      return tl::unexpected("interface " + port.netdev + ": " + done.error());
    }
  }
  for (const Memberships::Group& group : groups_of(topology)) {
    if (const auto joined = memberships_.join(group); !joined) return joined;
  }
  return {};
}

void PortFilters::narrow(const Topology& topology) {
  std::set<Memberships::MacAddress> macs;
  for (const PlacedPort& port : topology.ports) {
    for (const net::Mac& mac : port.virtual_macs) macs.emplace(port.ifindex, mac);
    if (port.virtual_macs.empty()) deliveries_.erase(port.ifindex);
  }
  memberships_.keep_only(groups_of(topology), macs);
}

void PortFilters::accept(const PlacedInstance& instance, const Topology& topology) {
  if (!instance.vmac) return;
  deliveries_.at(topology.ports[instance.port].ifindex)->accept(*instance.vmac);
}

void PortFilters::refuse(const PlacedInstance& instance, const Topology& topology) {
  if (!instance.vmac) return;
  deliveries_.at(topology.ports[instance.port].ifindex)->refuse(*instance.vmac);
}

}  // namespace keepline::control
