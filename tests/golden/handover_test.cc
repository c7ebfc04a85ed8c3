// What comes to a node that has just become master of flows that another node began, and to the
// node that is still forwarding what was on its way.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr std::uint8_t kAck = net::kTcpAck;

// The usual service of two servers, but one that leads clients by a hash.
void lead_by_hash(Stage& stage) {
  stage.world.services[0].scheduler = lb::Scheduler::kMaglev;
  stage.world.services[0].build_ring();
  stage.publish();
}

TEST(GoldenHandover, AnAnswerToWhatAnotherNodeForwardedComesFromTheVip) {
  Stage stage;
  stage.take_over();
  const Datagram answer = from_server(5000, kAck);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(answer))), text(to_client(answer)));
  EXPECT_EQ(stage.counters(), "packets=1 stateless=1");
}

TEST(GoldenHandover, LaterItIsTheServersOwnTraffic) {
  Stage stage;
  stage.take_over();
  stage.now_s += lb::LeaseTable::kHandover_s;
  EXPECT_EQ(stage.put(kInside, bytes_of(from_server(5000, kAck))).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
}

TEST(GoldenHandover, WhoWasSucceededTranslatesTheSuccessorsAnswers) {
  Stage stage;
  const Datagram answer = from_server(5000, kAck);
  EXPECT_EQ(stage.put(kInside, bytes_of(answer)).size(), 0u);
  stage.mute();
  Datagram translated = to_client(answer);
  translated.from = kNames.outside_mac;  // the virtual one is the successor's
  EXPECT_EQ(text(stage.put(kInside, bytes_of(answer))), text(translated));
  stage.revoke();
  EXPECT_EQ(stage.put(kInside, bytes_of(answer)).size(), 0u);
}

TEST(GoldenHandover, AServerOfTwoServicesIsNotGuessedAt) {
  Stage stage;
  stage.world.services.push_back(service(3, {kNames.vip, 8081}, net::Protocol::kTcp,
                                         {real_server(5, {kNames.server1, 8080})}));
  stage.publish();
  stage.take_over();
  EXPECT_EQ(stage.put(kInside, bytes_of(from_server(5000, kAck))).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
}

TEST(GoldenHandover, AnEstablishedFlowGoesOnWhereItsHashLeads) {
  Stage before;
  lead_by_hash(before);
  Stage after;
  lead_by_hash(after);
  after.take_over();
  for (std::uint16_t port = 5000; port < 5050; ++port) {
    const auto syn = before.put(kOutside, bytes_of(from_client(port, net::kTcpSyn)));
    const auto ack = after.put(kOutside, bytes_of(from_client(port, kAck)));
    ASSERT_EQ(ack.size(), 1u);
    EXPECT_EQ(u16_at(ack[0], kL3 + 18), u16_at(syn[0], kL3 + 18)) << port;
  }
  EXPECT_EQ(after.counters(), "packets=50 created=50 connections=50");
}

TEST(GoldenHandover, AFlowThatTheOtherNodeDealtOutIsNotGuessedAt) {
  Stage stage;  // in turn
  stage.take_over();
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(5000, kAck))).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
}

TEST(GoldenHandover, AServiceOfOneServerLeadsNobodyElsewhere) {
  Stage stage;
  stage.world.services[0].pool.pop_back();
  stage.world.services[0].seal();
  stage.publish();
  stage.take_over();
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(5000, kAck))).size(), 1u);
  EXPECT_EQ(stage.counters(), "packets=1 created=1 connections=1");
}

TEST(GoldenHandover, NothingIsInheritedForLong) {
  Stage stage;
  lead_by_hash(stage);
  stage.take_over();
  stage.now_s += lb::LeaseTable::kInherit_s - 1;
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(5000, kAck))).size(), 1u);
  stage.now_s += 1;
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(5001, kAck))).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=2 created=1 no_connection=1 connections=1");
}

TEST(GoldenHandover, AResetOpensNothing) {
  Stage stage;
  lead_by_hash(stage);
  stage.take_over();
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(5000, net::kTcpRst))).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
}

}  // namespace
}  // namespace keepline::testing
