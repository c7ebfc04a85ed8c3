#include "control/dataplane_config.h"

#include <random>

#include "control/kernel/channels.h"

namespace keepline::control {

namespace {

std::uint32_t seconds(std::uint64_t us) {
  return static_cast<std::uint32_t>(us / 1'000'000);
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
  for (const PlacedPort& port : topology.ports) {
    worker::PortConfig wanted;
    wanted.netdev = port.netdev;
    wanted.ifindex = port.ifindex;
    wanted.mtu = port.mtu;
    wanted.pci = port.device.pci;
    wanted.vdev = port.device.vdev;
    wanted.virtual_macs = port.virtual_macs;
    wanted.queues = port.is_owned() ? config.dataplane.workers : queue_count(port.netdev);
    if (port.is_owned()) wanted.tap = taps.at(port.netdev);
    result.ports.push_back(std::move(wanted));
  }
  return result;
}

}  // namespace keepline::control
