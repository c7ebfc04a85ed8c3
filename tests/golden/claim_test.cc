// What a node that is master does when another one says that it is about to be.
#include "dataplane/neigh/claim.h"

#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr std::uint8_t kAck = net::kTcpAck;
const net::Mac kOther = mac("02:00:00:00:00:99");

template <typename Frame>
FrameBytes bytes(const Frame& frame) {
  return FrameBytes(frame.begin(), frame.end());
}
FrameBytes claim(net::Ip4 vip = kNames.vip) {
  return bytes(neigh::make_claim(vip, kOther, mac("01:00:5e:00:00:12")));
}

TEST(GoldenClaim, WhoIsMasterExpectsAnswersOfTheOthersConnectionsForAWhile) {
  Stage stage;
  const Datagram answer = from_server(5000, kAck);
  EXPECT_EQ(stage.put(kInside, bytes_of(answer)).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
  EXPECT_EQ(text(stage.put(kOutside, claim())), kNothing) << "that is no question";
  EXPECT_EQ(stage.counters(), "packets=1 claims=1");
  EXPECT_EQ(stage.neighbours(), "");
  EXPECT_EQ(text(stage.put(kInside, bytes_of(answer))), text(to_client(answer)));
  EXPECT_EQ(stage.counters(), "packets=1 stateless=1");
  stage.now_s += lb::LeaseTable::kHandover_s;
  EXPECT_EQ(stage.put(kInside, bytes_of(answer)).size(), 0u);
}

TEST(GoldenClaim, ItAnswersOnUntilItHearsAnAdvert) {
  Stage stage;
  Arp asked;
  asked.to = net::kBroadcastMac;
  asked.from = asked.sender_mac = kNames.client_mac;
  asked.sender = kNames.client;
  asked.target = kNames.vip;
  stage.put(kOutside, claim());
  EXPECT_NE(text(stage.put(kOutside, bytes_of(asked))), kNothing);
}

TEST(GoldenClaim, OnlyTheMasterListens) {
  Stage stage;
  stage.mute();
  EXPECT_EQ(text(stage.put(kOutside, claim())), kNothing);
  stage.revoke();
  EXPECT_EQ(text(stage.put(kOutside, claim())), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 not_master=2");
}

TEST(GoldenClaim, OfAnotherAddressOrOnAnotherPortItIsNotOurs) {
  Stage stage;
  EXPECT_EQ(text(stage.put(kOutside, claim(ip("192.0.2.101")))), kNothing);
  EXPECT_EQ(text(stage.put(kInside, claim())), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 unknown=2");
}

}  // namespace
}  // namespace keepline::testing
