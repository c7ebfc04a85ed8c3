// IPv6 through the same pipeline: NAT and direct routing, both directions, and what is dropped.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr std::uint8_t kSyn = net::kTcpSyn;
constexpr std::uint8_t kAck = net::kTcpAck;

// The usual world, and over IPv6 TCP 80 and UDP 53 by NAT to server6, TCP 443 by direct routing.
World dual_world() {
  World world = usual_world();
  lb::Vip vip = world.vips[0];
  vip.address = kNames.vip6;
  world.vips.push_back(vip);
  world.services.push_back(service(3, {kNames.vip6, 80}, net::Protocol::kTcp,
                                   {real_server(11, {kNames.server6, 8080})}));
  world.services.push_back(service(4, {kNames.vip6, 53}, net::Protocol::kUdp,
                                   {real_server(12, {kNames.server6, 5353})}));
  world.services.push_back(
      service(5, {kNames.vip6, 443}, net::Protocol::kTcp,
              {real_server(13, {kNames.other_server6, 443}, lb::Method::kDirectRouting)}));
  world.routes.push_back({{*net::parse_ip("2001:db8::"), 64}, kOutside, {}, 0});
  world.routes.push_back({{*net::parse_ip("fd00::"), 64}, kInside, {}, 0});
  world.neighbours.push_back({kNames.client6, kOutside, kNames.client_mac});
  world.neighbours.push_back({kNames.server6, kInside, kNames.server1_mac});
  world.neighbours.push_back({kNames.other_server6, kInside, kNames.server2_mac});
  return world;
}

Datagram v6_from_client(std::uint16_t port = 5000, std::uint8_t flags = kSyn,
                        std::uint16_t vip_port = 80) {
  Datagram d = from_client(port, flags, vip_port);
  d.source.address = kNames.client6;
  d.destination.address = kNames.vip6;
  return d;
}

Datagram v6_from_server(std::uint16_t port, std::uint8_t flags, std::uint16_t real_port = 8080) {
  Datagram d = from_server(port, flags, {kNames.server6, real_port});
  d.destination.address = kNames.client6;
  return d;
}

Datagram v6_to_client(Datagram d, std::uint16_t vip_port = 80) {
  d = to_client(d, vip_port);
  d.source.address = kNames.vip6;
  return d;
}

class GoldenIpv6 : public ::testing::Test {
 protected:
  GoldenIpv6() {
    stage.world = dual_world();
    stage.publish();
  }
  Stage stage;
};

TEST_F(GoldenIpv6, TcpByNatBothWays) {
  const Datagram syn = v6_from_client();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))), text(to_server(syn, {kNames.server6, 8080})));
  const Datagram syn_ack = v6_from_server(5000, kSyn | kAck);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(syn_ack))), text(v6_to_client(syn_ack)));
  Datagram data = v6_from_client(5000, kAck);
  data.payload = std::string(1400, 'x');
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(data))),
            text(to_server(data, {kNames.server6, 8080})));
  EXPECT_EQ(stage.connections(),
            "TCP [2001:db8::7]:5000 [2001:db8::100]:80 [fd00::2]:8080 ESTABLISHED replied 900s\n");
  EXPECT_EQ(stage.counters(), "packets=3 created=1 connections=1");
  EXPECT_EQ(stage.real(11), "active=1 inactive=0 connections=1 in=2/1520 out=1/60");
}

TEST_F(GoldenIpv6, UdpByNatBothWaysAndItsChecksumIsNeverZero) {
  Datagram query = v6_from_client(5000, 0, 53);
  query.protocol = net::Protocol::kUdp;
  for (unsigned word = 0; word < 0x10000; word += 7) {
    query.payload = {static_cast<char>(word >> 8), static_cast<char>(word)};
    ASSERT_EQ(text(stage.put(kOutside, bytes_of(query))),
              text(to_server(query, {kNames.server6, 5353})));
    Datagram answer = v6_from_server(5000, 0, 5353);
    answer.protocol = net::Protocol::kUdp;
    answer.payload = query.payload;
    ASSERT_EQ(text(stage.put(kInside, bytes_of(answer))), text(v6_to_client(answer, 53)));
  }
}

TEST_F(GoldenIpv6, DirectRoutingChangesTheLinkHeaderAndTheHopLimit) {
  const Datagram syn = v6_from_client(5000, kSyn, 443);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))),
            text(to_server(syn, syn.destination, kNames.server2_mac)));
  EXPECT_EQ(stage.connections(),
            "TCP [2001:db8::7]:5000 [2001:db8::100]:443 [fd00::3]:443 SYN_RECV dr 60s\n");
}

TEST_F(GoldenIpv6, ExtensionHeadersAreLookedThrough) {
  Datagram syn = v6_from_client();
  syn.options = 24;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))), text(to_server(syn, {kNames.server6, 8080})));
}

TEST_F(GoldenIpv6, BothFamiliesInOneBurstKeepTheirOrder) {
  for (std::uint16_t i = 0; i < 8; ++i) {
    stage.arrive(kOutside, bytes_of(i % 2 == 0 ? from_client(6000 + i) : v6_from_client(6000 + i)));
  }
  stage.turn();
  const auto sent = stage.take_sent(kInside);
  ASSERT_EQ(sent.size(), 8u);
  for (std::uint16_t i = 0; i < 8; ++i) {
    const std::size_t l4 = kL3 + (i % 2 == 0 ? 20 : 40);
    EXPECT_EQ(u16_at(sent[i], l4), 6000 + i);
    EXPECT_TRUE(checksums_ok(sent[i]));
  }
}

TEST_F(GoldenIpv6, WhatIsDroppedAndWhy) {
  const auto dropped = [this](const FrameBytes& frame) {
    stage.counters();
    EXPECT_EQ(stage.refused(kOutside, frame).size(), 0u);
    return stage.counters();
  };
  FrameBytes frame = bytes_of(v6_from_client());
  frame[kL3] = 0x50;
  EXPECT_EQ(dropped(frame), "packets=1 bad_ip_header=1");
  frame = bytes_of(v6_from_client());
  put16(frame, kL3 + 4, 21);
  EXPECT_EQ(dropped(frame), "packets=1 truncated=1");
  put16(frame, kL3 + 4, 19);
  EXPECT_EQ(dropped(frame), "packets=1 truncated=1");
  frame = bytes_of(v6_from_client());
  frame.resize(kL3 + 39);
  EXPECT_EQ(dropped(frame), "packets=1 truncated=1");
  Datagram with_options = v6_from_client();
  with_options.options = 8;
  frame = bytes_of(with_options);
  frame[kL3 + 41] = 200;  // the extension header claims to be longer than the packet
  EXPECT_EQ(dropped(frame), "packets=1 truncated=1");
  frame = bytes_of(v6_from_client());
  frame[kL3 + 6] = net::kIpv6Fragment;
  EXPECT_EQ(dropped(frame), "packets=1 fragment=1");
  Datagram last_hop = v6_from_client();
  last_hop.ttl = 1;
  EXPECT_EQ(dropped(bytes_of(last_hop)),
            "packets=1 created=1 refusals=1 ttl_expired=1 connections=1");
  EXPECT_EQ(dropped(bytes_of(v6_from_client(5001, kAck))),
            "packets=1 no_connection=1 connections=1");
  stage.revoke();
  Datagram to_port = v6_from_client(5002);
  to_port.to = kNames.outside_mac;
  EXPECT_EQ(dropped(bytes_of(to_port)), "packets=1 not_master=1 connections=1");
}

}  // namespace
}  // namespace keepline::testing
