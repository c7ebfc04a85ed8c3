#include "dataplane/port/ethdev_port.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <array>

#include "dataplane/port/mbuf_packet.h"

namespace keepline::port {

namespace {

constexpr std::uint16_t kDescriptors = 2048;
constexpr std::size_t kMaxBurst = 64;

std::uint64_t missed_by(std::uint16_t id) {
  rte_eth_stats stats{};
  return rte_eth_stats_get(id, &stats) == 0 ? stats.imissed + stats.rx_nombuf : 0;
}

std::string error_text(const char* step, int code) {
  return std::string(step) + ": " + rte_strerror(code < 0 ? -code : code);
}

// Spreads frames over the queues by addresses and ports, where the device can. Its hash is not that
// of our shards: what arrives at another worker is handed over.
void ask_for_rss(const rte_eth_dev_info& info, rte_eth_conf& config) {
  config.rx_adv_conf.rss_conf.rss_hf =
      info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
  if (config.rx_adv_conf.rss_conf.rss_hf != 0) config.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
}

std::uint16_t queues_of(const rte_eth_dev_info& info, const DeviceOptions& options) {
  const unsigned most = std::min(info.max_rx_queues, info.max_tx_queues);
  return static_cast<std::uint16_t>(options.owned ? std::min(options.queues, most)
                                                  : options.queues);
}

int start_device(std::uint16_t id, const DeviceOptions& options, rte_mempool* pool,
                 std::string& step) {
  rte_eth_dev_info info{};
  step = "information";
  if (const int rc = rte_eth_dev_info_get(id, &info); rc < 0) return rc;
  const std::uint16_t queues = queues_of(info, options);
  rte_eth_conf config{};
  if (queues > 1) ask_for_rss(info, config);
  if (options.owned) config.rxmode.mtu = options.mtu;
  step = "configure";
  if (const int rc = rte_eth_dev_configure(id, queues, queues, &config); rc < 0) return rc;
  std::uint16_t receives = kDescriptors;
  std::uint16_t transmits = kDescriptors;
  step = "ring sizes";
  if (const int rc = rte_eth_dev_adjust_nb_rx_tx_desc(id, &receives, &transmits); rc < 0) return rc;
  for (std::uint16_t queue = 0; queue < queues; ++queue) {
    step = "receive queue " + std::to_string(queue);
    int rc = rte_eth_rx_queue_setup(id, queue, receives, 0, nullptr, pool);
    if (rc < 0) return rc;
    step = "transmit queue " + std::to_string(queue);
    rc = rte_eth_tx_queue_setup(id, queue, transmits, 0, nullptr);
    if (rc < 0) return rc;
  }
  step = "start";
  return rte_eth_dev_start(id);
}

}  // namespace

EthdevDevice::Opened EthdevDevice::open(const std::string& name, const std::string& arguments,
                                        const DeviceOptions& options, BufferPool& pool) {
  if (const int rc = rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str()); rc < 0) {
    return tl::unexpected(error_text("create device", rc));
  }
  auto device = find(name, options, pool);
  if (device) {
    (*device)->name_ = name;
  } else {
    rte_eal_hotplug_remove("vdev", name.c_str());
  }
  return device;
}

EthdevDevice::Opened EthdevDevice::find(const std::string& name, const DeviceOptions& options,
                                        BufferPool& pool) {
  std::uint16_t id = 0;
  if (const int rc = rte_eth_dev_get_port_by_name(name.c_str(), &id); rc < 0) {
    return tl::unexpected(error_text("find device", rc));
  }
  return adopt(id, options, pool);
}

EthdevDevice::Opened EthdevDevice::adopt(std::uint16_t id, const DeviceOptions& options,
                                         BufferPool& pool) {
  std::unique_ptr<EthdevDevice> device(new EthdevDevice(id, pool.get()));
  std::string step;
  if (const int rc = start_device(id, options, pool.get(), step); rc < 0) {
    return tl::unexpected(error_text(step.c_str(), rc));
  }
  rte_eth_dev_info info{};
  rte_eth_dev_info_get(id, &info);
  device->queues_ = info.nb_rx_queues;
  // Groups, virtual MACs, VLANs that the kernel has on the TAP: what is nobody's the pipeline
  // drops.
  if (options.owned) rte_eth_promiscuous_enable(id);
  return device;
}

EthdevDevice::EthdevDevice(std::uint16_t id, rte_mempool* pool) : id_(id), pool_(pool) {}

EthdevDevice::~EthdevDevice() {
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
  if (!name_.empty()) rte_eal_hotplug_remove("vdev", name_.c_str());
}

net::Mac EthdevDevice::mac() const {
  rte_ether_addr address{};
  rte_eth_macaddr_get(id_, &address);
  net::Mac result;
  std::copy(std::begin(address.addr_bytes), std::end(address.addr_bytes), result.bytes.begin());
  return result;
}

bool EthdevDevice::link_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) < 0 || link.link_status == RTE_ETH_LINK_UP;
}

std::uint64_t EthdevDevice::missed() const {
  return missed_by(id_);
}

EthdevPort::EthdevPort(const EthdevDevice& device, std::vector<std::uint16_t> queues)
    : MbufPort(device.pool()), id_(device.id()), queues_(std::move(queues)) {}

std::size_t EthdevPort::receive(std::span<net::Packet> packets) {
  std::array<rte_mbuf*, kMaxBurst> mbufs;
  const auto wanted = static_cast<std::uint16_t>(std::min(packets.size(), kMaxBurst));
  const std::uint16_t queue = queues_[next_queue_];
  next_queue_ = next_queue_ + 1 == queues_.size() ? 0 : next_queue_ + 1;
  const std::uint16_t count = rte_eth_rx_burst(id_, queue, mbufs.data(), wanted);
  for (std::uint16_t i = 0; i < count; ++i) packets[i] = packet_of(mbufs[i]);
  return count;
}

std::size_t EthdevPort::transmit(Buffers buffers) {
  // A driver takes an array of pointers that it may not change, but says so in its own way.
  auto** mbufs = reinterpret_cast<rte_mbuf**>(const_cast<void**>(buffers.data()));
  return rte_eth_tx_burst(id_, queues_.front(), mbufs, static_cast<std::uint16_t>(buffers.size()));
}

std::uint64_t EthdevPort::missed() const {
  return missed_by(id_);
}

}  // namespace keepline::port
