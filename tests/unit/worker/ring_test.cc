// Workers on lcores of DPDK's, on net_ring devices with a queue for each of them: frames arrive at
// whatever queue, as from a NIC whose RSS hash is not ours.
#define ALLOW_EXPERIMENTAL_API  // rte_eth_dev_conf_get()
#include <set>

#include "tests/unit/worker/crew.h"
#include "tests/unit/worker/rings.h"

namespace keepline::worker {
namespace {

using testing::bytes_of;
using testing::kInside;
using testing::kNames;
using testing::kOutside;

constexpr std::uint16_t kFlows = 1000;

// net_af_xdp gives the kernel the memory of the first buffer and what follows: as many bytes as
// there are buffers without gaps. What lies behind that the kernel refuses, and loses.
TEST_F(Rings, TheBuffersOfAPoolLieWithoutGaps) {
  std::set<std::uintptr_t> at;
  rte_mempool_obj_iter(
      pool.get(),
      [](rte_mempool*, void* all, void* buffer, unsigned) {
        static_cast<std::set<std::uintptr_t>*>(all)->insert(
            reinterpret_cast<std::uintptr_t>(buffer));
      },
      &at);
  ASSERT_EQ(at.size(), 8191u);
  const rte_mempool& built = *pool.get();
  const std::uintptr_t size = built.header_size + built.elt_size + built.trailer_size;
  EXPECT_EQ(*at.rbegin() - *at.begin(), (at.size() - 1) * size);
  EXPECT_EQ(built.nb_mem_chunks, 1u);
}

TEST_F(Rings, ADeviceThatCanSpreadsFramesByAddressesAndPorts) {
  for (const unsigned queues : {1u, 4u}) {
    auto device = port::EthdevDevice::open("net_null9", "size=64", {.queues = queues}, pool);
    ASSERT_TRUE(device) << device.error();
    rte_eth_conf config{};
    ASSERT_EQ(rte_eth_dev_conf_get((*device)->id(), &config), 0);
    EXPECT_EQ(config.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS, queues > 1);
    const std::uint64_t asked = config.rx_adv_conf.rss_conf.rss_hf;
    EXPECT_EQ((asked & RTE_ETH_RSS_NONFRAG_IPV4_TCP) != 0, queues > 1);
  }
}

TEST_F(Rings, FourWorkersWithAQueueEachServeEveryFlowOnceBothWays) {
  Eal& eal = *eal_;
  RingDevice outside("outside", pool);
  RingDevice inside("inside", pool);
  std::vector<std::vector<port::Port*>> ports(kWorkers);
  for (unsigned id = 0; id < kWorkers; ++id) {
    ports[id] = {outside.ports[id].get(), inside.ports[id].get()};
  }
  Crew crew(kWorkers, IdleMode::kAdaptive);
  crew.hire(ports, {0, 0});
  for (unsigned id = 0; id < kWorkers; ++id) {
    eal.launch(id, [worker = crew.workers[id].get()] { worker->run(); });
  }
  for (std::uint16_t flow = 0; flow < kFlows; ++flow) {
    auto syn = testing::from_client(static_cast<std::uint16_t>(1000 + flow));
    syn.to = kNames.outside_mac;
    outside.arrive(flow % kWorkers, bytes_of(syn));
  }
  const auto requests = inside.sent(kFlows);
  ASSERT_EQ(requests.size(), kFlows);
  std::set<std::uint16_t> seen;
  for (const FrameBytes& frame : requests) {
    EXPECT_TRUE(testing::checksums_ok(frame));
    const std::uint16_t client_port = testing::u16_at(frame, testing::kL3 + 20);
    EXPECT_TRUE(seen.insert(client_port).second);
    const auto answer = testing::from_server(
        client_port, net::kTcpAck, {net::Ip4(0x0a000000u + frame[testing::kL3 + 19]), 8080});
    inside.arrive((client_port / 7) % kWorkers, bytes_of(answer));
  }
  const auto answers = outside.sent(kFlows);
  EXPECT_EQ(answers.size(), kFlows);
  for (const FrameBytes& frame : answers) EXPECT_TRUE(testing::checksums_ok(frame));
  for (const auto& worker : crew.workers) worker->stop();
  eal.wait();
  EXPECT_EQ(crew.drops(), 0u);
  EXPECT_EQ(crew.connections(), kFlows);
  for (const auto& worker : crew.workers) {
    EXPECT_GT(worker->pipeline().connections4().size(), 0u);
    EXPECT_GT(worker->counters().handed_over.get(), 0u);
  }
}

}  // namespace
}  // namespace keepline::worker
