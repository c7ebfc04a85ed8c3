// Tunnels: every type, inside and outside of either family; what is inside is as the client sent
// it.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

struct Case {
  bool v6_inside;
  bool v6_outside;
  lb::Tunnel tunnel;
};

constexpr lb::Tunnel kIpip{lb::TunnelType::kIpip, 0, false};
constexpr lb::Tunnel kGre{lb::TunnelType::kGre, 0, false};
constexpr lb::Tunnel kGreSummed{lb::TunnelType::kGre, 0, true};
constexpr lb::Tunnel kGue{lb::TunnelType::kGue, 6080, false};
constexpr lb::Tunnel kGueSummed{lb::TunnelType::kGue, 6080, true};

class GoldenTunnel : public ::testing::TestWithParam<int> {
 protected:
  GoldenTunnel() {
    World& world = stage.world;
    world.vips.push_back({kNames.vip6, kOutside, kLease, kNames.virtual_mac, true});
    lb::RealServer real = real_server(1, {server(), 80}, lb::Method::kTunnel);
    real.tunnel = c.tunnel;
    world.services = {service(0, {vip(), 80}, net::Protocol::kTcp, {real})};
    world.routes.push_back({{net::parse_ip("fd00::").value(), 64}, kInside, {}, 0});
    world.routes.push_back({{net::parse_ip("2001:db8::").value(), 64}, kOutside, {}, 0});
    world.neighbours.push_back({kNames.server6, kInside, kNames.server1_mac});
    world.neighbours.push_back({kNames.client6, kOutside, kNames.client_mac});
    stage.publish();
  }
  net::IpAddr vip() const { return c.v6_inside ? kNames.vip6 : net::IpAddr(kNames.vip); }
  net::IpAddr server() const { return c.v6_outside ? kNames.server6 : net::IpAddr(kNames.server1); }
  Datagram request(std::uint8_t flags = kTcpSyn) const {
    Datagram d = from_client(5000, flags);
    d.source.address = c.v6_inside ? kNames.client6 : net::IpAddr(kNames.client);
    d.destination.address = vip();
    d.payload = "payload";
    return d;
  }
  // Headers in front of the packet inside, by the letter of the RFCs.
  FrameBytes tunnelled(const Datagram& inside, std::uint16_t source_port) const {
    const FrameBytes packet = packet_of(bytes_of(inside));
    FrameBytes payload;
    const unsigned protocol = c.v6_inside ? 41 : 4;
    unsigned outer_protocol = protocol;
    if (c.tunnel.type == lb::TunnelType::kGre) {
      outer_protocol = 47;
      append16(payload, c.tunnel.checksum ? 0x8000 : 0);
      append16(payload, c.v6_inside ? 0x86dd : 0x0800);
      if (c.tunnel.checksum) payload.insert(payload.end(), 4, 0);
    } else if (c.tunnel.type == lb::TunnelType::kGue) {
      outer_protocol = 17;
      append16(payload, source_port);
      append16(payload, 6080);
      append16(payload, static_cast<unsigned>(12 + packet.size()));
      append16(payload, 0);
      append16(payload, protocol);
      append16(payload, 0);
    }
    payload.insert(payload.end(), packet.begin(), packet.end());
    if (c.tunnel.type == lb::TunnelType::kGre && c.tunnel.checksum) {
      put16(payload, 4, reference_checksum(payload));
    }
    Datagram outer;
    outer.to = kNames.server1_mac;
    outer.from = kNames.inside_mac;
    outer.source.address = c.v6_outside ? kNames.inside6 : net::IpAddr(kNames.inside);
    outer.destination.address = server();
    outer.protocol = static_cast<net::Protocol>(outer_protocol);
    outer.ttl = inside.ttl;
    outer.fragment = c.v6_inside ? 0 : inside.fragment;
    FrameBytes frame;
    append_ip_header(frame, outer, payload.size());
    // The traffic class of the packet inside: 0x10 of IPv4, 0x12 of IPv6.
    const unsigned traffic_class = c.v6_inside ? 0x12 : 0x10;
    if (c.v6_outside) {
      put16(frame, kL3, 0x6000 | traffic_class << 4);
      put16(frame, kL3 + 2, 0);
    } else {
      frame[kL3 + 1] = static_cast<std::uint8_t>(traffic_class);
      put16(frame, kL3 + 4, id_++);
      fix_ip_checksum(frame);
    }
    const std::size_t l4 = frame.size();
    frame.insert(frame.end(), payload.begin(), payload.end());
    if (c.tunnel.type == lb::TunnelType::kGue && c.tunnel.checksum) {
      put16(frame, l4 + 6,
            reference_checksum(net::Bytes(frame).subspan(l4),
                               pseudo_sum(frame, kL3, net::Protocol::kUdp, payload.size())));
    }
    return frame;
  }

  // What a router between node and server says about the tunnel's packet `about`.
  FrameBytes error(std::uint8_t type, std::uint8_t code, std::uint32_t rest,
                   net::Bytes about) const {
    Datagram d;
    d.to = kNames.inside_mac;
    d.from = kNames.server1_mac;
    d.source.address = c.v6_outside ? net::parse_ip("fd00::77").value() : ip("10.0.0.77");
    d.destination.address = c.v6_outside ? kNames.inside6 : net::IpAddr(kNames.inside);
    return error_of(d, type, code, rest, about);
  }
  // What the client hears from the VIP about the packet inside.
  FrameBytes heard(std::uint8_t type, std::uint8_t code, std::uint32_t rest,
                   net::Bytes about) const {
    Datagram d;
    d.to = kNames.client_mac;
    d.from = kNames.virtual_mac;
    d.source.address = vip();
    d.destination.address = request().source.address;
    FrameBytes frame = error_of(d, type, code, rest, about);
    make_plain(frame);
    return frame;
  }
  FrameBytes too_big(std::uint16_t mtu, net::Bytes about) const {
    return c.v6_outside ? error(2, 0, mtu, about) : error(3, 4, mtu, about);
  }

  static Case case_of(int number) {
    const lb::Tunnel tunnels[] = {kIpip, kGre, kGreSummed, kGue, kGueSummed};
    return {number % 2 != 0, number / 2 % 2 != 0, tunnels[number / 4]};
  }
  const Case c = case_of(GetParam());
  mutable std::uint16_t id_ = 1;
  Stage stage;
};

std::string name_of(const ::testing::TestParamInfo<int>& info) {
  const char* names[] = {"Ipip", "Gre", "GreSummed", "Gue", "GueSummed"};
  return std::string(names[info.param / 4]) + (info.param % 2 != 0 ? "6" : "4") + "In" +
         (info.param / 2 % 2 != 0 ? "6" : "4");
}
INSTANTIATE_TEST_SUITE_P(All, GoldenTunnel, ::testing::Range(0, 20), name_of);

TEST_P(GoldenTunnel, CarriesWhatTheClientSent) {
  for (const std::uint8_t flags : {kTcpSyn, kTcpAck, kTcpAck}) {
    Datagram d = request(flags);
    d.padding = 3;
    const auto sent = stage.put(kOutside, bytes_of(d));
    ASSERT_EQ(sent.size(), 1u);
    Datagram inside = request(flags);
    --inside.ttl;
    const std::size_t udp = kL3 + (c.v6_outside ? 40u : 20u);
    const std::uint16_t source_port = u16_at(sent[0], udp);
    EXPECT_EQ(text(sent), text(tunnelled(inside, source_port)));
    if (c.tunnel.type == lb::TunnelType::kGue) {
      EXPECT_GE(source_port, 32768);
    }
  }
  EXPECT_EQ(stage.counters(), "packets=3 created=1 connections=1");
  EXPECT_EQ(stage.real(1).substr(0, 33), "active=1 inactive=0 connections=1");
}

TEST_P(GoldenTunnel, WhatDoesNotFitIsSaid) {
  Datagram d = request();
  d.payload.assign(1500 - (c.v6_inside ? 60 : 40), 'x');
  EXPECT_EQ(stage.refused(kOutside, bytes_of(d)).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=1 created=1 refusals=1 too_big=1 connections=1");
  // The longest that fits.
  Datagram inside = request();
  --inside.ttl;
  const std::size_t added = tunnelled(inside, 0).size() - bytes_of(inside).size();
  d.payload.resize(d.payload.size() - added);
  const auto sent = stage.put(kOutside, bytes_of(d));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].size(), kL3 + 1500u);
}

// A server that is reached in another way from now on.
TEST_P(GoldenTunnel, AConnectionKeepsTheMethodThatItBeganWith) {
  const auto method_is = [this](lb::Method method) {
    stage.world.services[0].pool[0].method = method;
    stage.publish();
  };
  if (c.v6_inside != c.v6_outside) return;  // nothing but a tunnel leads there
  ASSERT_EQ(stage.put(kOutside, bytes_of(request())).size(), 1u);
  Stage fresh;
  fresh.world = stage.world;
  fresh.world.services[0].pool[0].method = lb::Method::kDirectRouting;
  fresh.publish();
  ASSERT_EQ(fresh.put(kOutside, bytes_of(request())).size(), 1u);
  fresh.world.services[0].pool[0].method = lb::Method::kTunnel;
  fresh.publish();
  ASSERT_EQ(fresh.put(kOutside, bytes_of(request(kTcpAck))).size(), 1u) << "routed as it was";
  method_is(lb::Method::kDirectRouting);
  EXPECT_EQ(stage.put(kOutside, bytes_of(request(kTcpAck))).size(), 1u) << "tunnelled as it was";
}

TEST_P(GoldenTunnel, WithoutAnAddressOfOursNothingLeaves) {
  stage.world.ports[kInside].source4 = {};
  stage.world.ports[kInside].source6 = {};
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 created=1 no_route=1 connections=1");
}

TEST_P(GoldenTunnel, WhatRoutersSayOfItReachesTheClient) {
  Datagram inside = request();
  --inside.ttl;
  const auto sent = stage.put(kOutside, bytes_of(request()));
  ASSERT_EQ(sent.size(), 1u);
  const std::size_t added = sent[0].size() - bytes_of(inside).size();
  stage.counters();
  const FrameBytes about = packet_of(bytes_of(inside));
  const auto expect = [&](const FrameBytes& said, const FrameBytes& expected) {
    EXPECT_EQ(text(stage.put(kInside, said)), text(expected));
    EXPECT_EQ(stage.counters(), "packets=1 icmp_errors=1 connections=1");
  };
  const auto mtu = static_cast<std::uint32_t>(1300 - added);
  expect(too_big(1300, packet_of(sent[0])),
         c.v6_inside ? heard(2, 0, mtu, about) : heard(3, 4, mtu, about));
  expect(c.v6_outside ? error(3, 0, 0, packet_of(sent[0])) : error(11, 0, 0, packet_of(sent[0])),
         c.v6_inside ? heard(3, 0, 0, about) : heard(11, 0, 0, about));
  expect(c.v6_outside ? error(1, 0, 0, packet_of(sent[0])) : error(3, 1, 0, packet_of(sent[0])),
         c.v6_inside ? heard(1, 3, 0, about) : heard(3, 1, 0, about));
  // No more is quoted than the ports, as old routers do of IPv4.
  const std::size_t least = added + (c.v6_inside ? 40 : 20) + 8;
  const FrameBytes short_about(about.begin(), about.begin() + (c.v6_inside ? 48 : 28));
  expect(too_big(1300, packet_of(sent[0], least)),
         c.v6_inside ? heard(2, 0, mtu, short_about) : heard(3, 4, mtu, short_about));
}

TEST_P(GoldenTunnel, WhatRoutersCannotSayIsDropped) {
  const auto sent = stage.put(kOutside, bytes_of(request()));
  ASSERT_EQ(sent.size(), 1u);
  stage.counters();
  const auto dropped = [this](const FrameBytes& said) {
    EXPECT_EQ(text(stage.put(kInside, said)), kNothing);
    return stage.counters();
  };
  FrameBytes wrong = too_big(1300, packet_of(sent[0]));
  wrong.back() ^= 1;
  EXPECT_EQ(dropped(wrong), "packets=1 bad_icmp=1 connections=1");
  EXPECT_EQ(dropped(too_big(20, packet_of(sent[0]))), "packets=1 unknown=1 connections=1");
  // Another server than the connection's.
  FrameBytes elsewhere = packet_of(sent[0]);
  elsewhere[c.v6_outside ? 39 : 19] ^= 0x40;
  EXPECT_EQ(dropped(too_big(1300, elsewhere)), "packets=1 unknown=1 connections=1");
  // However little is quoted, nothing is read that is not there.
  for (std::size_t length = 0; length + 8 < sent[0].size() - kL3; length += 4) {
    stage.put(kInside, too_big(1300, packet_of(sent[0], length)));
  }
  stage.counters();
  stage.revoke();
  EXPECT_EQ(dropped(too_big(1300, packet_of(sent[0]))), "packets=1 not_master=1 connections=1");
}

}  // namespace
}  // namespace keepline::testing
