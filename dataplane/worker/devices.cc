#include "dataplane/worker/devices.h"

#include <algorithm>
#include <bit>

namespace keepline::worker {

namespace {

constexpr unsigned kBuffersPerQueue = 8192;

unsigned largest_mtu(const std::vector<DeviceConfig>& devices) {
  unsigned mtu = 1500;
  for (const DeviceConfig& device : devices) mtu = std::max(mtu, device.mtu);
  return mtu;
}

port::Reach reach_of(const std::vector<DeviceConfig>& devices) {
  return pci_addresses(devices).empty() ? port::Reach::kKernel : port::Reach::kNics;
}

}  // namespace

std::vector<std::string> pci_addresses(const std::vector<DeviceConfig>& devices) {
  std::vector<std::string> result;
  for (const DeviceConfig& device : devices) {
    if (!device.pci.empty()) result.push_back(device.pci);
  }
  return result;
}

// Each queue's fill ring, its transmit ring and what is on its way; a power of two less one is what
// a mempool holds best.
unsigned buffer_count(const std::vector<DeviceConfig>& devices) {
  unsigned queues = 1;
  for (const DeviceConfig& device : devices) {
    queues += device.queues * std::max<unsigned>(1, static_cast<unsigned>(device.nics.size()));
  }
  return std::bit_ceil(kBuffersPerQueue * queues) - 1;
}

unsigned memory_mb(const std::vector<DeviceConfig>& devices) {
  constexpr unsigned kAroundFrame = 1024;
  constexpr unsigned kForNic = 4096;
  const std::uint64_t each =
      reach_of(devices) == port::Reach::kNics ? kForNic : largest_mtu(devices) + kAroundFrame;
  return static_cast<unsigned>(buffer_count(devices) * each >> 20) + 64;
}

Devices::Devices(const std::vector<DeviceConfig>& configs, unsigned workers)
    : workers_(workers), pool_(buffer_count(configs), largest_mtu(configs), reach_of(configs)) {}

Devices::~Devices() {
  ports_.clear();
  for (Device& device : devices_) {
    device.ethdevs.clear();
    for (const NicConfig& nic : device.nics) port::detach_xdp(nic.ifindex);
  }
}

tl::expected<void, std::string> Devices::open(const std::vector<DeviceConfig>& devices,
                                              const std::vector<PortConfig>& ports) {
  for (const DeviceConfig& device : devices) {
    if (auto opened = open(device); !opened) return opened;
  }
  place(ports);
  return {};
}

tl::expected<void, std::string> Devices::open(const DeviceConfig& config) {
  Device& device = devices_.emplace_back();
  device.tap = config.tap;
  if (config.is_owned()) {
    auto opened = open_owned(config);
    if (!opened) {
      return tl::unexpected("port " + config.netdev + ": DPDK does not take " + config.pci +
                            config.vdev + ": " + opened.error());
    }
    device.ethdevs.push_back(std::move(*opened));
    return config.tap->wear(device.ethdevs.front()->mac());
  }
  if (config.nics.size() > 1) device.bond = std::make_unique<port::BondState>();
  for (const NicConfig& nic : config.nics) {
    auto opened = open_nic(nic, {.queues = config.queues});
    if (!opened) {
      return tl::unexpected("interface " + nic.netdev +
                            " cannot be attached through AF_XDP: " + opened.error());
    }
    device.ethdevs.push_back(std::move(*opened));
    device.nics.push_back(nic);
  }
  return {};
}

port::EthdevDevice::Opened Devices::open_nic(const NicConfig& nic,
                                             const port::DeviceOptions& options) {
  return port::EthdevDevice::open(
      "net_af_xdp" + std::to_string(opened_++),
      "iface=" + nic.netdev + ",start_queue=0,queue_count=" + std::to_string(options.queues) +
          ",xdp_prog=" + steer_object_.path(),
      options, pool_);
}

port::EthdevDevice::Opened Devices::open_owned(const DeviceConfig& config) {
  const port::DeviceOptions options{config.queues, true, config.mtu};
  if (!config.pci.empty()) return port::EthdevDevice::find(config.pci, options, pool_);
  const std::size_t comma = std::min(config.vdev.find(','), config.vdev.size());
  const std::size_t rest = std::min(comma + 1, config.vdev.size());
  return port::EthdevDevice::open(config.vdev.substr(0, comma), config.vdev.substr(rest), options,
                                  pool_);
}

void Devices::place(const std::vector<PortConfig>& configs) {
  const auto owner = [this](std::size_t n) { return static_cast<unsigned>(n % workers_); };
  for (const PortConfig& port : configs) {
    places_.push_back({port.device, port.vlan, false, owner(port.device)});
  }
  for (const PortConfig& port : configs) {
    if (devices_[port.device].tap == nullptr) continue;
    places_.push_back({port.device, port.vlan, true, owner(port.device + 1)});
  }
}

Devices::Ids Devices::ports_on(std::size_t device, bool is_tap) const {
  Ids ids;
  for (std::size_t id = 0; id < places_.size(); ++id) {
    if (places_[id].device == device && places_[id].is_tap == is_tap) ids.push_back(id);
  }
  return ids;
}

std::vector<port::Port*> Devices::ports_of(unsigned worker) {
  std::vector<port::Port*> result(places_.size(), nullptr);
  for (std::size_t device = 0; device < devices_.size(); ++device) {
    for (const bool is_tap : {false, true}) {
      const Ids ids = ports_on(device, is_tap);
      if (ids.empty()) continue;
      port::Port* all = is_tap ? tap_of(device, worker) : queues_of(device, worker);
      if (all != nullptr) share(*all, ids, result);
    }
  }
  return result;
}

port::Port* Devices::keep(std::unique_ptr<port::Port> port) {
  ports_.push_back(std::move(port));
  return ports_.back().get();
}

// Queues are dealt out in turn, from the device's owner on; nullptr: the worker gets none. Of each
// NIC of a bond it gets the same ones.
port::Port* Devices::queues_of(std::size_t device, unsigned worker) {
  std::vector<std::unique_ptr<port::Port>> nics;
  for (const auto& ethdev : devices_[device].ethdevs) {
    std::vector<std::uint16_t> queues;
    for (unsigned queue = 0; queue < ethdev->queues(); ++queue) {
      if ((device + queue) % workers_ != worker) continue;
      queues.push_back(static_cast<std::uint16_t>(queue));
    }
    if (queues.empty()) return nullptr;
    nics.push_back(std::make_unique<port::EthdevPort>(*ethdev, std::move(queues)));
  }
  if (devices_[device].bond == nullptr) return keep(std::move(nics.front()));
  return keep(std::make_unique<port::BondPort>(*devices_[device].bond, std::move(nics)));
}

port::Port* Devices::tap_of(std::size_t device, unsigned worker) {
  if ((device + 1) % workers_ != worker) return nullptr;
  return keep(std::make_unique<port::TapPort>(devices_[device].tap->fd(), pool_.get()));
}

// A device without VLANs is its port itself; otherwise a trunk deals out its frames.
void Devices::share(port::Port& all, const Ids& ids, std::vector<port::Port*>& ports) {
  if (ids.size() == 1 && places_[ids.front()].vlan == port::VlanTrunk::kUntagged) {
    ports[ids.front()] = &all;
    return;
  }
  trunks_.push_back(std::make_unique<port::VlanTrunk>(all));
  for (const std::size_t id : ids) {
    ports[id] =
        keep(std::make_unique<port::VlanPort>(*trunks_.back(), places_[id].vlan, pool_.get()));
  }
}

std::uint64_t Devices::missed(net::PortId port) const {
  std::uint64_t all = 0;
  for (const auto& ethdev : devices_[places_[port].device].ethdevs) all += ethdev->missed();
  return all;
}

void Devices::follow_links() {
  for (const Device& device : devices_) {
    if (device.tap == nullptr) continue;
    const bool up = device.ethdevs.front()->link_up();
    device.tap->set_carrier(up ? port::Carrier::kUp : port::Carrier::kDown);
  }
}

}  // namespace keepline::worker
