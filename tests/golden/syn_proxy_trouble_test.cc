// The SYN proxy when segments are forged, lost or refused, and ends begin anew.
#include <gtest/gtest.h>

#include "tests/golden/syn_proxy.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpRst;
using net::kTcpSyn;

class GoldenSynTrouble : public GoldenSynProxy {};
INSTANTIATE_TEST_SUITE_P(All, GoldenSynTrouble, ::testing::Range(0, 4), syn_proxy_case);

TEST_P(GoldenSynTrouble, NoCookieNoConnection) {
  cookie = greet(mss(1460));
  for (const std::uint32_t wrong : {cookie, cookie + 2, cookie ^ 0x80000001}) {
    EXPECT_EQ(by_client({kClientIsn + 1, wrong}).size(), 0u);
  }
  EXPECT_EQ(by_client({kClientIsn + 7, cookie + 1}).size(), 0u);
  EXPECT_EQ(by_client({kClientIsn + 1, cookie + 1, kTcpAck | net::kTcpFin}).size(), 0u);
  EXPECT_EQ(by_client({kClientIsn + 1, 0, kTcpRst}).size(), 0u);
  EXPECT_EQ(stage.counters(), "packets=7 syn_cookies=1 no_connection=2 bad_cookie=4");
  stage.now_s += 200;
  EXPECT_EQ(by_client({kClientIsn + 1, cookie + 1}).size(), 0u) << "too old";
  EXPECT_EQ(stage.connections(), "");
}

TEST_P(GoldenSynTrouble, AProbeOfTheClosedWindowBringsTheCookie) {
  cookie = greet(mss(1460));
  const auto syn = by_client({kClientIsn, cookie + 1});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  EXPECT_EQ(at_server(syn[0]).sequence, kClientIsn);
}

TEST_P(GoldenSynTrouble, ASynThatWasLostIsSentAgain) {
  cookie = greet(mss(1460) + kSelective);
  const auto first = by_client({kClientIsn + 1, cookie + 1, kTcpAck, 502});
  ASSERT_EQ(first.size(), 1u);
  port = u16_at(first[0], l4());
  // Whatever the client says while there is no answer.
  for (const char* payload : {"", "x", "a longer one"}) {
    const auto again = by_client({kClientIsn + 1, cookie + 1, kTcpAck, 502, "", payload});
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(hex(again[0]).substr(0, 40), hex(first[0]).substr(0, 40));
    EXPECT_EQ(at_server(again[0]).sequence, kClientIsn);
    EXPECT_EQ(at_server(again[0]).flags, kTcpSyn);
    EXPECT_EQ(at_server(again[0]).options, at_server(first[0]).options);
  }
  const std::string line = stage.connections();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST_P(GoldenSynTrouble, AnAckThatTheServerDidNotGetIsMadeAgain) {
  open();
  const auto both = by_server(
      {kServerIsn, kClientIsn + 1, kSynAck, 65000,
       mss(1400) + kSelective + timestamps(kServerClock + 500, kClientClock + 1) + scale(8)});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(at_server(both[1]).acknowledgement, kServerIsn + 1);
  EXPECT_EQ(at_client(both[0]).sequence, cookie + 1);
}

TEST_P(GoldenSynTrouble, AServerThatRefusesIsHeard) {
  cookie = greet(mss(1460));
  const auto syn = by_client({kClientIsn + 1, cookie + 1});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  const auto refused = by_server({0, kClientIsn + 1, kTcpRst | kTcpAck, 0});
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(at_client(refused[0]).flags, kTcpRst | kTcpAck);
  EXPECT_EQ(at_client(refused[0]).sequence, cookie + 1) << "what the client waits for";
  EXPECT_NE(stage.connections().find("CLOSE "), std::string::npos);
}

TEST_P(GoldenSynTrouble, WithoutServersTheClientHearsIt) {
  stage.world.services[0].pool[0].weight = 0;
  stage.publish();
  by_client({kClientIsn, 0, kTcpSyn});
  EXPECT_EQ(stage.counters(), "packets=1 refusals=1 no_real_server=1");
}

TEST_P(GoldenSynTrouble, AFullTableCostsTheNewOneOnly) {
  Stage small(1);
  small.world = stage.world;
  small.publish();
  std::swap(small.world, stage.world);
  Datagram d = from_client();
  d.source = client_end();
  d.destination = {vip(), 80};
  const auto ask = [&](std::uint16_t client_port) {
    d.source.port = client_port;
    const auto answer = small.put(kOutside, frame_of(d, {kClientIsn, 0, kTcpSyn}));
    const std::uint32_t number =
        std::uint32_t{u16_at(answer.at(0), l4() + 4)} << 16 | u16_at(answer.at(0), l4() + 6);
    return small.put(kOutside, frame_of(d, {kClientIsn + 1, number + 1}));
  };
  const auto first = ask(5000);
  ASSERT_EQ(first.size(), 1u);
  port = u16_at(first[0], l4());
  Datagram back = from_server(0, 0, {server(), 8080});
  back.destination = near_end();
  small.put(kInside, frame_of(back, {kServerIsn, kClientIsn + 1, kSynAck}));
  small.counters();
  EXPECT_EQ(ask(5001).size(), 0u);
  EXPECT_EQ(small.counters(), "packets=2 syn_cookies=1 table_full=1 connections=1");
}

// A server that still has a connection of the same ends answers with what it knows of that.
TEST_P(GoldenSynTrouble, AServerWithAnOldConnectionIsToldToForgetIt) {
  cookie = greet(mss(1460));
  const auto syn = by_client({kClientIsn + 1, cookie + 1});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  const auto reset = by_server({777, 888, kTcpAck});
  ASSERT_EQ(reset.size(), 1u);
  EXPECT_EQ(at_server(reset[0]).flags, kTcpRst);
  EXPECT_EQ(at_server(reset[0]).sequence, 888u);
  EXPECT_EQ(at_server(by_client({kClientIsn + 1, cookie + 1}).at(0)).flags, kTcpSyn);
}

TEST_P(GoldenSynTrouble, WithoutAWayToTheServerNothingIsMadeForIt) {
  cookie = greet(mss(1460));
  const auto syn = by_client({kClientIsn + 1, cookie + 1});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  std::erase_if(stage.world.routes, [](const auto& route) { return route.port == kInside; });
  std::erase_if(stage.world.routes, [](const auto& route) { return route.prefix.length == 0; });
  stage.publish();
  EXPECT_EQ(by_server({kServerIsn, kClientIsn + 1, kSynAck, 65000, mss(1460)}).size(), 1u)
      << "the client's window alone";
}

TEST_P(GoldenSynTrouble, AClientThatBeginsAnewWhileTheServerIsSilent) {
  cookie = greet(mss(1460));
  ASSERT_EQ(by_client({kClientIsn + 1, cookie + 1}).size(), 1u);
  constexpr std::uint32_t kOther = 0x70000000;
  const auto answer = by_client({kOther, 0, kTcpSyn});
  ASSERT_EQ(answer.size(), 1u);
  cookie = at_client(answer[0]).sequence;
  const auto syn = by_client({kOther + 1, cookie + 1});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  EXPECT_EQ(at_server(syn[0]).sequence, kOther);
  const auto both = by_server({kServerIsn, kOther + 1, kSynAck, 65000, mss(1460)});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(at_client(both[0]).sequence, cookie + 1);
}

// An established connection that its client has forgotten: the two ends speak for themselves.
TEST_P(GoldenSynTrouble, APortThatIsUsedAgain) {
  open();
  const auto syn = by_client({900, 0, kTcpSyn});
  ASSERT_EQ(syn.size(), 1u);
  EXPECT_EQ(at_server(syn[0]).sequence, 900u);
  const auto answer = by_server({5000, 901, kSynAck});
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(at_client(answer[0]).sequence, 5000u);
  EXPECT_EQ(at_server(by_client({901, 5001}).at(0)).acknowledgement, 5001u);
}

TEST_P(GoldenSynTrouble, TheOptionIsToldUntilTheServerItselfSpeaks) {
  if (!full_nat) return;
  stage.world.services[0].pool[0].tell = lb::Tell::kOption;
  stage.publish();
  open();
  const std::string echo = timestamps(kClientClock + 1, Stage::kStart_s * 1000);
  const auto up = by_client({kClientIsn + 1, cookie + 1, kTcpAck, 502, echo, "data"});
  ASSERT_EQ(up.size(), 1u);
  EXPECT_EQ(static_cast<unsigned char>(at_server(up[0]).options.at(0)), 254);
  by_server({kServerIsn + 1, kClientIsn + 5, kTcpAck, 300,
             timestamps(kServerClock + 1, kClientClock + 1)});
  EXPECT_NE(static_cast<unsigned char>(
                at_server(by_client({kClientIsn + 5, cookie + 1, kTcpAck, 502, echo}).at(0))
                    .options.at(0)),
            254);
}

// The server is told of its client in the segment that completes its handshake, which is ours.
TEST_P(GoldenSynTrouble, TheProxyHeaderComesWithOurAck) {
  if (!full_nat) return;
  stage.world.services[0].pool[0].tell = lb::Tell::kProxy;
  stage.publish();
  cookie = greet(mss(1460));
  const auto syn = by_client({kClientIsn + 1, cookie + 1});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  const auto both = by_server({kServerIsn, kClientIsn + 1, kSynAck, 65000, mss(1460)});
  ASSERT_EQ(both.size(), 2u);
  const std::string header = at_server(both[1]).payload;
  EXPECT_EQ(header.size(), v6 ? 52u : 28u);
  const auto length = static_cast<std::uint32_t>(header.size());
  by_server({kServerIsn + 1, kClientIsn + 1 + length, kTcpAck});
  const auto up = by_client({kClientIsn + 1, cookie + 1, kTcpAck, 502, "", "data"});
  ASSERT_EQ(up.size(), 1u);
  EXPECT_EQ(at_server(up[0]).sequence, kClientIsn + 1 + length);
  EXPECT_EQ(at_server(up[0]).acknowledgement, kServerIsn + 1);
}

}  // namespace
}  // namespace keepline::testing
