// The straight way: what looks alike by its hash and is another connection must not take it.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

// One client port talks to two services, so that both connections have one hash and one tag.
class GoldenStraight : public ::testing::TestWithParam<lb::Method> {
 protected:
  void SetUp() override {
    stage_.world.services[2].pool[0].method = GetParam();
    stage_.publish();
    stage_.make_master();
    for (const std::uint16_t vip_port : {80, 443}) {
      stage_.put(kOutside, bytes_of(from_client(5000, kTcpSyn, vip_port)));
      if (vip_port == 80 || GetParam() == lb::Method::kNat) {
        stage_.put(kInside, bytes_of(answer(vip_port, kTcpSyn | kTcpAck)));
      }
      stage_.put(kOutside, bytes_of(from_client(5000, kTcpAck, vip_port)));
    }
  }
  static Datagram answer(std::uint16_t vip_port, std::uint8_t flags) {
    return vip_port == 80 ? from_server(5000, flags)
                          : from_server(5000, flags, {kNames.server2, 443});
  }

  Stage stage_;
};
INSTANTIATE_TEST_SUITE_P(Methods, GoldenStraight,
                         ::testing::Values(lb::Method::kNat, lb::Method::kDirectRouting));

TEST_P(GoldenStraight, OneClientPortToTwoServicesIsTwoConnections) {
  for (int round = 0; round < 3; ++round) {
    const Datagram first = from_client(5000, kTcpAck);
    EXPECT_EQ(text(stage_.put(kOutside, bytes_of(first))), text(to_server(first)));
    const Datagram second = from_client(5000, kTcpAck, 443);
    Datagram out = to_server(second, {kNames.server2, 443}, kNames.server2_mac);
    if (GetParam() == lb::Method::kDirectRouting) out.destination = second.destination;
    EXPECT_EQ(text(stage_.put(kOutside, bytes_of(second))), text(out));
  }
}

TEST_P(GoldenStraight, AnswersOfTwoServersToOneClientPortBothFindTheirVip) {
  if (GetParam() == lb::Method::kDirectRouting) return;  // they do not come this way
  for (int round = 0; round < 3; ++round) {
    for (const std::uint16_t vip_port : {80, 443}) {
      Datagram in = answer(vip_port, kTcpAck);
      if (vip_port == 443) in.from = kNames.server2_mac;
      EXPECT_EQ(text(stage_.put(kInside, bytes_of(in))), text(to_client(in, vip_port)));
    }
  }
}

// A connection of the client's port 5000 to server1, established and answered.
void establish(Stage& stage) {
  stage.make_master();
  stage.publish();
  stage.put(kOutside, bytes_of(from_client()));
  stage.put(kInside, bytes_of(from_server(5000, kTcpSyn | kTcpAck)));
  stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)));
  stage.counters();
}

TEST(GoldenEstablished, WithoutTheLeaseNeitherDirectionPasses) {
  Stage stage;
  establish(stage);
  stage.revoke();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(from_server(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 not_master=2 connections=1");
}

TEST(GoldenEstablished, AnswersFollowAChangeOfTheWayToTheClient) {
  Stage stage;
  establish(stage);
  const Datagram in = from_server(5000, kTcpAck);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(in))), text(to_client(in)));
  stage.world.neighbours[0].mac = kNames.router_mac;
  stage.publish();
  Datagram out = to_client(in);
  out.to = kNames.router_mac;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(in))), text(out));
}

TEST(GoldenEstablished, EitherDirectionKeepsItAlive) {
  Stage stage;
  establish(stage);
  for (int round = 0; round < 3; ++round) {
    stage.now_s += 600;
    stage.expire();
    EXPECT_NE(text(stage.put(kInside, bytes_of(from_server(5000, kTcpAck)))), kNothing);
    stage.now_s += 600;
    stage.expire();
    EXPECT_NE(text(stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)))), kNothing);
  }
  stage.now_s += 901;
  stage.expire();
  EXPECT_EQ(stage.connections(), kNothing);
}

TEST(GoldenEstablished, NoHopLeftAndTooLongAreDropsOfBothDirections) {
  Stage stage;
  establish(stage);
  Datagram last = from_client(5000, kTcpAck);
  Datagram last_back = from_server(5000, kTcpAck);
  last.ttl = last_back.ttl = 1;
  EXPECT_EQ(text(stage.refused(kOutside, bytes_of(last))), kNothing);
  EXPECT_EQ(text(stage.refused(kInside, bytes_of(last_back))), kNothing);
  Datagram big = from_client(5000, kTcpAck);
  Datagram big_back = from_server(5000, kTcpAck);
  big.payload = big_back.payload = std::string(1461, 'x');
  EXPECT_EQ(text(stage.refused(kOutside, bytes_of(big))), kNothing);
  EXPECT_EQ(text(stage.refused(kInside, bytes_of(big_back))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=4 refusals=4 ttl_expired=2 too_big=2 connections=1");
}

}  // namespace
}  // namespace keepline::testing
