// Who may have new connections: denied networks and the rate of each client.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

std::vector<FrameBytes> syn_of(Stage& stage, const char* client, std::uint16_t port = 5000) {
  Datagram d = from_client(port);
  d.source.address = ip(client);
  return stage.put(kOutside, bytes_of(d));
}

void deny(Stage& stage, const char* network, std::uint8_t length) {
  stage.world.services[0].access = std::make_shared<const lb::AccessList>(
      std::vector<lb::AccessRule>{{{ip(network), length}, false}}, net::Family::kV4);
  stage.publish();
}

TEST(GoldenDefence, ADeniedClientGetsNoNewConnection) {
  Stage stage;
  deny(stage, "198.51.100.0", 24);
  EXPECT_EQ(text(syn_of(stage, "198.51.100.77")), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 denied=1");
  EXPECT_NE(text(syn_of(stage, "198.51.101.77")), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 created=1 connections=1");
}

TEST(GoldenDefence, WhatItHasGoesOn) {
  Stage stage;
  stage.put(kOutside, bytes_of(from_client()));
  deny(stage, "192.0.2.7", 32);
  stage.counters();
  EXPECT_NE(text(stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client(5001)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 denied=1 connections=1");
}

TEST(GoldenDefence, OtherServicesDoNotMind) {
  Stage stage;
  deny(stage, "0.0.0.0", 0);
  EXPECT_NE(text(stage.put(kOutside, bytes_of(from_client(5000, kTcpSyn, 443)))), kNothing);
}

TEST(GoldenDefence, NorInAnOverload) {
  Stage stage(1);
  syn_of(stage, "198.51.101.1");
  Datagram established = from_client(5000, kTcpAck);
  established.source.address = ip("198.51.101.1");
  stage.put(kOutside, bytes_of(established));
  deny(stage, "198.51.100.0", 24);
  stage.counters();
  EXPECT_NE(text(syn_of(stage, "198.51.101.2")), kNothing);
  EXPECT_EQ(text(syn_of(stage, "198.51.100.2")), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 stateless=1 denied=1 connections=1");
}

TEST(GoldenDefence, AClientHasItsBurstAndThenItsRate) {
  Stage stage;
  stage.world.services[0].client_rate = {2, 5};
  stage.publish();
  const auto admitted = [&](const char* client, std::uint16_t first) {
    int count = 0;
    for (std::uint16_t port = first; port < first + 20; ++port) {
      count += static_cast<int>(syn_of(stage, client, port).size());
    }
    return count;
  };
  EXPECT_EQ(admitted("198.51.100.1", 1000), 5);
  EXPECT_EQ(admitted("198.51.100.2", 1000), 5);
  EXPECT_EQ(stage.counters(), "packets=40 created=10 rate_limited=30 connections=10");
  stage.now_s += 1;
  EXPECT_EQ(admitted("198.51.100.1", 2000), 2);
  // What it has is not limited.
  Datagram d = from_client(1000, kTcpAck);
  d.source.address = ip("198.51.100.1");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(stage.put(kOutside, bytes_of(d)).size(), 1u);
}

TEST(GoldenDefence, EachServiceCountsForItself) {
  Stage stage;
  for (const std::size_t i : {0u, 2u}) stage.world.services[i].client_rate = {1, 1};
  stage.publish();
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(5000))).size(), 1u);
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(5001))).size(), 0u);
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(5002, kTcpSyn, 443))).size(), 1u);
}

// All ports of a client are with one worker, whose count is then right.
TEST(GoldenDefence, WithTwoWorkersAClientIsWithOne) {
  Stage stage;
  stage.world.services[0].client_rate = {100, 100};
  for (std::size_t shard = 0; shard < net::kShards; ++shard) {
    stage.world.shard_workers[shard] = shard % 2;
  }
  stage.publish();
  int ours = 0;
  for (int client = 1; client <= 40; ++client) {
    const std::string address = "198.51.100." + std::to_string(client);
    std::size_t sent = 0;
    for (std::uint16_t port = 5000; port < 5010; ++port) {
      sent += syn_of(stage, address.c_str(), port).size();
    }
    EXPECT_TRUE(sent == 0 || sent == 10) << address;
    ours += sent == 10;
  }
  EXPECT_GT(ours, 5);
  EXPECT_LT(ours, 35);
}

}  // namespace
}  // namespace keepline::testing
