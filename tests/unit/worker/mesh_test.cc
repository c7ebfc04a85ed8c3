// Several workers: frames find the worker of their connection wherever they arrive, turned by hand
// and on threads of their own (this file is also run under the thread sanitizer).
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "dataplane/port/memory_port.h"
#include "tests/unit/worker/crew.h"

namespace keepline::worker {
namespace {

using testing::bytes_of;
using testing::from_client;
using testing::from_server;
using testing::kInside;
using testing::kNames;
using testing::kOutside;

testing::Datagram syn(std::uint64_t flow) {
  testing::Datagram d = from_client(static_cast<std::uint16_t>(1000 + flow));
  d.to = kNames.outside_mac;
  return d;
}

class MeshTest : public ::testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, MeshTest, ::testing::Values(1u, 2u, 4u));

// One queue per port, as on veth: whoever has the connection, the port's owner receives and sends.
TEST_P(MeshTest, EveryFlowIsServedOnceWhereverItArrives) {
  const unsigned count = GetParam();
  port::MemoryPort outside;
  port::MemoryPort inside;
  std::vector<std::vector<port::Port*>> ports(count, {nullptr, nullptr});
  const std::vector<std::uint8_t> owners = {0, static_cast<std::uint8_t>(1 % count)};
  ports[owners[0]][kOutside] = &outside;
  ports[owners[1]][kInside] = &inside;
  Crew crew(count);
  crew.hire(ports, owners);

  constexpr std::uint16_t kFlows = 500;
  for (std::uint16_t i = 0; i < kFlows; ++i) outside.arrive(bytes_of(syn(i)));
  crew.turn(30);
  const auto sent = inside.take_sent();
  ASSERT_EQ(sent.size(), kFlows);
  std::set<std::uint16_t> seen;
  for (const auto& frame : sent) {
    EXPECT_TRUE(testing::checksums_ok(frame));
    seen.insert(testing::u16_at(frame, testing::kL3 + 20));
    auto answer = from_server(testing::u16_at(frame, testing::kL3 + 20), net::kTcpAck,
                              {net::Ip4(0x0a000000u + frame[testing::kL3 + 19]), 8080});
    inside.arrive(bytes_of(answer));
  }
  EXPECT_EQ(seen.size(), kFlows);
  EXPECT_EQ(crew.connections(), kFlows);
  for (const auto& worker : crew.workers) EXPECT_GT(worker->pipeline().connections4().size(), 0u);
  crew.turn(30);
  const auto answers = outside.take_sent();
  ASSERT_EQ(answers.size(), kFlows);
  for (const auto& frame : answers) EXPECT_TRUE(testing::checksums_ok(frame));
  EXPECT_EQ(crew.connections(), kFlows);
  EXPECT_EQ(crew.drops(), 0u);
}

TEST(Mesh, FramesForAWorkerThatPausesWaitInTheReceiveQueue) {
  port::MemoryPort outside;
  port::MemoryPort inside;
  Crew crew(2);
  crew.hire({{&outside, &inside}, {nullptr, nullptr}}, {0, 0});
  constexpr std::uint64_t kFrames = 4 * Mesh::kCapacity;
  std::uint64_t arrived = 0;
  for (int round = 0; round < 500; ++round) {
    while (arrived < kFrames && outside.arrive(bytes_of(syn(arrived)))) ++arrived;
    crew.workers[0]->turn();  // worker 1 pauses
  }
  EXPECT_EQ(crew.drops(), 0u);
  inside.limit_transmit(kFrames);
  for (int round = 0; round < 1000; ++round) {
    while (arrived < kFrames && outside.arrive(bytes_of(syn(arrived)))) ++arrived;
    crew.turn(1);
  }
  EXPECT_EQ(crew.drops(), 0u);
  EXPECT_EQ(inside.take_sent().size(), kFrames);
}

TEST(Mesh, AFullRingIsACountedDropAndTheRestGoesOn) {
  port::MemoryPort outside;
  port::MemoryPort inside;
  Crew crew(2);
  crew.hire({{&outside, &inside}, {nullptr, nullptr}}, {0, 0});
  inside.limit_transmit(1'000'000);
  std::uint64_t arrived = 0;
  // Worker 1 does not turn: its ring fills up.
  for (; arrived < 3 * Mesh::kCapacity; ++arrived) {
    ASSERT_TRUE(outside.arrive(bytes_of(syn(arrived))));
    if (arrived % net::kBurstSize == 0) crew.workers[0]->turn();
    crew.pass(50);  // microseconds: longer in all than it waits for the other
  }
  for (int i = 0; i < 100; ++i) {
    crew.pass(1000);
    crew.workers[0]->turn();
  }
  const auto& counters = crew.workers[0]->pipeline().counters();
  const std::uint64_t refused =
      counters.drops[static_cast<std::size_t>(net::Drop::kHandOffFull)].get();
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(crew.drops(), refused);
  crew.turn(200);
  EXPECT_EQ(inside.take_sent().size() + refused, arrived);
}

// A reload storm under load: real threads, a publication every few hundred microseconds.
TEST_P(MeshTest, PublishingUnderLoadLosesNothingAndMovesNoUntouchedConnection) {
  const unsigned count = GetParam();
  constexpr std::uint64_t kPackets = 20'000;
  constexpr std::uint16_t kFlows = 200;
  std::vector<testing::FrameBytes> syns;
  std::vector<testing::FrameBytes> acks;
  for (std::uint64_t flow = 0; flow < kFlows; ++flow) {
    testing::Datagram d = syn(flow);
    syns.push_back(bytes_of(d));
    d.flags = net::kTcpAck;
    acks.push_back(bytes_of(d));
  }
  std::vector<std::unique_ptr<GeneratorPort>> own;
  std::vector<std::vector<port::Port*>> ports(count);
  for (unsigned id = 0; id < count; ++id) {
    for (const net::PortId port : {kOutside, kInside}) {
      // Every worker has queues of its own; what arrives there is of any flow.
      own.push_back(std::make_unique<GeneratorPort>(port == kOutside ? kPackets : 0, syns, acks));
      ports[id].push_back(own.back().get());
    }
  }
  Crew crew(count);
  crew.hire(ports, std::vector<std::uint8_t>(2, 0));
  std::vector<std::thread> threads;
  // The SYNs first, so that no ACK overtakes its own on another worker.
  while (crew.connections() < kFlows) crew.turn(1);
  for (const auto& worker : crew.workers) threads.emplace_back([&worker] { worker->run(); });

  std::uint64_t published = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto sent = [&] {
    std::uint64_t sum = 0;
    for (const auto& port : own) sum += port->sent();
    return sum;
  };
  while ((published == 0 || sent() < count * kPackets) &&
         std::chrono::steady_clock::now() < deadline) {
    // Servers of another service come and go, and the neighbours change.
    crew.world.services[1].pool = {testing::real_server(
        static_cast<lb::RealSlot>(30 + published % 7), {kNames.server2, 5353})};
    crew.world.services[2].pool[0].weight = static_cast<std::uint32_t>(published % 3);
    crew.world.neighbours[0].mac.bytes[5] = static_cast<std::uint8_t>(published);
    published += crew.publish();
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  for (const auto& worker : crew.workers) worker->stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sent(), count * kPackets);
  EXPECT_EQ(crew.drops(), 0u);
  EXPECT_EQ(crew.connections(), kFlows);
  for (const auto& port : own) EXPECT_EQ(port->damaged(), 0u);
  EXPECT_GE(published, 1u);
}

}  // namespace
}  // namespace keepline::worker
