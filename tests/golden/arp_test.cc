// ARP for VIPs: who is answered, with what, and who is not.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

Arp request(net::Ip4 target = kNames.vip) {
  Arp arp;
  arp.to = net::kBroadcastMac;
  arp.from = kNames.client_mac;
  arp.sender_mac = kNames.client_mac;
  arp.sender = kNames.client;
  arp.target = target;
  return arp;
}

Arp reply_to(const Arp& asked) {
  Arp arp;
  arp.to = asked.from;
  arp.from = kNames.virtual_mac;
  arp.operation = net::kArpReply;
  arp.sender_mac = kNames.virtual_mac;
  arp.sender = asked.target;
  arp.target_mac = asked.sender_mac;
  arp.target = asked.sender;
  return arp;
}

TEST(GoldenArp, TheMasterAnswersForTheVipAndReportsWhoAsked) {
  Stage stage;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request()))), text(bytes_of(reply_to(request()))));
  EXPECT_EQ(stage.counters(), "packets=1 arp_replies=1");
  EXPECT_EQ(stage.neighbours(), "192.0.2.7@02:00:00:00:0c:07%0");
}

TEST(GoldenArp, PaddingOfTheRequestIsNoObstacle) {
  Stage stage;
  FrameBytes asked = bytes_of(request());
  asked.resize(60);
  FrameBytes expected = bytes_of(reply_to(request()));
  expected.resize(60);
  EXPECT_EQ(text(stage.put(kOutside, asked)), text(expected));
  EXPECT_EQ(stage.counters(), "packets=1 arp_replies=1");
}

TEST(GoldenArp, TheReplyGoesToTheMacThatTheFrameCameFrom) {
  Stage stage;
  Arp asked = request();
  asked.from = kNames.router_mac;  // proxied
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(asked))), text(bytes_of(reply_to(asked))));
}

TEST(GoldenArp, WithoutTheLeaseItIsSilent) {
  Stage stage;
  stage.revoke();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 not_master=1");
  EXPECT_EQ(stage.neighbours(), "");
  stage.make_master();
  EXPECT_NE(text(stage.put(kOutside, bytes_of(request()))), kNothing);
}

TEST(GoldenArp, MutedItIsSilentButGoesOnForwarding) {
  Stage stage;
  stage.mute();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 not_master=1");
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client()))), text(to_server(from_client())));
  stage.make_master();
  EXPECT_NE(text(stage.put(kOutside, bytes_of(request()))), kNothing);
}

TEST(GoldenArp, AnotherTargetIsNotOurs) {
  Stage stage;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request(ip("192.0.2.101"))))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 unknown=1");
}

TEST(GoldenArp, TheVipIsNotAnsweredOnAnotherPort) {
  Stage stage;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(request()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 unknown=1");
}

TEST(GoldenArp, AnAddressOfTheNodeItselfIsTheKernels) {
  Stage stage;
  stage.world.vips[0].answer = false;
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 unknown=1");
}

TEST(GoldenArp, AProbeIsAnsweredButTeachesNothing) {
  Stage stage;
  Arp probe = request();
  probe.sender = net::Ip4();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(probe))), text(bytes_of(reply_to(probe))));
  EXPECT_EQ(stage.counters(), "packets=1 arp_replies=1");
  EXPECT_EQ(stage.neighbours(), "");
}

TEST(GoldenArp, AReplyIsNotAnswered) {
  Stage stage;
  Arp reply = request();
  reply.operation = net::kArpReply;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(reply))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 bad_arp=1");
  EXPECT_EQ(stage.neighbours(), "");
}

TEST(GoldenArp, ASenderThatCannotBeOneIsRefused) {
  Stage stage;
  Arp asked = request();
  asked.sender_mac = net::kBroadcastMac;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(asked))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 bad_arp=1");
}

TEST(GoldenArp, EveryFieldOfTheKindIsChecked) {
  // Hardware type, protocol type, both lengths, operation.
  for (const std::size_t at : {14u, 15u, 16u, 17u, 18u, 19u, 20u, 21u}) {
    Stage stage;
    FrameBytes frame = bytes_of(request());
    frame[at] ^= 0x40;
    EXPECT_EQ(text(stage.put(kOutside, frame)), kNothing) << at;
    EXPECT_EQ(stage.counters(), "packets=1 bad_arp=1") << at;
  }
}

TEST(GoldenArp, TruncatedAtEveryLengthItIsDropped) {
  Stage stage;
  const FrameBytes whole = bytes_of(request());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const FrameBytes frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(text(stage.put(kOutside, frame)), kNothing) << length;
    EXPECT_EQ(stage.counters(), "packets=1 truncated=1") << length;
  }
}

TEST(GoldenArp, AWholeBurstOfRequestsIsAnswered) {
  Stage stage;
  for (std::size_t i = 0; i < net::kBurstSize; ++i) stage.arrive(kOutside, bytes_of(request()));
  stage.turn();
  EXPECT_EQ(stage.take_sent(kOutside).size(), net::kBurstSize);
  EXPECT_EQ(stage.counters(), "packets=32 arp_replies=32");
}

}  // namespace
}  // namespace keepline::testing
