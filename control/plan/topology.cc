#include "control/plan/topology.h"

#include <algorithm>

namespace keepline::control {

std::vector<PlacedNic> Topology::nics() const {
  std::vector<PlacedNic> all;
  for (const PlacedDevice& device : devices) {
    all.insert(all.end(), device.nics.begin(), device.nics.end());
  }
  return all;
}

std::optional<net::PortId> Topology::port_of(unsigned ifindex) const {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].ifindex == ifindex) return static_cast<net::PortId>(i);
  }
  return std::nullopt;
}

net::PortId Topology::tap_of(net::PortId port) const {
  std::size_t id = ports.size();
  for (net::PortId other = 0; other < port; ++other) id += is_owned(ports[other]) ? 1 : 0;
  return static_cast<net::PortId>(id);
}

const PlacedVip* Topology::find_vip(const net::IpAddr& address) const {
  const auto found = std::find_if(vips.begin(), vips.end(),
                                  [&](const PlacedVip& vip) { return vip.address == address; });
  return found == vips.end() ? nullptr : &*found;
}

std::optional<std::size_t> Topology::instance_of(lb::LeaseSlot lease) const {
  const auto found = std::ranges::find(instances, lease, &PlacedInstance::lease);
  if (found == instances.end()) return std::nullopt;
  return static_cast<std::size_t>(found - instances.begin());
}

net::IpAddr primary_address(const KernelView& kernel, unsigned ifindex, bool is_v6,
                            const Topology& topology) {
  const Address* best = nullptr;
  for (const Address& own : kernel.addresses) {
    if (own.ifindex != ifindex || own.prefix.address.is_v6() != is_v6) continue;
    if (is_v6 && !net::is_link_local(own.prefix.address.v6())) continue;
    const PlacedVip* vip = topology.find_vip(own.prefix.address);
    if (vip != nullptr && vip->is_ours) continue;
    if (best == nullptr || (best->is_secondary && !own.is_secondary)) best = &own;
  }
  if (best != nullptr) return best->prefix.address;
  return is_v6 ? net::IpAddr(net::Ip6()) : net::IpAddr();
}

net::IpAddr source_of(const config::VrrpInstance& instance, const KernelView& kernel,
                      unsigned ifindex, const Topology& topology) {
  if (!instance.source) return primary_address(kernel, ifindex, instance.is_v6, topology);
  const bool must_be_there = instance.track_src_ip;
  return must_be_there && !kernel.has_address(*instance.source) ? net::IpAddr() : *instance.source;
}

Topology with_macs_of(const KernelView& kernel, const Topology& topology) {
  Topology result = topology;
  for (std::size_t id = 0; id < result.ports.size(); ++id) {
    PlacedPort& port = result.ports[id];
    const Link* link = kernel.find_link(port.ifindex);
    if (link == nullptr) continue;
    for (PlacedVip& vip : result.vips) {
      if (vip.port == id && vip.mac == port.mac) vip.mac = link->mac;  // else a virtual one
    }
    port.mac = link->mac;
  }
  return result;
}

std::uint32_t nics_in_use(const PlacedDevice& bond, const KernelView& kernel) {
  std::uint32_t result = 0;
  for (std::size_t n = 0; n < bond.nics.size(); ++n) {
    const Link* link = kernel.find_link(bond.nics[n].ifindex);
    if (link != nullptr && link->bond == bond.ifindex && link->carries) result |= 1u << n;
  }
  return result;
}

}  // namespace keepline::control
