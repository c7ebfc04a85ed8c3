#include "dataplane/port/ethdev_port.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>

namespace keepline::port {

namespace {

constexpr std::uint16_t kDescriptors = 2048;
constexpr std::size_t kMaxBurst = 64;

net::Packet packet_of(rte_mbuf* mbuf) {
  return {rte_pktmbuf_mtod(mbuf, std::uint8_t*), mbuf, rte_pktmbuf_data_len(mbuf),
          rte_pktmbuf_headroom(mbuf)};
}

std::uint64_t missed_by(std::uint16_t id) {
  rte_eth_stats stats{};
  return rte_eth_stats_get(id, &stats) == 0 ? stats.imissed + stats.rx_nombuf : 0;
}

std::string error_text(const char* step, int code) {
  return std::string(step) + ": " + rte_strerror(code < 0 ? -code : code);
}

// Spreads frames over the queues by addresses and ports, where the device can. Its hash is not that
// of our shards: what arrives at another worker is handed over.
void ask_for_rss(std::uint16_t id, rte_eth_conf& config) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id, &info) < 0) return;
  config.rx_adv_conf.rss_conf.rss_hf =
      info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
  if (config.rx_adv_conf.rss_conf.rss_hf != 0) config.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
}

int start_device(std::uint16_t id, unsigned queues, rte_mempool* pool, std::string& step) {
  rte_eth_conf config{};
  if (queues > 1) ask_for_rss(id, config);
  const auto rx_queues = static_cast<std::uint16_t>(queues);
  step = "configure";
  if (const int rc = rte_eth_dev_configure(id, rx_queues, rx_queues, &config); rc < 0) return rc;
  for (std::uint16_t queue = 0; queue < rx_queues; ++queue) {
    step = "receive queue " + std::to_string(queue);
    int rc = rte_eth_rx_queue_setup(id, queue, kDescriptors, 0, nullptr, pool);
    if (rc < 0) return rc;
    step = "transmit queue " + std::to_string(queue);
    rc = rte_eth_tx_queue_setup(id, queue, kDescriptors, 0, nullptr);
    if (rc < 0) return rc;
  }
  step = "start";
  return rte_eth_dev_start(id);
}

}  // namespace

tl::expected<std::unique_ptr<EthdevDevice>, std::string> EthdevDevice::open(
    const std::string& name, const std::string& arguments, unsigned queues, BufferPool& pool) {
  if (const int rc = rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str()); rc < 0) {
    return tl::unexpected(error_text("create device", rc));
  }
  std::uint16_t id = 0;
  if (const int rc = rte_eth_dev_get_port_by_name(name.c_str(), &id); rc < 0) {
    rte_eal_hotplug_remove("vdev", name.c_str());
    return tl::unexpected(error_text("find device", rc));
  }
  auto device = adopt(id, queues, pool);
  if (device) {
    (*device)->name_ = name;
  } else {
    rte_eal_hotplug_remove("vdev", name.c_str());
  }
  return device;
}

tl::expected<std::unique_ptr<EthdevDevice>, std::string> EthdevDevice::adopt(std::uint16_t id,
                                                                             unsigned queues,
                                                                             BufferPool& pool) {
  std::unique_ptr<EthdevDevice> device(new EthdevDevice(id, {}, pool.get()));
  std::string step;
  if (const int rc = start_device(id, queues, pool.get(), step); rc < 0) {
    return tl::unexpected(error_text(step.c_str(), rc));
  }
  return device;
}

EthdevDevice::EthdevDevice(std::uint16_t id, std::string name, rte_mempool* pool)
    : id_(id), name_(std::move(name)), pool_(pool) {}

EthdevDevice::~EthdevDevice() {
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
  if (!name_.empty()) rte_eal_hotplug_remove("vdev", name_.c_str());
}

std::uint64_t EthdevDevice::missed() const {
  return missed_by(id_);
}

EthdevPort::EthdevPort(const EthdevDevice& device, std::vector<std::uint16_t> queues)
    : id_(device.id()), queues_(std::move(queues)), pool_(device.pool()) {}

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

void EthdevPort::release(Buffers buffers) {
  auto** mbufs = reinterpret_cast<rte_mbuf**>(const_cast<void**>(buffers.data()));
  rte_pktmbuf_free_bulk(mbufs, static_cast<unsigned>(buffers.size()));
}

void EthdevPort::resize(std::span<const net::Packet> packets) {
  for (const net::Packet& packet : packets) {
    auto* mbuf = static_cast<rte_mbuf*>(packet.buffer);
    mbuf->data_off =
        static_cast<std::uint16_t>(packet.data - static_cast<std::uint8_t*>(mbuf->buf_addr));
    mbuf->data_len = packet.length;
    mbuf->pkt_len = packet.length;
  }
}

std::optional<net::Packet> EthdevPort::make(net::Bytes bytes) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (mbuf == nullptr) return std::nullopt;
  char* room = rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size()));
  if (room == nullptr) {
    rte_pktmbuf_free(mbuf);
    return std::nullopt;
  }
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(room));
  return packet_of(mbuf);
}

std::uint64_t EthdevPort::missed() const {
  return missed_by(id_);
}

}  // namespace keepline::port
