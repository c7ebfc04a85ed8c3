// The SYN proxy when all goes well: what each end hears, in its own numbers.
#include <gtest/gtest.h>

#include "tests/golden/syn_proxy.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

INSTANTIATE_TEST_SUITE_P(All, GoldenSynProxy, ::testing::Range(0, 4), syn_proxy_case);

TEST_P(GoldenSynProxy, ASynIsAnsweredAndNothingIsKept) {
  const auto sent = by_client({kClientIsn, 0, kTcpSyn, 64240,
                               mss(1300) + kSelective + timestamps(kClientClock, 0) + scale(9)});
  ASSERT_EQ(sent.size(), 1u);
  const Segment answer = at_client(sent[0]);
  EXPECT_EQ(answer.flags, kSynAck);
  EXPECT_EQ(answer.acknowledgement, kClientIsn + 1);
  EXPECT_EQ(answer.window, 0) << "it is to wait with its data";
  const unsigned most = v6 ? 1440 : 1460;
  EXPECT_EQ(answer.options,
            mss(most) + scale(7) + kSelective + timestamps(Stage::kStart_s * 1000, kClientClock));
  EXPECT_EQ(FrameBytes(sent[0].begin(), sent[0].begin() + 6),
            FrameBytes(kNames.client_mac.bytes.begin(), kNames.client_mac.bytes.end()));
  EXPECT_EQ(FrameBytes(sent[0].begin() + 6, sent[0].begin() + 12),
            FrameBytes(kNames.virtual_mac.bytes.begin(), kNames.virtual_mac.bytes.end()));
  EXPECT_EQ(stage.counters(), "packets=1 syn_cookies=1");
  EXPECT_EQ(stage.connections(), "");
}

TEST_P(GoldenSynProxy, OnlyWhatTheClientOffered) {
  const auto sent = by_client({kClientIsn, 0, kTcpSyn});
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(at_client(sent[0]).options, mss(v6 ? 1440 : 1460));
}

TEST_P(GoldenSynProxy, TheWholeHandshakeAndBothStreams) {
  cookie = greet(mss(1460) + kSelective + timestamps(kClientClock, 0) + scale(9));
  const std::string echo = timestamps(kClientClock + 1, Stage::kStart_s * 1000);
  // The client's ACK becomes a SYN with what the client's SYN said.
  const auto syn = by_client({kClientIsn + 1, cookie + 1, kTcpAck, 502, echo});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  const Segment at_first = at_server(syn[0]);
  EXPECT_EQ(at_first.flags, kTcpSyn);
  EXPECT_EQ(at_first.sequence, kClientIsn);
  // Segments in the other direction are limited by the link that the client is behind.
  EXPECT_EQ(at_first.options,
            mss(v6 ? 1440 : 1460) + scale(9) + kSelective + timestamps(kClientClock + 1, 0));
  EXPECT_EQ(stage.counters(), "packets=2 created=1 syn_cookies=1 proxied=1 connections=1");
  EXPECT_NE(stage.connections().find("SYN_RECV"), std::string::npos);

  // The server's SYN-ACK: an ACK for it, and a window for the client.
  const auto both =
      by_server({kServerIsn, kClientIsn + 1, kSynAck, 65000,
                 mss(1400) + kSelective + timestamps(kServerClock, kClientClock + 1) + scale(8)});
  ASSERT_EQ(both.size(), 2u);
  const Segment window = at_client(both[0]);
  EXPECT_EQ(window.flags, kTcpAck);
  EXPECT_EQ(window.sequence, cookie + 1);
  EXPECT_EQ(window.acknowledgement, kClientIsn + 1);
  EXPECT_EQ(window.window, (65000 >> 8 << 8) >> 7);
  EXPECT_EQ(window.options, timestamps(Stage::kStart_s * 1000, kClientClock + 1));
  const Segment ack = at_server(both[1]);
  EXPECT_EQ(ack.flags, kTcpAck);
  EXPECT_EQ(ack.sequence, kClientIsn + 1);
  EXPECT_EQ(ack.acknowledgement, kServerIsn + 1);
  EXPECT_EQ(ack.window, 502);
  EXPECT_EQ(ack.options, timestamps(kClientClock + 1, kServerClock));
  EXPECT_NE(stage.connections().find("ESTABLISHED"), std::string::npos);

  // From now on both streams flow, each end in its own numbers; the last one twice, straight.
  for (int i = 0; i < 3; ++i) {
    const auto up = by_client({kClientIsn + 1, cookie + 1, kTcpAck, 502,
                               timestamps(kClientClock + 2, Stage::kStart_s * 1000 + 9) +
                                   sack(cookie + 100, cookie + 200),
                               "GET /"});
    ASSERT_EQ(up.size(), 1u);
    const Segment asked = at_server(up[0]);
    EXPECT_EQ(asked.payload, "GET /");
    EXPECT_EQ(asked.sequence, kClientIsn + 1);
    EXPECT_EQ(asked.acknowledgement, kServerIsn + 1);
    EXPECT_EQ(asked.options, timestamps(kClientClock + 2, kServerClock + 9) +
                                 sack(kServerIsn + 100, kServerIsn + 200));
    const auto down = by_server({kServerIsn + 30, kClientIsn + 6, kTcpAck, 300,
                                 timestamps(kServerClock + 9, kClientClock + 2), "200 OK"});
    ASSERT_EQ(down.size(), 1u);
    const Segment answered = at_client(down[0]);
    EXPECT_EQ(answered.payload, "200 OK");
    EXPECT_EQ(answered.sequence, cookie + 30);
    EXPECT_EQ(answered.acknowledgement, kClientIsn + 6);
    EXPECT_EQ(answered.window, 600);
    EXPECT_EQ(answered.options, timestamps(Stage::kStart_s * 1000 + 9, kClientClock + 2));
  }
}

TEST_P(GoldenSynProxy, WithoutAnyOption) {
  cookie = greet("");
  const auto syn = by_client({kClientIsn + 1, cookie + 1});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  EXPECT_EQ(at_server(syn[0]).options, mss(536));
  const auto both = by_server({kServerIsn, kClientIsn + 1, kSynAck, 65000, mss(1460)});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(at_client(both[0]).window, 65000);
  EXPECT_EQ(at_client(both[0]).options, "");
  const auto down = by_server({kServerIsn + 1, kClientIsn + 1, kTcpAck, 64000, "", "hello"});
  ASSERT_EQ(down.size(), 1u);
  EXPECT_EQ(at_client(down[0]).window, 64000);
}

}  // namespace
}  // namespace keepline::testing
