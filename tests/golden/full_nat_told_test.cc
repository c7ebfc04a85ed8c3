// FULLNAT: what the server is told about the client, and what happens when no local port is left.
#include <gtest/gtest.h>

#include "tests/golden/full_nat.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

class GoldenFullNatTold : public GoldenFullNat {};
INSTANTIATE_TEST_SUITE_P(All, GoldenFullNatTold, ::testing::Range(0, 4), full_nat_case);

// What is told in detail is in tests/unit/lb/tell_test.cc; here that it is, and for how long.
TEST_P(GoldenFullNatTold, TheOptionIsToldUntilTheServerSpeaks) {
  if (protocol == net::Protocol::kUdp) return;
  stage.world.services[0].pool[0].tell = lb::Tell::kOption;
  stage.publish();
  const std::size_t longer = v6 ? 20 : 8;
  const std::uint16_t port = open();
  stage.put(kInside, bytes_of(answer(port)));
  const std::size_t usual = bytes_of(request()).size();
  for (int i = 0; i < 2; ++i) {
    const auto sent = stage.put(kOutside, bytes_of(request(kTcpAck)));
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].size(), usual + longer);
    EXPECT_TRUE(checksums_ok(sent[0]));
    EXPECT_EQ(sent[0][kL3 + (v6 ? 40 : 20) + 20], 254);
  }
  stage.put(kInside, bytes_of(answer(port, kTcpAck)));
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request(kTcpAck)))),
            text(sent_on(request(kTcpAck), port)));
}

TEST_P(GoldenFullNatTold, TheProxyHeaderStandsInFrontOfTheData) {
  stage.world.services[0].pool[0].tell = lb::Tell::kProxy;
  stage.publish();
  const bool tcp = protocol == net::Protocol::kTcp;
  const std::size_t longer = v6 ? 52 : 28;
  const auto first = stage.put(kOutside, bytes_of(request(tcp ? kTcpSyn : 0)));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].size(), bytes_of(request()).size() + longer) << "data in a SYN, too";
  EXPECT_TRUE(checksums_ok(first[0]));
  const std::size_t data = kL3 + (v6 ? 40 : 20) + (tcp ? 20 : 8);
  EXPECT_EQ(std::string(first[0].begin() + static_cast<long>(data) + 7,
                        first[0].begin() + static_cast<long>(data) + 11),
            "QUIT");
  EXPECT_NE(text(stage.put(kInside, bytes_of(answer(source_port(first[0]))))), kNothing);
}

// It has to fit in all the same: what is too long for that is refused with what would not be.
TEST_P(GoldenFullNatTold, WhatIsToldCountsAgainstTheMtu) {
  stage.world.services[0].pool[0].tell = lb::Tell::kProxy;
  stage.world.ports[kInside].mtu = 1000;
  stage.publish();
  open();
  stage.counters();
  const std::size_t headers =
      (v6 ? 40u : 20u) + (protocol == net::Protocol::kTcp ? 20u : 8u) + (v6 ? 52u : 28u);
  for (const std::size_t extra : {0u, 1u}) {
    Datagram d = request(kTcpAck);
    d.payload.assign(1000 - headers + extra, 'x');
    EXPECT_EQ(stage.refused(kOutside, bytes_of(d)).size(), 1 - extra);
  }
  EXPECT_EQ(stage.counters(), "packets=2 refusals=1 too_big=1 connections=1");
}

TEST_P(GoldenFullNatTold, AFragmentCannotBeTold) {
  if (protocol == net::Protocol::kTcp) return;
  stage.world.services[0].pool[0].tell = lb::Tell::kProxy;
  stage.publish();
  Datagram query = request();
  query.payload.assign(2500, 'q');
  EXPECT_EQ(text(stage.put(kOutside, fragments_of(bytes_of(query), 1000)[0])), kNothing);
  EXPECT_NE(stage.counters().find("fragment=1"), std::string::npos);
}

Stage& two_servers(Stage& stage) {
  stage.world = full_nat_world(false, net::Protocol::kUdp);
  stage.world.services[0].pool.push_back(
      real_server(2, {kNames.server2, 8080}, lb::Method::kFullNat));
  stage.publish();
  return stage;
}

// Ends are of a connection, not of a client: each server can have all of them.
TEST(GoldenFullNatPool, ServersShareThePortsAndThenThereAreNone) {
  Stage owner(2 * kPorts + 10);
  Stage& stage = two_servers(owner);
  const auto query = [](std::uint32_t number) {
    Datagram d = from_client(static_cast<std::uint16_t>(1024 + number % kPorts));
    d.protocol = net::Protocol::kUdp;
    d.source.address = net::Ip4(ip("192.0.2.7").value() + (number / kPorts << 8));
    return d;
  };
  for (std::uint32_t number = 0; number < 2 * kPorts; ++number) {
    stage.put(kOutside, bytes_of(query(number)));
  }
  const std::string all = std::to_string(2 * kPorts);
  EXPECT_EQ(stage.counters(), "packets=" + all + " created=" + all + " connections=" + all);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(query(2 * kPorts)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_local_port=1 connections=" + all);
  stage.now_s += 1000;
  stage.expire(3 * kPorts);
  stage.counters();
  EXPECT_NE(text(stage.put(kOutside, bytes_of(query(0)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 created=1 connections=1");
}

TEST(GoldenFullNatPool, ArpForALocalAddressIsAnsweredByTheMasterOnly) {
  Stage stage;
  stage.world = full_nat_world(false, net::Protocol::kTcp);
  stage.publish();
  Arp who;
  who.to = mac("ff:ff:ff:ff:ff:ff");
  who.from = who.sender_mac = kNames.server1_mac;
  who.sender = kNames.server1;
  who.target = kLocal;
  const auto sent = stage.put(kInside, bytes_of(who));
  Arp reply{kNames.server1_mac, kNames.inside_mac, net::kArpReply, kNames.inside_mac, kLocal,
            kNames.server1_mac, kNames.server1};
  EXPECT_EQ(text(sent), text(bytes_of(reply)));
  stage.revoke();
  EXPECT_EQ(text(stage.put(kInside, bytes_of(who))), kNothing);
}

}  // namespace
}  // namespace keepline::testing
