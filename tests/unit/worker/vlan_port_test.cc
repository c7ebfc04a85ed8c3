// VLANs of one device as ports of their own: tags come off and go on, and nobody gets another's.
#include "dataplane/port/vlan_port.h"
#include "tests/unit/worker/rings.h"

namespace keepline::worker {
namespace {

FrameBytes frame(std::size_t payload, std::uint8_t fill) {
  FrameBytes bytes(14 + payload, fill);
  testing::put16(bytes, 12, 0x0800);
  for (std::uint8_t i = 0; i < 12; ++i) bytes[i] = i;
  return bytes;
}

FrameBytes tagged(const FrameBytes& plain, unsigned control) {
  FrameBytes bytes = plain;
  bytes.insert(bytes.begin() + 12, {0x81, 0, 0, 0});
  testing::put16(bytes, 14, control);
  return bytes;
}

std::vector<FrameBytes> received(port::Port& port) {
  std::array<net::Packet, net::kBurstSize> packets;
  std::vector<FrameBytes> all;
  const std::size_t count = port.receive(packets);
  for (const net::Packet& packet : std::span(packets).first(count)) {
    const auto* mbuf = static_cast<const rte_mbuf*>(packet.buffer);
    EXPECT_EQ(rte_pktmbuf_mtod(mbuf, const std::uint8_t*), packet.data);
    EXPECT_EQ(rte_pktmbuf_data_len(mbuf), packet.length);
    EXPECT_EQ(rte_pktmbuf_headroom(mbuf), packet.headroom);
    all.emplace_back(packet.data, packet.data + packet.length);
    port.release({&packet.buffer, 1});
  }
  return all;
}

using Frames = std::vector<FrameBytes>;

TEST_F(Rings, EachVlanReceivesItsOwnWithoutTag) {
  RingDevice wire("vlan", pool);
  port::VlanTrunk trunk(*wire.ports[0]);
  port::VlanPort plain(trunk, port::VlanTrunk::kUntagged, pool.get());
  port::VlanPort ten(trunk, 10, pool.get());
  port::VlanPort last(trunk, 4094, pool.get());
  const FrameBytes a = frame(46, 'a');
  const FrameBytes b = frame(1500, 'b');
  const FrameBytes c = frame(50, 'c');
  wire.arrive(0, tagged(a, 10));
  wire.arrive(0, b);
  wire.arrive(0, tagged(c, 4094 | 0xe000));  // with a priority
  wire.arrive(0, tagged(b, 10));
  wire.arrive(0, tagged(a, 0));   // nothing but a priority
  wire.arrive(0, tagged(c, 11));  // nobody's
  wire.arrive(0, FrameBytes(13, 0x81));
  EXPECT_EQ(received(ten), (Frames{a, b}));
  EXPECT_EQ(received(last), (Frames{c}));
  EXPECT_EQ(received(plain), (Frames{b, a, tagged(c, 11), FrameBytes(13, 0x81)}));
  EXPECT_EQ(received(plain), Frames());
}

TEST_F(Rings, WithoutAPortForTheRestItIsReleased) {
  const unsigned before = rte_mempool_avail_count(pool.get());
  RingDevice wire("vlanonly", pool);
  port::VlanTrunk trunk(*wire.ports[0]);
  port::VlanPort ten(trunk, 10, pool.get());
  for (int i = 0; i < 3; ++i) wire.arrive(0, frame(46, 'x'));
  wire.arrive(0, tagged(frame(46, 'y'), 10));
  EXPECT_EQ(received(ten), (Frames{frame(46, 'y')}));
  EXPECT_EQ(rte_mempool_avail_count(pool.get()), before);
}

TEST_F(Rings, APortThatIsNotEmptiedHoldsUpTheDeviceAndLosesNothing) {
  RingDevice wire("vlanfull", pool);
  port::VlanTrunk trunk(*wire.ports[0]);
  port::VlanPort ten(trunk, 10, pool.get());
  port::VlanPort eleven(trunk, 11, pool.get());
  for (int i = 0; i < 200; ++i) wire.arrive(0, tagged(frame(46, 't'), i % 40 == 39 ? 11 : 10));
  std::size_t at_eleven = 0;
  for (int i = 0; i < 10; ++i) at_eleven += received(eleven).size();
  EXPECT_LT(at_eleven, 5u);
  std::size_t at_ten = 0;
  for (int i = 0; i < 20; ++i) {
    at_ten += received(ten).size();
    at_eleven += received(eleven).size();
  }
  EXPECT_EQ(at_ten, 195u);
  EXPECT_EQ(at_eleven, 5u);
}

TEST_F(Rings, FramesLeaveWithTheTagOfTheirVlan) {
  RingDevice wire("vlanout", pool);
  port::VlanTrunk trunk(*wire.ports[0]);
  port::VlanPort plain(trunk, port::VlanTrunk::kUntagged, pool.get());
  port::VlanPort vlan(trunk, 0x123, pool.get());
  const FrameBytes a = frame(46, 'a');
  const FrameBytes b = frame(1500, 'b');
  for (const FrameBytes& bytes : {a, b}) {
    const auto packet = vlan.make(bytes);
    ASSERT_TRUE(packet);
    EXPECT_EQ(vlan.transmit({&packet->buffer, 1}), 1u);
  }
  const auto packet = plain.make(a);
  EXPECT_EQ(plain.transmit({&packet->buffer, 1}), 1u);
  EXPECT_EQ(wire.sent(3), (Frames{tagged(a, 0x123), tagged(b, 0x123), a}));
}

}  // namespace
}  // namespace keepline::worker
