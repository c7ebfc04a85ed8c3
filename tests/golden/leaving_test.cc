// Connections of a real server that leaves: failed or in good order, at once or after a while.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr std::uint8_t kSyn = net::kTcpSyn;
constexpr std::uint8_t kAck = net::kTcpAck;

// server1 leaves the pools of TCP 80 and UDP 53; server2 takes over 53.
void leave(Stage& stage, bool failed, std::uint32_t drain_s) {
  for (const std::size_t service : {0u, 1u}) {
    lb::Service& each = stage.world.services[service];
    if (drain_s != 0) each.leaving = {{each.pool[0], failed, stage.now_s + drain_s}};
    each.pool.erase(each.pool.begin());
  }
  stage.world.services[1].pool = {real_server(9, {kNames.server2, 5353})};
  stage.publish();
}

Datagram query(std::uint16_t port = 5000) {
  Datagram d = from_client(port, 0, 53);
  d.protocol = net::Protocol::kUdp;
  return d;
}

class GoldenLeaving : public ::testing::Test {
 protected:
  void SetUp() override {
    stage.put(kOutside, bytes_of(from_client(5000, kSyn)));  // server1 by round robin
    stage.put(kOutside, bytes_of(from_client(5000, kAck)));
    stage.put(kOutside, bytes_of(query()));
  }
  std::string last_byte_of_server(const Datagram& d) {
    const auto sent = stage.put(kOutside, bytes_of(d));
    return sent.empty() ? "dropped" : std::to_string(sent[0][kL3 + 19]);
  }
  Stage stage;
};

TEST_F(GoldenLeaving, GoneAtOnceUdpAndNewTcpGoElsewhere) {
  leave(stage, true, 0);
  EXPECT_EQ(last_byte_of_server(query()), "3");
  EXPECT_EQ(last_byte_of_server(from_client(5000, kAck)), "dropped");
  EXPECT_EQ(last_byte_of_server(from_client(5000, kSyn)), "3");
  EXPECT_EQ(last_byte_of_server(from_client(5000, kAck)), "3");
}

TEST_F(GoldenLeaving, FailedButDrainingOnlyEstablishedTcpStays) {
  leave(stage, true, 30);
  EXPECT_EQ(last_byte_of_server(from_client(5000, kAck)), "2");
  EXPECT_EQ(last_byte_of_server(query()), "3");
  EXPECT_EQ(last_byte_of_server(from_client(5001, kSyn)), "3");
  stage.now_s += 29;
  EXPECT_EQ(last_byte_of_server(from_client(5000, kAck)), "2");
  stage.now_s += 1;
  EXPECT_EQ(last_byte_of_server(from_client(5000, kAck)), "dropped");
  EXPECT_EQ(last_byte_of_server(from_client(5000, kSyn)), "3");
}

TEST_F(GoldenLeaving, InGoodOrderUdpStaysAsWellUntilTheTimeIsUp) {
  leave(stage, false, 30);
  EXPECT_EQ(last_byte_of_server(query()), "2");
  EXPECT_EQ(last_byte_of_server(query(5001)), "3");
  EXPECT_EQ(last_byte_of_server(from_client(5000, kAck)), "2");
  stage.now_s += 30;
  EXPECT_EQ(last_byte_of_server(query()), "3");
}

TEST_F(GoldenLeaving, ItsAnswersStillComeThrough) {
  leave(stage, true, 30);
  const Datagram answer = from_server(5000, kAck);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(answer))), text(to_client(answer)));
}

}  // namespace
}  // namespace keepline::testing
