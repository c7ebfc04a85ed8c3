// What happens when there are more connections than the table or the share of half-open ones holds.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr std::uint8_t kSyn = net::kTcpSyn;
constexpr std::uint8_t kAck = net::kTcpAck;

void establish(Stage& stage, std::uint16_t client_port) {
  stage.put(kOutside, bytes_of(from_client(client_port, kSyn)));
  stage.put(kOutside, bytes_of(from_client(client_port, kAck)));
}

// Where a packet left to; the server's address, or nothing.
std::string server_of(const std::vector<FrameBytes>& sent) {
  if (sent.empty()) return "";
  const FrameBytes& frame = sent.front();
  return std::to_string(frame[kL3 + 19]);
}

TEST(GoldenOverload, AFullTableForwardsByHashAndKeepsTheOld) {
  Stage stage(2);
  establish(stage, 5000);
  establish(stage, 5001);
  const std::string before = stage.connections();
  stage.counters();
  const auto sent = stage.put(kOutside, bytes_of(from_client(5002, kSyn)));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(checksums_ok(sent[0]));
  EXPECT_EQ(stage.counters(), "packets=1 stateless=1 connections=2");
  EXPECT_EQ(stage.connections(), before);
}

TEST(GoldenOverload, AllPacketsOfAFlowWithoutEntryGoToOneServerAndComeBack) {
  Stage stage(1);
  establish(stage, 5000);
  std::set<std::string> servers;
  for (std::uint16_t port = 6000; port < 6100; ++port) {
    const auto syn = stage.put(kOutside, bytes_of(from_client(port, kSyn)));
    ASSERT_EQ(syn.size(), 1u);
    const std::string server = server_of(syn);
    servers.insert(server);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(server_of(stage.put(kOutside, bytes_of(from_client(port, kAck)))), server);
    }
    const net::Ip4 address = server == "2" ? kNames.server1 : kNames.server2;
    const Datagram answer = from_server(port, kAck, {address, 8080});
    EXPECT_EQ(text(stage.put(kInside, bytes_of(answer))), text(to_client(answer)));
  }
  EXPECT_EQ(servers.size(), 2u);
}

TEST(GoldenOverload, HalfOpenOnesKeepToTheirShareAndTheOldestGoesFirst) {
  Stage stage(100, 10);
  for (std::uint16_t port = 5000; port < 5050; ++port) establish(stage, port);
  stage.counters();
  for (std::uint16_t port = 7000; port < 8000; ++port) {
    ASSERT_EQ(stage.put(kOutside, bytes_of(from_client(port, kSyn))).size(), 1u);
  }
  EXPECT_EQ(stage.counters(), "packets=1000 created=1000 reclaimed=990 connections=60");
  // Every established one is still there, and of the others the newest ten.
  const std::string table = stage.connections();
  for (std::uint16_t port = 5000; port < 5050; ++port) {
    EXPECT_NE(table.find(":" + std::to_string(port) + " "), std::string::npos) << port;
  }
  EXPECT_EQ(table.find(":7989 "), std::string::npos);
  EXPECT_NE(table.find(":7990 "), std::string::npos);
}

TEST(GoldenOverload, AHandshakeWhoseEntryWasGivenUpIsCompletedAllTheSame) {
  Stage stage(100, 5);
  for (std::uint16_t port = 7000; port < 7010; ++port) {  // the overload begins
    stage.put(kOutside, bytes_of(from_client(port, kSyn)));
  }
  const auto syn = stage.put(kOutside, bytes_of(from_client(6000, kSyn)));
  const std::string server = server_of(syn);
  for (std::uint16_t port = 8000; port < 8010; ++port) {
    stage.put(kOutside, bytes_of(from_client(port, kSyn)));
  }
  EXPECT_EQ(stage.connections().find(":6000 "), std::string::npos);
  const net::Ip4 address = server == "2" ? kNames.server1 : kNames.server2;
  const Datagram syn_ack = from_server(6000, kSyn | kAck, {address, 8080});
  EXPECT_EQ(text(stage.put(kInside, bytes_of(syn_ack))), text(to_client(syn_ack)));
  EXPECT_EQ(server_of(stage.put(kOutside, bytes_of(from_client(6000, kAck)))), server);
  EXPECT_EQ(server_of(stage.put(kOutside, bytes_of(from_client(6000, kAck)))), server);
  EXPECT_NE(stage.connections().find(":6000 192.0.2.100:80 10.0.0." + server + ":8080 ESTABLISHED"),
            std::string::npos)
      << stage.connections();
}

TEST(GoldenOverload, OnceItIsOverStrangersAreTurnedAwayAgain) {
  Stage stage(100, 1);
  stage.put(kOutside, bytes_of(from_client(7000, kSyn)));
  stage.put(kOutside, bytes_of(from_client(7001, kSyn)));
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(9000, kAck))).size(), 1u);
  stage.now_s += 121;
  stage.counters();
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(9001, kAck))).size(), 0u);
  EXPECT_EQ(stage.put(kInside, bytes_of(from_server(9001, kAck))).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=2 no_connection=2 connections=1");
}

TEST(GoldenOverload, UnansweredUdpIsHalfOpenAndAnsweredIsNot) {
  Stage stage(100, 2);
  const auto query = [](std::uint16_t port) {
    Datagram d = from_client(port, 0, 53);
    d.protocol = net::Protocol::kUdp;
    return d;
  };
  stage.put(kOutside, bytes_of(query(5000)));
  Datagram answer = from_server(5000, 0, {kNames.server1, 5353});
  answer.protocol = net::Protocol::kUdp;
  stage.put(kInside, bytes_of(answer));
  for (std::uint16_t port = 6000; port < 6010; ++port) stage.put(kOutside, bytes_of(query(port)));
  EXPECT_NE(stage.connections().find(":5000 "), std::string::npos);
  EXPECT_EQ(stage.connections().find(":6007 "), std::string::npos);
  EXPECT_NE(stage.connections().find(":6009 "), std::string::npos);
}

// Ten times the table's size in SYNs from random sources, with established connections in use and
// honest clients whose ACK comes after as many spoofed SYNs as a round trip lets in.
TEST(GoldenOverload, ASynFloodCostsEstablishedFlowsNothingAndNewOnesSucceed) {
  constexpr std::size_t kCapacity = 2000;
  constexpr std::uint16_t kEstablished = 400;
  constexpr int kFlood = 10 * kCapacity;
  Stage stage(kCapacity, 25);
  for (std::uint16_t i = 0; i < kEstablished; ++i)
    establish(stage, static_cast<std::uint16_t>(1000 + i));
  std::mt19937 random(7);
  int in_use = 0;
  int forwarded = 0;
  int honest = 0;
  int succeeded = 0;
  std::string server;
  for (int i = 0; i < kFlood; ++i) {
    Datagram spoofed = from_client(static_cast<std::uint16_t>(random()), kSyn);
    spoofed.source.address = net::Ip4(static_cast<std::uint32_t>(random()));
    stage.put(kOutside, bytes_of(spoofed));
    if (i % 5 == 0) {
      ++in_use;
      const auto port = static_cast<std::uint16_t>(1000 + random() % kEstablished);
      forwarded += static_cast<int>(stage.put(kOutside, bytes_of(from_client(port, kAck))).size());
    }
    // One honest client at a time: SYN now, its ACK 700 spoofed SYNs later: more than the share.
    const auto port = static_cast<std::uint16_t>(20'000 + i / 1000);
    if (i % 1000 == 0) server = server_of(stage.put(kOutside, bytes_of(from_client(port, kSyn))));
    if (i % 1000 == 700) {
      ++honest;
      const bool to_same =
          server_of(stage.put(kOutside, bytes_of(from_client(port, kAck)))) == server;
      const net::Ip4 address = server == "2" ? kNames.server1 : kNames.server2;
      const Datagram answer = from_server(port, kAck, {address, 8080});
      const bool answered = text(stage.put(kInside, bytes_of(answer))) == text(to_client(answer));
      const bool goes_on =
          server_of(stage.put(kOutside, bytes_of(from_client(port, kAck)))) == server;
      succeeded += to_same && answered && goes_on;
    }
  }
  EXPECT_EQ(forwarded, in_use);
  EXPECT_EQ(succeeded, honest);
  const std::string table = stage.connections();
  for (std::uint16_t i = 0; i < kEstablished; ++i) {
    EXPECT_NE(table.find(":" + std::to_string(1000 + i) + " 192.0.2.100:80"), std::string::npos);
  }
}

}  // namespace
}  // namespace keepline::testing
