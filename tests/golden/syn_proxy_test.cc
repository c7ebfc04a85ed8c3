// The SYN proxy between ends of plain code: what each of them hears, in its own numbers.
#include <gtest/gtest.h>

#include "tests/golden/full_nat.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpRst;
using net::kTcpSyn;

constexpr std::uint8_t kSynAck = kTcpSyn | kTcpAck;
constexpr std::uint32_t kClientIsn = 0x10203040;
constexpr std::uint32_t kServerIsn = 0xfffffff0;  // wraps soon
constexpr std::uint32_t kClientClock = 111111;
constexpr std::uint32_t kServerClock = 7;

/// A TCP segment with its options in words.
struct Segment {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = kTcpAck;
  std::uint16_t window = 500;
  std::string options = {};
  std::string payload = {};
};

std::string word(std::uint32_t value) {
  FrameBytes bytes;
  append_ip(bytes, net::Ip4(value));
  return {bytes.begin(), bytes.end()};
}
std::string timestamps(std::uint32_t value, std::uint32_t echo) {
  return std::string("\1\1\x8\xa", 4) + word(value) + word(echo);
}
std::string mss(unsigned value) {
  return {2, 4, static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string scale(char value) {
  return {1, 3, 3, value};
}
const std::string kSelective = {1, 1, 4, 2};
std::string sack(std::uint32_t from, std::uint32_t to) {
  return std::string("\1\1\5\xa", 4) + word(from) + word(to);
}

class GoldenSynProxy : public ::testing::TestWithParam<int> {
 protected:
  GoldenSynProxy() {
    stage.world = full_nat_world(v6, net::Protocol::kTcp);
    stage.world.services[0].syn_proxy = true;
    if (!full_nat) stage.world.services[0].pool[0].method = lb::Method::kNat;
    stage.publish();
  }
  net::IpAddr vip() const { return v6 ? kNames.vip6 : net::IpAddr(kNames.vip); }
  net::IpAddr client() const { return v6 ? kNames.client6 : net::IpAddr(kNames.client); }
  net::IpAddr server() const { return v6 ? kNames.server6 : net::IpAddr(kNames.server1); }
  net::IpAddr local() const { return v6 ? kLocal6 : net::IpAddr(kLocal); }
  std::size_t l4() const { return kL3 + (v6 ? 40 : 20); }

  FrameBytes frame_of(Datagram d, const Segment& s) const {
    d.flags = s.flags;
    d.payload = s.options + s.payload;
    FrameBytes frame = bytes_of(d);
    const std::string numbers = word(s.sequence) + word(s.acknowledgement);
    std::copy(numbers.begin(), numbers.end(), frame.begin() + static_cast<long>(l4()) + 4);
    frame[l4() + 12] = static_cast<std::uint8_t>((5 + s.options.size() / 4) << 4);
    put16(frame, l4() + 14, s.window);
    put16(frame, l4() + 16, 0);
    const std::uint32_t pseudo = pseudo_sum(frame, kL3, net::Protocol::kTcp, frame.size() - l4());
    put16(frame, l4() + 16, reference_checksum(net::Bytes(frame).subspan(l4()), pseudo));
    return frame;
  }
  // Of a frame whose other parts are as they should be; otherwise a failure.
  Segment segment_of(const FrameBytes& frame, const net::Endpoint& from,
                     const net::Endpoint& to) const {
    EXPECT_TRUE(checksums_ok(frame)) << hex(frame);
    EXPECT_EQ(u16_at(frame, l4()), from.port) << hex(frame);
    EXPECT_EQ(u16_at(frame, l4() + 2), to.port) << hex(frame);
    Segment s;
    const auto at = [&](std::size_t place) {
      return std::uint32_t{u16_at(frame, l4() + place)} << 16 | u16_at(frame, l4() + place + 2);
    };
    s.sequence = at(4);
    s.acknowledgement = at(8);
    s.flags = frame[l4() + 13];
    s.window = u16_at(frame, l4() + 14);
    const std::size_t data = l4() + static_cast<std::size_t>(frame[l4() + 12] >> 4) * 4;
    s.options = {frame.begin() + static_cast<long>(l4()) + 20,
                 frame.begin() + static_cast<long>(data)};
    s.payload = {frame.begin() + static_cast<long>(data), frame.end()};
    return s;
  }
  net::Endpoint client_end() const { return {client(), 5000}; }
  net::Endpoint near_end() const { return full_nat ? net::Endpoint{local(), port} : client_end(); }
  // What the client sends, and everything that leaves for it.
  std::vector<FrameBytes> by_client(const Segment& s) {
    Datagram d = from_client();
    d.source = client_end();
    d.destination = {vip(), 80};
    return stage.put(kOutside, frame_of(d, s));
  }
  std::vector<FrameBytes> by_server(const Segment& s) {
    Datagram d = from_server(0, 0, {server(), 8080});
    d.destination = near_end();
    return stage.put(kInside, frame_of(d, s));
  }
  Segment at_client(const FrameBytes& frame) const {
    return segment_of(frame, {vip(), 80}, client_end());
  }
  Segment at_server(const FrameBytes& frame) const {
    return segment_of(frame, near_end(), {server(), 8080});
  }
  /// SYN and SYN-ACK; the cookie.
  std::uint32_t greet(const std::string& options) {
    const auto sent = by_client({kClientIsn, 0, kTcpSyn, 64240, options});
    if (sent.size() != 1) return 0;
    return at_client(sent[0]).sequence;
  }
  /// All of the handshake, with every option.
  void open() {
    cookie = greet(mss(1460) + kSelective + timestamps(kClientClock, 0) + scale(9));
    const std::string echo = timestamps(kClientClock + 1, Stage::kStart_s * 1000);
    const auto syn = by_client({kClientIsn + 1, cookie + 1, kTcpAck, 502, echo});
    ASSERT_EQ(syn.size(), 1u);
    port = u16_at(syn[0], l4());
    by_server({kServerIsn, kClientIsn + 1, kSynAck, 65000,
               mss(1400) + kSelective + timestamps(kServerClock, kClientClock + 1) + scale(8)});
    stage.counters();
  }

  const bool v6 = GetParam() % 2 == 1;
  const bool full_nat = GetParam() >= 2;
  Stage stage;
  std::uint16_t port = 0;  // FULLNAT's local one
  std::uint32_t cookie = 0;
};

std::string name_of(const ::testing::TestParamInfo<int>& info) {
  return std::string(info.param >= 2 ? "FullNat" : "Nat") + (info.param % 2 == 0 ? "4" : "6");
}
INSTANTIATE_TEST_SUITE_P(All, GoldenSynProxy, ::testing::Range(0, 4), name_of);

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

TEST_P(GoldenSynProxy, NoCookieNoConnection) {
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

TEST_P(GoldenSynProxy, AProbeOfTheClosedWindowBringsTheCookie) {
  cookie = greet(mss(1460));
  const auto syn = by_client({kClientIsn, cookie + 1});
  ASSERT_EQ(syn.size(), 1u);
  port = u16_at(syn[0], l4());
  EXPECT_EQ(at_server(syn[0]).sequence, kClientIsn);
}

TEST_P(GoldenSynProxy, ASynThatWasLostIsSentAgain) {
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

TEST_P(GoldenSynProxy, AnAckThatTheServerDidNotGetIsMadeAgain) {
  open();
  const auto both = by_server(
      {kServerIsn, kClientIsn + 1, kSynAck, 65000,
       mss(1400) + kSelective + timestamps(kServerClock + 500, kClientClock + 1) + scale(8)});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(at_server(both[1]).acknowledgement, kServerIsn + 1);
  EXPECT_EQ(at_client(both[0]).sequence, cookie + 1);
}

TEST_P(GoldenSynProxy, AServerThatRefusesIsHeard) {
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

TEST_P(GoldenSynProxy, WithoutServersTheClientHearsIt) {
  stage.world.services[0].pool[0].weight = 0;
  stage.publish();
  by_client({kClientIsn, 0, kTcpSyn});
  EXPECT_EQ(stage.counters(), "packets=1 refusals=1 no_real_server=1");
}

TEST_P(GoldenSynProxy, AFullTableCostsTheNewOneOnly) {
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

// The server is told of its client in the segment that completes its handshake, which is ours.
TEST_P(GoldenSynProxy, TheProxyHeaderComesWithOurAck) {
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
