#include "control/plan/steering.h"

namespace keepline::control {

namespace {

// Answers of NATed servers are the dataplane's; those of FULLNAT go to addresses that are.
void add_real(const lb::RealServer& real, net::Protocol protocol, DeviceSteering& steering) {
  if (real.method == lb::Method::kTunnel) steering.addresses[real.endpoint.address].tunnel = true;
  if (real.method != lb::Method::kNat) return;
  steering.reals.push_back({real.endpoint, protocol});
  steering.addresses[real.endpoint.address].real = true;
}

}  // namespace

// Every device gets the same addresses and services: a client may come in anywhere. MACs differ.
std::vector<DeviceSteering> steering_of(const config::Config& config, const Topology& topology,
                                        const KernelView& kernel, Mode mode,
                                        const std::vector<PlannedService>& services) {
  DeviceSteering common;
  for (const Address& own : kernel.addresses) {
    common.addresses[own.prefix.address].own = true;
  }
  for (const PlacedVip& vip : topology.vips) {
    DeviceSteering::AddressUse& use = common.addresses[vip.address];
    use.answer = vip.is_answered();
    use.own = !use.answer;
    use.local = vip.is_local;
    use.refuse = !vip.is_accepted;
  }
  for (const PlannedService& planned : services) {
    const lb::Service& service = *planned.service;
    common.addresses[service.vip.address].service = true;
    common.services.push_back({service.vip, service.protocol});
    for (const lb::RealServer& real : planned.reals) {
      add_real(real, service.protocol, common);
    }
    if (planned.sorry.slot != 0) add_real(planned.sorry, service.protocol, common);
    for (const lb::LeavingServer& each : service.leaving) {
      add_real(each.real, service.protocol, common);
    }
  }
  for (const config::BfdInstance& bfd : config.bfd_instances) {
    DeviceSteering::AddressUse& use = common.addresses[bfd.neighbour];
    (bfd.is_multihop ? use.bfd_multihop : use.bfd) = mode.bfd;
  }
  std::vector<DeviceSteering> result(topology.devices.size(), common);
  for (const PlacedPort& port : topology.ports) {
    DeviceSteering& steering = result[port.device];
    steering.macs.insert(steering.macs.end(), port.virtual_macs.begin(), port.virtual_macs.end());
    steering.macs.push_back(port.mac);
    steering.vlans.push_back(port.vlan);
  }
  if (!mode.vrrp) return result;
  for (std::size_t i = 0; i < topology.instances.size(); ++i) {
    const net::PortId port = topology.instances[i].port;
    if (port == net::kNoPort) continue;
    const config::VrrpInstance& instance = config.vrrp_instances[i];
    DeviceSteering& steering = result[topology.ports[port].device];
    if (instance.unicast_peers.empty()) {
      steering.addresses[instance.group].vrrp = true;
      continue;
    }
    // Peers may know us by any address of the interface.
    for (const Address& own : kernel.addresses) {
      if (own.ifindex != topology.ports[port].ifindex) continue;
      steering.addresses[own.prefix.address].vrrp = true;
    }
  }
  return result;
}

}  // namespace keepline::control
