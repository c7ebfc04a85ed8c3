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

}  // namespace
}  // namespace keepline::testing
