// net_ring devices with a queue for each of four workers; the test is at the other end of the
// rings.
#pragma once

#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <chrono>
#include <thread>

#include "dataplane/port/ethdev_port.h"
#include "dataplane/worker/eal.h"
#include "tests/golden/frames.h"

namespace keepline::worker {

using testing::FrameBytes;

inline constexpr unsigned kWorkers = 4;

/// A device with a queue for each worker; the test is at the other end of its rings.
struct RingDevice {
  RingDevice(const std::string& name, port::BufferPool& pool) : buffers(pool) {
    for (unsigned queue = 0; queue < kWorkers; ++queue) {
      const std::string number = name + std::to_string(queue);
      receive[queue] = rte_ring_create((number + "r").c_str(), 2048, SOCKET_ID_ANY, 0);
      transmit[queue] = rte_ring_create((number + "t").c_str(), 2048, SOCKET_ID_ANY, 0);
    }
    const int id = rte_eth_from_rings(name.c_str(), receive, kWorkers, transmit, kWorkers, 0);
    if (id < 0) throw std::runtime_error("net_ring");
    device = std::move(
        *port::EthdevDevice::adopt(static_cast<std::uint16_t>(id), {.queues = kWorkers}, pool));
    for (std::uint16_t queue = 0; queue < kWorkers; ++queue) {
      ports.push_back(
          std::make_unique<port::EthdevPort>(*device, std::vector<std::uint16_t>{queue}));
    }
  }
  void arrive(unsigned queue, const FrameBytes& bytes) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(buffers.get());
    ASSERT_NE(mbuf, nullptr);
    std::memcpy(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    ASSERT_EQ(rte_ring_enqueue(receive[queue], mbuf), 0);
  }
  /// Everything that was sent, of all queues, until there are `count` or a minute has passed.
  std::vector<FrameBytes> sent(std::size_t count) {
    std::vector<FrameBytes> all;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (all.size() < count && std::chrono::steady_clock::now() < deadline) {
      for (FrameBytes& frame : sent_so_far()) all.push_back(std::move(frame));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return all;
  }
  std::vector<FrameBytes> sent_so_far() {
    std::vector<FrameBytes> all;
    for (rte_ring* ring : transmit) {
      void* object = nullptr;
      while (rte_ring_dequeue(ring, &object) == 0) {
        auto* mbuf = static_cast<rte_mbuf*>(object);
        const auto* data = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
        all.emplace_back(data, data + rte_pktmbuf_data_len(mbuf));
        rte_pktmbuf_free(mbuf);
      }
    }
    return all;
  }

  port::BufferPool& buffers;
  rte_ring* receive[kWorkers];
  rte_ring* transmit[kWorkers];
  std::unique_ptr<port::EthdevDevice> device;
  std::vector<std::unique_ptr<port::EthdevPort>> ports;
};

/// DPDK can be started once in a process.
class Rings : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    eal_ = std::make_unique<Eal>(
        EalConfig{"keepline-ring-test-" + std::to_string(getpid()), kWorkers, 128});
  }
  static void TearDownTestSuite() { eal_.reset(); }

  static inline std::unique_ptr<Eal> eal_;
  port::BufferPool pool{8191, 1500};
};

}  // namespace keepline::worker
