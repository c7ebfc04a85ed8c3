// No cache line is written by two workers while they forward, but for what they hand over.
#include <gtest/gtest.h>

#include "dataplane/net/flow.h"
#include "tests/sharing/recorder.h"
#include "tests/unit/worker/crew.h"

namespace keepline::worker {
namespace {

using testing::bytes_of;
using testing::kInside;
using testing::kNames;
using testing::kOutside;

constexpr std::uint16_t kFlows = 400;
constexpr std::uint64_t kPackets = 20'000;

// Ports of flows that belong to the worker, or of any.
std::vector<std::uint16_t> client_ports(unsigned worker, unsigned workers, bool own_only) {
  std::vector<std::uint16_t> result;
  for (std::uint16_t port = 1000; port < 60'000 && result.size() < kFlows; ++port) {
    const std::uint64_t hash =
        net::client_hash(kNames.client.be(), net::be16(port), net::Protocol::kTcp, Crew::kHashKey);
    if (!own_only || net::shard_of(hash) % workers == worker) result.push_back(port);
  }
  return result;
}

std::vector<testing::FrameBytes> frames(const std::vector<std::uint16_t>& flows,
                                        std::uint8_t flags) {
  std::vector<testing::FrameBytes> result;
  for (const std::uint16_t port : flows) {
    testing::Datagram d = testing::from_client(port, flags);
    d.to = kNames.outside_mac;
    result.push_back(bytes_of(d));
  }
  return result;
}

struct Outcome {
  std::vector<std::uintptr_t> shared;
  std::uint64_t forwarded = 0;
};

Outcome run(unsigned workers, bool own_only) {
  std::vector<std::unique_ptr<GeneratorPort>> own;
  std::vector<std::vector<port::Port*>> ports(workers);
  for (unsigned id = 0; id < workers; ++id) {
    const std::vector<std::uint16_t> flows = client_ports(id, workers, own_only);
    for (const net::PortId port : {kOutside, kInside}) {
      own.push_back(std::make_unique<GeneratorPort>(port == kOutside ? kPackets : 0,
                                                    frames(flows, net::kTcpSyn),
                                                    frames(flows, net::kTcpAck)));
      ports[id].push_back(own.back().get());
    }
  }
  Crew crew(workers);
  crew.hire(ports, std::vector<std::uint8_t>(2, 0));
  sharing::reset();
  for (int round = 0; round < 2000; ++round) {
    for (unsigned id = 0; id < workers; ++id) {
      sharing::turn_of(static_cast<int>(id));
      crew.workers[id]->turn();
      sharing::turn_of(sharing::kNobody);
    }
  }
  Outcome result;
  EXPECT_EQ(crew.drops(), 0u);
  for (const auto& port : own) result.forwarded += port->sent();
  for (const std::uintptr_t line : sharing::shared_lines()) {
    bool handed_over = crew.is_mesh(line);
    for (const auto& port : own) handed_over = handed_over || port->is_frame(line);
    if (!handed_over || own_only) result.shared.push_back(line);
  }
  return result;
}

TEST(Sharing, TheRecorderSeesALineThatTwoWrite) {
  sharing::reset();
  static volatile std::uint64_t counter = 0;
  for (const int worker : {0, 1}) {
    sharing::turn_of(worker);
    counter = counter + 1;
  }
  sharing::turn_of(sharing::kNobody);
  EXPECT_EQ(sharing::shared_lines().size(), 1u);
}

TEST(Sharing, WorkersThatGetTheirOwnFlowsWriteNoLineInCommon) {
  for (const unsigned workers : {2u, 4u}) {
    const Outcome result = run(workers, true);
    EXPECT_EQ(result.forwarded, workers * kPackets);
    EXPECT_EQ(result.shared.size(), 0u);
    for (unsigned id = 0; id < workers; ++id) {
      EXPECT_GT(sharing::written_by(static_cast<int>(id)), 100u);
    }
  }
}

TEST(Sharing, WorkersThatHandOverShareTheRingsAndTheFramesOnly) {
  for (const unsigned workers : {2u, 4u}) {
    const Outcome result = run(workers, false);
    EXPECT_EQ(result.forwarded, workers * kPackets);
    EXPECT_EQ(result.shared.size(), 0u);
  }
}

}  // namespace
}  // namespace keepline::worker
