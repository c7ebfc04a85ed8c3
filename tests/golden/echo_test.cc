// ICMP echo for VIPs.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

Datagram request() {
  Datagram d = from_client();
  d.payload = "ping!";  // odd
  return d;
}

Datagram reply_to(const Datagram& asked) {
  Datagram d = asked;
  std::swap(d.source, d.destination);
  d.to = asked.from;
  d.from = kNames.virtual_mac;
  d.ttl = 64;
  return d;
}

FrameBytes echo_request(const Datagram& d) {
  return echo_of(d, net::kIcmpEchoRequest);
}
FrameBytes echo_reply(const Datagram& d) {
  return echo_of(d, net::kIcmpEchoReply);
}

TEST(GoldenEcho, IsAnsweredExactly) {
  for (const char* payload : {"", "x", "even", "odd..", "0123456789abcdef0123456789abcdef"}) {
    Stage stage;
    Datagram asked = request();
    asked.payload = payload;
    asked.ttl = 1;  // it has arrived: no hop is left to make
    EXPECT_EQ(text(stage.put(kOutside, echo_request(asked))), text(echo_reply(reply_to(asked))));
    EXPECT_EQ(stage.counters(), "packets=1 echo_replies=1");
  }
}

TEST(GoldenEcho, EthernetPaddingIsNotPartOfTheMessage) {
  Stage stage;
  Datagram asked = request();
  asked.padding = 13;
  EXPECT_EQ(text(stage.put(kOutside, echo_request(asked))), text(echo_reply(reply_to(asked))));
}

TEST(GoldenEcho, AnyPayloadGivesARightChecksum) {
  Stage stage;
  for (unsigned i = 0; i < 0x10000; i += 7) {
    Datagram asked = request();
    asked.payload = {static_cast<char>(i >> 8), static_cast<char>(i)};
    const auto sent = stage.put(kOutside, echo_request(asked));
    ASSERT_EQ(sent.size(), 1u);
    ASSERT_TRUE(checksums_ok(sent[0])) << i;
  }
}

TEST(GoldenEcho, AWrongChecksumIsNotAnswered) {
  Stage stage;
  FrameBytes frame = echo_request(request());
  frame.back() ^= 1;
  EXPECT_EQ(text(stage.put(kOutside, frame)), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 bad_icmp=1");
}

TEST(GoldenEcho, OnlyTheMasterAnswers) {
  Stage stage;
  stage.revoke();
  EXPECT_EQ(text(stage.put(kOutside, echo_request(request()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 not_master=1");
}

TEST(GoldenEcho, OnlyVipsOfOursAnswer) {
  Stage stage;
  Datagram asked = request();
  asked.destination.address = ip("192.0.2.101");
  EXPECT_EQ(text(stage.put(kOutside, echo_request(asked))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 unknown=1");
  stage.world.vips[0].answer = false;
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, echo_request(request()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 unknown=1");
}

TEST(GoldenEcho, OtherIcmpIsNotAnswered) {
  for (const std::uint8_t type : {0, 3, 5, 11, 13}) {
    Stage stage;
    EXPECT_EQ(text(stage.put(kOutside, echo_of(request(), type))), kNothing);
    EXPECT_EQ(stage.counters(), "packets=1 unknown=1");
  }
}

TEST(GoldenEcho, ForAnotherMacItIsNotOurs) {
  for (const net::Mac& to : {net::kBroadcastMac, mac("02:00:00:00:00:99")}) {
    Stage stage;
    Datagram asked = request();
    asked.to = to;
    EXPECT_EQ(text(stage.put(kOutside, echo_request(asked))), kNothing);
    EXPECT_EQ(stage.counters(), "packets=1 not_for_us=1");
  }
}

TEST(GoldenEcho, TheVirtualMacStaysOnItsOwnPort) {
  Stage stage;
  Datagram asked = request();
  asked.to = kNames.inside_mac;
  asked.from = kNames.server1_mac;
  asked.source.address = kNames.server1;
  Datagram expected = reply_to(asked);
  expected.from = kNames.inside_mac;
  EXPECT_EQ(text(stage.put(kInside, echo_request(asked))), text(echo_reply(expected)));
  EXPECT_EQ(stage.counters(), "packets=1 echo_replies=1");
}

TEST(GoldenEcho, IpOptionsPass) {
  Stage stage;
  Datagram asked = request();
  asked.options = 8;
  EXPECT_EQ(text(stage.put(kOutside, echo_request(asked))), text(echo_reply(reply_to(asked))));
}

TEST(GoldenEcho, TruncatedAtEveryLengthItIsDropped) {
  Stage stage;
  const FrameBytes whole = echo_request(request());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const FrameBytes frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(text(stage.put(kOutside, frame)), kNothing) << length;
    EXPECT_EQ(stage.counters(), "packets=1 truncated=1") << length;
  }
}

}  // namespace
}  // namespace keepline::testing
