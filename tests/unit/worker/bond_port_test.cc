// A bond's NICs as one port: only those that carry traffic count, and a flow keeps to one of them.
#include "dataplane/port/bond_port.h"

#include <set>

#include "tests/golden/stage.h"
#include "tests/unit/worker/rings.h"

namespace keepline::worker {
namespace {

constexpr std::uint16_t kFlowCount = 64;

FrameBytes segment(std::uint16_t client_port, std::size_t payload = 0) {
  testing::Datagram d = testing::from_client(client_port);
  d.payload.assign(payload, 'x');
  return bytes_of(d);
}

struct Bond {
  explicit Bond(const std::string& name, port::BufferPool& pool)
      : first(name + "a", pool), second(name + "b", pool) {
    std::vector<std::unique_ptr<port::Port>> nics;
    nics.push_back(std::move(first.ports[0]));
    nics.push_back(std::move(second.ports[0]));
    port = std::make_unique<port::BondPort>(state, std::move(nics));
  }
  /// How many frames arrive in two bursts, one of each NIC.
  std::size_t received() {
    std::array<net::Packet, net::kBurstSize> packets;
    std::size_t all = 0;
    for (int nic = 0; nic < 2; ++nic) {
      const std::size_t count = port->receive(packets);
      for (std::size_t i = 0; i < count; ++i) port->release({&packets[i].buffer, 1});
      all += count;
    }
    return all;
  }
  std::size_t send(const FrameBytes& bytes) {
    const auto packet = port->make(bytes);
    const std::size_t sent = port->transmit({&packet->buffer, 1});
    if (sent == 0) port->release({&packet->buffer, 1});
    return sent;
  }

  RingDevice first, second;
  port::BondState state;
  std::unique_ptr<port::BondPort> port;
};

TEST_F(Rings, ABondReceivesFromTheNicsThatCarry) {
  const unsigned before = rte_mempool_avail_count(pool.get());
  Bond bond("bondin", pool);
  const auto arrive = [&bond] {
    for (int i = 0; i < 3; ++i) bond.first.arrive(0, segment(5000));
    for (int i = 0; i < 5; ++i) bond.second.arrive(0, segment(5000));
  };
  arrive();
  EXPECT_EQ(bond.received(), 0u) << "nobody has said yet that one carries";
  for (const auto& [nics, expected] : {std::pair(1u, 3u), {2u, 5u}, {3u, 8u}}) {
    bond.state.use(nics);
    arrive();
    EXPECT_EQ(bond.received(), expected) << nics;
  }
  EXPECT_EQ(rte_mempool_avail_count(pool.get()), before) << "copies are released";
}

TEST_F(Rings, ABondSendsThroughTheNicsThatCarry) {
  Bond bond("bondout", pool);
  EXPECT_EQ(bond.send(segment(5000)), 0u);
  bond.state.use(2);
  for (std::uint16_t flow = 0; flow < kFlowCount; ++flow) EXPECT_EQ(bond.send(segment(flow)), 1u);
  EXPECT_EQ(bond.second.sent(kFlowCount).size(), kFlowCount);

  bond.state.use(3);
  std::vector<void*> burst;
  for (std::uint16_t flow = 0; flow < kFlowCount; ++flow) {
    for (const std::size_t payload : {0u, 700u}) {
      burst.push_back(bond.port->make(segment(flow, payload))->buffer);
    }
  }
  EXPECT_EQ(bond.port->transmit(burst), burst.size());
  const auto flows_of = [](RingDevice& nic) {
    std::set<std::uint16_t> flows;
    std::size_t frames = 0;
    for (const FrameBytes& frame : nic.sent_so_far()) {
      flows.insert(testing::u16_at(frame, testing::kL3 + 20));
      ++frames;
    }
    EXPECT_EQ(frames, 2 * flows.size()) << "both frames of a flow go the same way";
    return flows.size();
  };
  const std::size_t through_first = flows_of(bond.first);
  const std::size_t through_second = flows_of(bond.second);
  EXPECT_EQ(through_first + through_second, kFlowCount);
  EXPECT_GT(through_first, kFlowCount / 4u);
  EXPECT_GT(through_second, kFlowCount / 4u);
}

TEST(EndsHash, IsOfTheEndsAlone) {
  const FrameBytes plain = segment(5000);
  const std::uint32_t expected = port::ends_hash(plain);
  EXPECT_EQ(port::ends_hash(segment(5000, 900)), expected);
  EXPECT_NE(port::ends_hash(segment(5001)), expected);
  FrameBytes tagged = plain;
  tagged.insert(tagged.begin() + 12, {0x81, 0, 0, 10});
  EXPECT_EQ(port::ends_hash(tagged), expected);
  // Of fragments only the first has ports: none counts.
  FrameBytes fragment = plain;
  testing::put16(fragment, testing::kL3 + 6, 0x2000);
  FrameBytes other = segment(5001);
  testing::put16(other, testing::kL3 + 6, 0x2000);
  EXPECT_EQ(port::ends_hash(fragment), port::ends_hash(other));
  for (std::size_t length = 0; length < plain.size(); ++length) {
    port::ends_hash(net::Bytes(plain).first(length));  // reads no byte too many
  }
}

}  // namespace
}  // namespace keepline::worker
