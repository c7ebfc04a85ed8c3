// ICMP errors: of others about balanced packets, and our own.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

constexpr std::uint8_t kUnreachable = 3;
constexpr std::uint8_t kUnreachable6 = 1;
constexpr std::uint8_t kTooBig6 = 2;
const net::Ip4 kRouterInside = ip("10.0.0.77");

/// One family's ends: a client outside, the VIP, a NATed real server on port 8080.
struct Ends {
  bool v6;
  net::IpAddr client, vip, server, router_inside, router_outside;

  std::size_t header() const { return v6 ? 40 : 20; }
  FrameBytes error(const Datagram& d, std::uint32_t mtu, const FrameBytes& about) const {
    return v6 ? error_of(d, kTooBig6, 0, mtu, about) : error_of(d, kUnreachable, 4, mtu, about);
  }
};

Ends ends4() {
  return {false, kNames.client, kNames.vip, kNames.server1, kRouterInside, ip("192.0.2.1")};
}
Ends ends6() {
  return {true,
          kNames.client6,
          kNames.vip6,
          kNames.server6,
          net::parse_ip("fd00::77").value(),
          net::parse_ip("2001:db8::1").value()};
}

World world_of(const Ends& ends, net::Protocol protocol, lb::Method method = lb::Method::kNat) {
  World world = usual_world();
  const std::uint16_t port = method == lb::Method::kNat ? 8080 : 80;
  world.services = {
      service(0, {ends.vip, 80}, protocol, {real_server(1, {ends.server, port}, method)})};
  if (!ends.v6) return world;
  world.vips = {{kNames.vip6, kOutside, kLease, kNames.virtual_mac, true}};
  world.routes = {{{net::parse_ip("2001:db8::").value(), 64}, kOutside, {}, 0},
                  {{net::parse_ip("fd00::").value(), 64}, kInside, {}, 0}};
  world.neighbours = {{kNames.client6, kOutside, kNames.client_mac},
                      {kNames.server6, kInside, kNames.server1_mac}};
  return world;
}

class IcmpError : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    stage.world = world_of(ends, protocol);
    stage.publish();
  }
  // From the client to the VIP, as it arrives.
  Datagram request(std::uint8_t flags = kTcpSyn) const {
    Datagram d = from_client(5000, flags);
    d.protocol = protocol;
    d.source = {ends.client, 5000};
    d.destination = {ends.vip, 80};
    d.payload = "some payload";
    return d;
  }
  Datagram forwarded(Datagram d) const { return to_server(d, {ends.server, 8080}); }
  Datagram answer() const {
    Datagram d = from_server(5000, kTcpSyn | kTcpAck, {ends.server, 8080});
    d.protocol = protocol;
    d.destination = {ends.client, 5000};
    d.payload = "an answer that is longer";
    return d;
  }
  Datagram translated(Datagram d) const {
    d.to = kNames.client_mac;
    d.from = kNames.virtual_mac;
    d.source = {ends.vip, 80};
    --d.ttl;
    return d;
  }
  // The head of an error from the router on the client's side.
  Datagram from_router() const {
    Datagram d;
    d.to = kNames.virtual_mac;
    d.from = kNames.router_mac;
    d.source = {ends.router_outside, 0};
    d.destination = {ends.vip, 0};
    return d;
  }
  /// Connection made and answered.
  void open() {
    ASSERT_EQ(stage.put(kOutside, bytes_of(request())).size(), 1u);
    ASSERT_EQ(stage.put(kInside, bytes_of(answer())).size(), 1u);
    stage.counters();
  }

  const Ends ends = GetParam() % 2 == 0 ? ends4() : ends6();
  const net::Protocol protocol = GetParam() < 2 ? net::Protocol::kTcp : net::Protocol::kUdp;
  Stage stage;
};

std::string name_of(const ::testing::TestParamInfo<int>& info) {
  return std::string(info.param < 2 ? "Tcp" : "Udp") + (info.param % 2 == 0 ? "4" : "6");
}
INSTANTIATE_TEST_SUITE_P(All, IcmpError, ::testing::Range(0, 4), name_of);

// A router between us and the client finds an answer too big: the real server has to hear it.
TEST_P(IcmpError, AboutAnAnswerReachesTheRealServer) {
  open();
  for (const std::size_t quoted : {ends.header() + 8, ends.header() + 20, std::size_t{65535}}) {
    Datagram d = from_router();
    const FrameBytes about = packet_of(bytes_of(translated(answer())), quoted);
    // As the real server sent it, but for the hop that it had made.
    Datagram original = answer();
    original.ttl = translated(answer()).ttl;
    Datagram out = d;
    out.to = kNames.server1_mac;
    out.from = kNames.inside_mac;
    out.destination = {ends.server, 0};
    --out.ttl;
    EXPECT_EQ(text(stage.put(kOutside, ends.error(d, 1400, about))),
              text(ends.error(out, 1400, packet_of(bytes_of(original), quoted))))
        << quoted;
    EXPECT_EQ(stage.counters(), "packets=1 icmp_errors=1 connections=1");
  }
}

// A router between us and the real server finds a request too big, or the server refuses it.
TEST_P(IcmpError, AboutARequestReachesTheClientFromTheVip) {
  open();
  Datagram d;
  d.to = kNames.inside_mac;
  d.from = kNames.server2_mac;
  d.source = {ends.router_inside, 0};
  d.destination = {ends.client, 0};
  Datagram original = request();
  original.ttl = forwarded(request()).ttl;
  Datagram out = d;
  out.to = kNames.client_mac;
  out.from = kNames.virtual_mac;
  out.source = {ends.vip, 0};
  --out.ttl;
  EXPECT_EQ(
      text(stage.put(kInside, ends.error(d, 1300, packet_of(bytes_of(forwarded(request())))))),
      text(ends.error(out, 1300, packet_of(bytes_of(original)))));
  EXPECT_EQ(stage.counters(), "packets=1 icmp_errors=1 connections=1");
}

TEST_P(IcmpError, OfNoConnectionIsDropped) {
  Datagram d = from_router();
  EXPECT_EQ(text(stage.put(kOutside, ends.error(d, 9, packet_of(bytes_of(translated(answer())))))),
            kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
}

TEST_P(IcmpError, WithAWrongChecksumOrCutShortIsDropped) {
  open();
  Datagram d = from_router();
  const FrameBytes about = packet_of(bytes_of(translated(answer())));
  FrameBytes wrong = ends.error(d, 1400, about);
  wrong.back() ^= 1;
  EXPECT_EQ(text(stage.put(kOutside, wrong)), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 bad_icmp=1 connections=1");
  for (std::size_t length = 0; length < ends.header() + 8; ++length) {
    const FrameBytes cut(about.begin(), about.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(text(stage.put(kOutside, ends.error(d, 1400, cut))), kNothing);
    EXPECT_EQ(stage.counters(), "packets=1 unknown=1 connections=1") << length;
  }
}

TEST_P(IcmpError, OfABackupIsDropped) {
  open();
  stage.revoke();
  Datagram d;
  d.to = kNames.outside_mac;
  d.from = kNames.router_mac;
  d.source = {ends.router_outside, 0};
  d.destination = {ends.vip, 0};
  EXPECT_EQ(text(stage.put(kOutside, ends.error(d, 9, packet_of(bytes_of(translated(answer())))))),
            kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 not_master=1 connections=1");
}

TEST_P(IcmpError, OfAConnectionElsewhereIsHandedOver) {
  stage.world.shard_workers.fill(3);
  stage.publish();
  Datagram d = from_router();
  stage.put(kOutside, ends.error(d, 9, packet_of(bytes_of(translated(answer())))));
  d.to = kNames.inside_mac;
  d.destination = {ends.client, 0};
  stage.put(kInside, ends.error(d, 9, packet_of(bytes_of(forwarded(request())))));
  EXPECT_EQ(stage.handed_off(), "3 3");
}

// What we say ourselves about a packet: from the VIP, back to where it came from.
FrameBytes refusal(const Datagram& about, const net::IpAddr& vip, std::uint8_t type,
                   std::uint8_t code, std::uint32_t rest, std::size_t most) {
  Datagram d;
  d.to = about.from;
  d.from = about.to;
  d.source = {vip, 0};
  d.destination = {about.source.address, 0};
  FrameBytes frame = error_of(d, type, code, rest, packet_of(bytes_of(about), most));
  make_plain(frame);
  return frame;
}

TEST_P(IcmpError, TooBigForTheWayToTheServer) {
  open();
  stage.world.ports[kInside].mtu = 1280;
  stage.publish();
  Datagram big = request(kTcpAck);
  big.payload.assign(1300, 'x');
  const std::size_t most = ends.v6 ? 1280 - 48 : 576 - 28;
  EXPECT_EQ(
      text(stage.put(kOutside, bytes_of(big))),
      text(refusal(big, ends.vip, ends.v6 ? kTooBig6 : kUnreachable, ends.v6 ? 0 : 4, 1280, most)));
  EXPECT_EQ(stage.counters(), "packets=1 refusals=1 too_big=1 connections=1");
  if (ends.v6) return;
  big.fragment = 0;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(big))), kNothing) << "it may be cut: we do not";
  EXPECT_EQ(stage.counters(), "packets=1 too_big=1 connections=1");
}

TEST_P(IcmpError, TooBigForTheWayToTheClient) {
  open();
  stage.world.ports[kOutside].mtu = 1290;
  stage.publish();
  Datagram big = answer();
  big.payload.assign(1300, 'x');
  const std::size_t most = ends.v6 ? 1280 - 48 : 576 - 28;
  EXPECT_EQ(
      text(stage.put(kInside, bytes_of(big))),
      text(refusal(big, ends.vip, ends.v6 ? kTooBig6 : kUnreachable, ends.v6 ? 0 : 4, 1290, most)));
}

TEST_P(IcmpError, TimeExceededAndNobodyThere) {
  Datagram last = request();
  last.ttl = 1;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(last))),
            text(refusal(last, ends.vip, ends.v6 ? 3 : 11, 0, 0, 1000)));
  stage.world.services[0].pool.clear();
  stage.publish();
  Datagram other = request();
  other.source.port = 5001;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(other))),
            text(refusal(other, ends.vip, ends.v6 ? kUnreachable6 : kUnreachable, ends.v6 ? 4 : 3,
                         0, 1000)));
}

TEST(IcmpErrorLimits, AThousandASecond) {
  Stage stage;
  stage.world.services[0].pool.clear();
  stage.publish();
  std::size_t said = 0;
  for (std::uint16_t port = 1; port <= 1500; ++port) {
    said += stage.put(kOutside, bytes_of(from_client(port))).size();
  }
  EXPECT_EQ(said, 1000u);
  EXPECT_EQ(stage.counters(), "packets=1500 refusals=1000 no_real_server=1500");
  ++stage.now_s;
  EXPECT_EQ(stage.put(kOutside, bytes_of(from_client(1))).size(), 1u);
}

TEST(IcmpErrorLimits, NotToWhoCannotBeASender) {
  for (const char* source : {"0.0.0.0", "224.0.0.5", "255.255.255.255", "127.0.0.1"}) {
    Stage stage;
    stage.world.services[0].pool.clear();
    stage.publish();
    Datagram d = from_client();
    d.source.address = ip(source);
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(d))), kNothing) << source;
  }
}

// The router on the way from a server of direct routing to the client speaks to the VIP.
TEST(IcmpErrorDirectRouting, GoesToTheServerAsItIs) {
  Stage stage;
  Datagram syn = from_client(5000, kTcpSyn, 443);
  ASSERT_EQ(stage.put(kOutside, bytes_of(syn)).size(), 1u);
  Datagram answer;
  answer.source = {kNames.vip, 443};
  answer.destination = {kNames.client, 5000};
  answer.payload.assign(900, 'x');
  Datagram d;
  d.to = kNames.virtual_mac;
  d.from = kNames.router_mac;
  d.source = {ip("192.0.2.1"), 0};
  d.destination = {kNames.vip, 0};
  Datagram out = d;
  out.to = kNames.server2_mac;
  out.from = kNames.inside_mac;
  --out.ttl;
  const FrameBytes about = packet_of(bytes_of(answer), 500);
  EXPECT_EQ(text(stage.put(kOutside, error_of(d, kUnreachable, 4, 1400, about))),
            text(error_of(out, kUnreachable, 4, 1400, about)));
}

}  // namespace
}  // namespace keepline::testing
