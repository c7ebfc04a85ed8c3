#include "control/dataplane_config.h"

#include <random>
#include <stdexcept>

#include "control/kernel/ethtool.h"

namespace keepline::control {

namespace {

std::uint32_t seconds(std::uint64_t us) {
  return static_cast<std::uint32_t>(us / 1'000'000);
}

worker::DeviceConfig device_config(const PlacedDevice& device, unsigned workers, const Taps& taps) {
  worker::DeviceConfig result;
  result.netdev = device.netdev;
  for (const PlacedNic& nic : device.nics) result.nics.push_back({nic.netdev, nic.ifindex});
  result.mtu = device.mtu;
  result.pci = device.owned.pci;
  result.vdev = device.owned.vdev;
  result.queues = device.is_owned() ? workers : queue_count(device.nics.front().netdev);
  for (const PlacedNic& nic : device.nics) {
    if (queue_count(nic.netdev) == result.queues) continue;
    throw std::runtime_error("the NICs of bond " + device.netdev +
                             " have different numbers of queues: `ethtool -L " + nic.netdev +
                             " combined " + std::to_string(result.queues) + "` may help");
  }
  if (device.is_owned()) result.tap = taps.at(device.netdev);
  return result;
}

}  // namespace

worker::DataplaneConfig dataplane_config(const Options& options, const config::Config& config,
                                         const Topology& topology, const Taps& taps) {
  worker::DataplaneConfig result;
  // Nobody outside may guess which flows share a bucket. Nodes that share connections will have
  // to share it, too.
  std::random_device random;
  result.pipeline.hash_key = std::uint64_t{random()} << 32 | random();
  result.file_prefix = options.instance;
  result.pipeline.connections = config.dataplane.connections;
  result.pipeline.half_open_percent = config.dataplane.half_open_percent;
  result.pipeline.full_nat = !config.dataplane.local_addresses.empty();
  result.workers = config.dataplane.workers;
  result.pipeline.timeouts.tcp_s = seconds(config.global.lvs_timeouts.tcp_us);
  result.pipeline.timeouts.tcp_fin_s = seconds(config.global.lvs_timeouts.tcpfin_us);
  result.pipeline.timeouts.udp_s = seconds(config.global.lvs_timeouts.udp_us);
  result.idle = config.dataplane.idle == config::IdlePolicy::kPoll ? worker::IdleMode::kPoll
                                                                   : worker::IdleMode::kAdaptive;
  for (const PlacedDevice& device : topology.devices) {
    result.devices.push_back(device_config(device, config.dataplane.workers, taps));
  }
  for (const PlacedPort& port : topology.ports) result.ports.push_back({port.device, port.vlan});
  return result;
}

void use_bonds(worker::Dataplane& dataplane, const Topology& topology, const KernelView& kernel) {
  for (std::size_t device = 0; device < topology.devices.size(); ++device) {
    const PlacedDevice& placed = topology.devices[device];
    if (placed.nics.size() > 1) dataplane.use_nics(device, nics_in_use(placed, kernel));
  }
}

}  // namespace keepline::control
