#include "dataplane/lb/forward/rewrite.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/golden/frames.h"

namespace keepline::lb {
namespace {

using testing::bytes_of;
using testing::Datagram;
using testing::FrameBytes;
using testing::hex;
using testing::mac;

using V4Connection = Connection<net::V4>;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  // Ends of the range are where checksums go wrong.
  std::uint32_t word() {
    const std::uint32_t ends[] = {0, 0xffffffff, 0x0000ffff, 0xffff0000};
    return engine_() % 4 == 0 ? ends[engine_() % 4] : static_cast<std::uint32_t>(engine_());
  }
  std::uint16_t half() { return static_cast<std::uint16_t>(word()); }
  Datagram datagram(net::Protocol protocol) {
    Datagram d;
    d.to = mac("02:00:00:00:00:01");
    d.from = mac("02:00:00:00:00:02");
    d.source = {net::Ip4(word()), half()};
    d.destination = {net::Ip4(word()), half()};
    d.protocol = protocol;
    d.ttl = static_cast<std::uint8_t>(3 + word() % 253);
    d.options = 4 * (word() % 11);
    d.padding = word() % 9;
    d.payload.resize(word() % 64);
    for (char& byte : d.payload) byte = static_cast<char>(word());
    return d;
  }
  net::Ip6 address6() {
    net::Ip6 address;
    for (int i = 0; i < 16; i += 4) {
      const std::uint32_t part = word();
      std::memcpy(&address.bytes[i], &part, 4);
    }
    return address;
  }
  Datagram datagram6(net::Protocol protocol) {
    Datagram d = datagram(protocol);
    d.source.address = address6();
    d.destination.address = address6();
    d.options = 8 * (word() % 5);
    return d;
  }
  // A connection that `d` is a client's packet of, and one that it is an answer of.
  V4Connection connection(const Datagram& d, bool full_nat = false) {
    V4Connection c{};
    c.vip = d.destination.address.v4().be();
    c.vip_port = net::be16(d.destination.port);
    c.real = net::be32(word());
    c.real_port = net::be16(half());
    c.client = c.local = d.source.address.v4().be();
    c.client_port = c.local_port = net::be16(d.source.port);
    if (full_nat) set_local(c, c.local, c.local_port);
    set_deltas(c);
    return c;
  }
  V4Connection connection_back(const Datagram& d, bool full_nat = false) {
    V4Connection c{};
    c.vip = net::be32(word());
    c.vip_port = net::be16(half());
    c.real = d.source.address.v4().be();
    c.real_port = net::be16(d.source.port);
    c.client = c.local = d.destination.address.v4().be();
    c.client_port = c.local_port = net::be16(d.destination.port);
    if (full_nat) set_local(c, c.client, c.client_port);
    set_deltas(c);
    return c;
  }
  void set_local(V4Connection& c, net::be32& address, net::be16& port) {
    c.method = Method::kFullNat;
    address = net::be32(word());
    port = net::be16(half());
  }

 private:
  std::mt19937 engine_;
};

struct Parts {
  explicit Parts(FrameBytes& frame)
      : packet{frame.data(), nullptr, static_cast<std::uint16_t>(frame.size()), 0},
        parsed(net::parse(packet)) {}
  net::Packet packet;
  net::Parsed parsed;
};

net::Endpoint4 end(net::be32 address, net::be16 port) {
  return {net::Ip4(address), port.value()};
}

TEST(Rewrite, NatEqualsAFrameThatWasMadeSo) {
  Random random(11);
  for (int round = 0; round < 20'000; ++round) {
    const auto protocol = round % 2 == 0 ? net::Protocol::kTcp : net::Protocol::kUdp;
    const Datagram before = random.datagram(protocol);
    const V4Connection connection = round % 4 < 2 ? random.connection(before, round % 8 < 4)
                                                  : random.connection_back(before, round % 8 < 4);
    Datagram after = before;
    FrameBytes frame = bytes_of(before);
    const Parts parts(frame);
    ASSERT_EQ(parts.parsed.kind, net::Kind::kFlow);
    if (round % 4 < 2) {
      nat_to_real(parts.packet, parts.parsed, connection);
      --after.ttl;
      after.source = end(connection.local, connection.local_port);
      after.destination = end(connection.real, connection.real_port);
    } else {
      nat_to_client(parts.packet, parts.parsed, connection);
      --after.ttl;
      after.source = end(connection.vip, connection.vip_port);
      after.destination = end(connection.client, connection.client_port);
    }
    ASSERT_TRUE(testing::checksums_ok(frame)) << round << '\n' << hex(frame);
    ASSERT_EQ(hex(frame), hex(bytes_of(after))) << round;
  }
}

TEST(Rewrite, Ipv6NatEqualsAFrameThatWasMadeSo) {
  Random random(16);
  for (int round = 0; round < 20'000; ++round) {
    const auto protocol = round % 2 == 0 ? net::Protocol::kTcp : net::Protocol::kUdp;
    const Datagram before = random.datagram6(protocol);
    Connection<net::V6> connection{};
    Datagram after = before;
    --after.ttl;
    FrameBytes frame = bytes_of(before);
    const Parts parts(frame);
    ASSERT_EQ(parts.parsed.kind, net::Kind::kFlow);
    const net::Endpoint other = {random.address6(), random.half()};
    const bool forward = round % 4 < 2;
    const net::Endpoint& vip = forward ? before.destination : other;
    const net::Endpoint& real = forward ? other : before.source;
    const net::Endpoint near = forward ? before.source : before.destination;
    const net::Endpoint far =
        round % 8 < 4 ? net::Endpoint{random.address6(), random.half()} : near;
    connection.method = round % 8 < 4 ? Method::kFullNat : Method::kNat;
    const net::Endpoint& client = forward ? near : far;
    const net::Endpoint& local = forward ? far : near;
    connection.client = client.address.v6();
    connection.client_port.set(client.port);
    connection.local = local.address.v6();
    connection.local_port.set(local.port);
    connection.vip = vip.address.v6();
    connection.vip_port.set(vip.port);
    connection.real = real.address.v6();
    connection.real_port.set(real.port);
    set_deltas(connection);
    if (forward) {
      nat_to_real(parts.packet, parts.parsed, connection);
      after.source = local;
      after.destination = real;
    } else {
      nat_to_client(parts.packet, parts.parsed, connection);
      after.source = vip;
      after.destination = client;
    }
    ASSERT_TRUE(testing::checksums_ok(frame)) << round << '\n' << hex(frame);
    ASSERT_EQ(hex(frame), hex(bytes_of(after))) << round;
  }
}

TEST(Rewrite, AUdpChecksumOfZeroStaysZero) {
  Random random(12);
  for (int round = 0; round < 1000; ++round) {
    Datagram before = random.datagram(net::Protocol::kUdp);
    before.udp_checksum = false;
    const V4Connection connection = random.connection(before);
    FrameBytes frame = bytes_of(before);
    const Parts parts(frame);
    nat_to_real(parts.packet, parts.parsed, connection);
    Datagram after = before;
    --after.ttl;
    after.destination = end(connection.real, connection.real_port);
    ASSERT_EQ(hex(frame), hex(bytes_of(after)));
    const V4Connection back = random.connection_back(after);
    nat_to_client(parts.packet, parts.parsed, back);
    --after.ttl;
    after.source = end(back.vip, back.vip_port);
    ASSERT_EQ(hex(frame), hex(bytes_of(after)));
  }
}

TEST(Rewrite, AComputedUdpChecksumOfZeroIsSentAsAllOnes) {
  // Every checksum that there is, so that some new one is zero.
  Datagram before;
  before.source = testing::endpoint("192.0.2.7", 5000);
  before.destination = testing::endpoint("192.0.2.100", 53);
  before.protocol = net::Protocol::kUdp;
  V4Connection connection = Random(1).connection(before);
  connection.real = testing::ip("10.0.0.2").be();
  connection.real_port = net::be16(5353);
  set_deltas(connection);
  int all_ones = 0;
  for (unsigned word = 0; word < 0x10000; ++word) {
    before.payload = {static_cast<char>(word >> 8), static_cast<char>(word)};
    FrameBytes frame = bytes_of(before);
    const Parts parts(frame);
    nat_to_real(parts.packet, parts.parsed, connection);
    const std::uint16_t sum = testing::u16_at(frame, testing::kL3 + 20 + 6);
    ASSERT_NE(sum, 0);
    ASSERT_TRUE(testing::checksums_ok(frame));
    all_ones += sum == 0xffff;
  }
  EXPECT_GE(all_ones, 1);
}

TEST(Rewrite, DamageIsPassedOnAsDamage) {
  Random random(13);
  for (int round = 0; round < 1000; ++round) {
    Datagram d = random.datagram(net::Protocol::kTcp);
    d.payload += "payload";
    FrameBytes frame = bytes_of(d);
    frame[frame.size() - d.padding - 3] ^= 0x10;
    const Parts parts(frame);
    nat_to_real(parts.packet, parts.parsed, random.connection(d));
    ASSERT_FALSE(testing::checksums_ok(frame));
  }
}

TEST(Rewrite, TtlMinusOneForEveryTtlAndProtocol) {
  Random random(14);
  for (unsigned ttl = 1; ttl < 256; ++ttl) {
    for (const auto protocol : {net::Protocol::kTcp, net::Protocol::kUdp}) {
      Datagram d = random.datagram(protocol);
      d.ttl = static_cast<std::uint8_t>(ttl);
      FrameBytes frame = bytes_of(d);
      const Parts parts(frame);
      pass_on<net::V4>(parts.packet, parts.parsed);
      --d.ttl;
      EXPECT_EQ(hex(frame), hex(bytes_of(d)));
    }
  }
}

TEST(Rewrite, TheLinkHeaderAndNothingElse) {
  Random random(15);
  Datagram d = random.datagram(net::Protocol::kTcp);
  FrameBytes frame = bytes_of(d);
  const Parts parts(frame);
  d.to = mac("02:00:00:00:00:aa");
  d.from = mac("02:00:00:00:00:bb");
  set_link_header(parts.packet, {d.to, d.from});
  EXPECT_EQ(hex(frame), hex(bytes_of(d)));
}

}  // namespace
}  // namespace keepline::lb
