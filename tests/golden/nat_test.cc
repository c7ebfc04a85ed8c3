// NAT: both directions of TCP and UDP, what leaves, and what the table knows.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpFin;
using net::kTcpRst;
using net::kTcpSyn;

constexpr const char* kLine = "TCP 192.0.2.7:5000 192.0.2.100:80 10.0.0.2:8080 ";

std::string line(const char* rest) {
  return std::string(kLine) + rest + '\n';
}

// A connection of the client's port 5000 to server1.
void establish(Stage& stage) {
  stage.put(kOutside, bytes_of(from_client()));
  stage.put(kInside, bytes_of(from_server(5000, kTcpSyn | kTcpAck)));
  stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)));
  stage.counters();
}

TEST(GoldenNat, OneConnectionFromSynToTheEnd) {
  struct Step {
    bool to_server;
    std::uint8_t flags;
    const char* payload;
    const char* connection;
  };
  constexpr std::uint8_t kPush = 0x08;
  const Step steps[] = {
      {true, kTcpSyn, "", "SYN_RECV 60s"},
      {false, kTcpSyn | kTcpAck, "", "SYN_RECV replied 60s"},
      {true, kTcpAck, "", "ESTABLISHED replied 900s"},
      {true, kTcpAck | kPush, "GET / HTTP/1.0\r\n\r\n", "ESTABLISHED replied 900s"},
      {false, kTcpAck | kPush, "HTTP/1.0 200 OK\r\n\r\nhello", "ESTABLISHED replied 900s"},
      {false, kTcpFin | kTcpAck, "", "FIN_WAIT replied 120s"},
      {true, kTcpAck, "", "FIN_WAIT replied 120s"},
      {true, kTcpFin | kTcpAck, "", "TIME_WAIT replied 120s"},
      {false, kTcpAck, "", "TIME_WAIT replied 120s"},
  };
  Stage stage;
  bool first = true;
  for (const Step& step : steps) {
    Datagram in = step.to_server ? from_client(5000, step.flags) : from_server(5000, step.flags);
    in.payload = step.payload;
    const Datagram out = step.to_server ? to_server(in) : to_client(in);
    EXPECT_EQ(text(stage.put(step.to_server ? kOutside : kInside, bytes_of(in))), text(out));
    EXPECT_EQ(stage.counters(),
              first ? "packets=1 created=1 connections=1" : "packets=1 connections=1");
    EXPECT_EQ(stage.connections(), line(step.connection));
    first = false;
  }
  EXPECT_EQ(stage.real(1), "active=0 inactive=1 connections=1 in=5/218 out=4/184");
  EXPECT_EQ(stage.real(2), "active=0 inactive=0 connections=0 in=0/0 out=0/0");
}

TEST(GoldenNat, ActiveConnectionsAreTheEstablishedOnes) {
  Stage stage;
  establish(stage);
  EXPECT_EQ(stage.real(1), "active=1 inactive=0 connections=1 in=2/80 out=1/40");
  stage.put(kOutside, bytes_of(from_client(5000, kTcpFin | kTcpAck)));
  EXPECT_EQ(stage.connections(), line("CLOSE_WAIT replied 60s"));
  EXPECT_EQ(stage.real(1), "active=0 inactive=1 connections=1 in=3/120 out=1/40");
}

TEST(GoldenNat, AResetFromEitherEndPassesAndCloses) {
  for (const bool by_client : {true, false}) {
    Stage stage;
    establish(stage);
    const Datagram in = by_client ? from_client(5000, kTcpRst) : from_server(5000, kTcpRst);
    EXPECT_EQ(text(stage.put(by_client ? kOutside : kInside, bytes_of(in))),
              text(by_client ? to_server(in) : to_client(in)));
    EXPECT_EQ(stage.counters(), "packets=1 connections=1");
    EXPECT_EQ(stage.connections(), line("CLOSE replied 10s"));
  }
}

TEST(GoldenNat, ExpiresAtItsSecondAndNotBefore) {
  Stage stage;
  stage.put(kOutside, bytes_of(from_client()));
  stage.counters();
  stage.now_s += 59;
  stage.expire();
  EXPECT_EQ(stage.connections(), line("SYN_RECV 1s"));
  stage.now_s += 1;
  stage.expire();
  EXPECT_EQ(stage.connections(), "");
  EXPECT_EQ(stage.counters(), "expired=1");
  EXPECT_EQ(stage.real(1), "active=0 inactive=0 connections=1 in=1/40 out=0/0");
}

TEST(GoldenNat, RoundRobinOverBothServers) {
  Stage stage;
  for (std::uint16_t port = 5000; port < 5008; ++port) {
    const Datagram syn = from_client(port);
    const Datagram out =
        port % 2 == 0 ? to_server(syn) : to_server(syn, {kNames.server2, 8080}, kNames.server2_mac);
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))), text(out)) << port;
  }
  EXPECT_EQ(stage.counters(), "packets=8 created=8 connections=8");
  EXPECT_EQ(stage.real(1), "active=0 inactive=4 connections=4 in=4/160 out=0/0");
  EXPECT_EQ(stage.real(2), "active=0 inactive=4 connections=4 in=4/160 out=0/0");
}

TEST(GoldenNat, ARepeatedSynIsTheSameConnection) {
  Stage stage;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client()))), text(to_server(from_client())));
  }
  EXPECT_EQ(stage.counters(), "packets=3 created=1 connections=1");
}

TEST(GoldenNat, AnOldPortUsedAgainGetsAServerAnew) {
  Stage stage;
  establish(stage);
  stage.put(kOutside, bytes_of(from_client(5000, kTcpRst)));
  stage.counters();
  const Datagram syn = from_client();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))),
            text(to_server(syn, {kNames.server2, 8080}, kNames.server2_mac)));
  EXPECT_EQ(stage.counters(), "packets=1 created=1 connections=1");
  EXPECT_EQ(stage.connections(), "TCP 192.0.2.7:5000 192.0.2.100:80 10.0.0.3:8080 SYN_RECV 60s\n");
  EXPECT_EQ(stage.real(1), "active=0 inactive=0 connections=1 in=3/120 out=1/40");
}

TEST(GoldenNat, AClientBehindTheRouterIsAnsweredThroughIt) {
  Stage stage;
  Datagram syn = from_client();
  syn.from = kNames.router_mac;
  syn.source.address = kNames.far_client;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))), text(to_server(syn)));
  Datagram reply = from_server(5000, kTcpSyn | kTcpAck);
  reply.destination.address = kNames.far_client;
  Datagram out = to_client(reply);
  out.to = kNames.router_mac;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(reply))), text(out));
}

TEST(GoldenNat, WithoutTheClientsNeighbourTheReplyGoesToTheMacThatItCameFrom) {
  for (const bool no_route : {false, true}) {
    Stage stage;
    stage.world.neighbours.erase(stage.world.neighbours.begin());
    if (no_route) {
      stage.world.routes.erase(stage.world.routes.begin());
      stage.world.routes.pop_back();
    }
    stage.publish();
    Datagram syn = from_client();
    syn.from = mac("02:00:00:00:0c:55");
    stage.put(kOutside, bytes_of(syn));
    const Datagram reply = from_server(5000, kTcpSyn | kTcpAck);
    Datagram out = to_client(reply);
    out.to = syn.from;
    EXPECT_EQ(text(stage.put(kInside, bytes_of(reply))), text(out));
    EXPECT_EQ(stage.counters(), "packets=2 created=1 connections=1");
  }
}

TEST(GoldenNat, TheLearnedMacFollowsTheClient) {
  Stage stage;
  stage.world.neighbours.erase(stage.world.neighbours.begin());
  stage.publish();
  stage.put(kOutside, bytes_of(from_client()));
  Datagram ack = from_client(5000, kTcpAck);
  ack.from = mac("02:00:00:00:0c:66");
  stage.put(kOutside, bytes_of(ack));
  const Datagram reply = from_server(5000, kTcpAck);
  Datagram out = to_client(reply);
  out.to = ack.from;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(reply))), text(out));
}

TEST(GoldenNat, RepliesThatLeaveThroughAnotherPortCarryThatPortsMac) {
  Stage stage;
  stage.world.routes.push_back({{kNames.far_client, 32}, kInside, {}, 0});
  stage.world.neighbours.push_back({kNames.far_client, kInside, mac("02:00:00:00:0a:99")});
  stage.publish();
  Datagram syn = from_client();
  syn.source.address = kNames.far_client;
  stage.put(kOutside, bytes_of(syn));
  Datagram reply = from_server(5000, kTcpSyn | kTcpAck);
  reply.destination.address = kNames.far_client;
  Datagram out = to_client(reply);
  out.to = mac("02:00:00:00:0a:99");
  out.from = kNames.inside_mac;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(reply))), text(out));
}

TEST(GoldenNat, OneArmedEverythingIsOnOnePort) {
  Stage stage;
  const net::Endpoint4 real = endpoint("192.0.2.20", 8080);
  stage.world.services[0].pool = {real_server(1, real)};
  stage.world.neighbours.push_back({real.address, kOutside, kNames.server1_mac});
  stage.publish();
  const Datagram syn = from_client();
  Datagram out = to_server(syn, real);
  out.from = kNames.outside_mac;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))), text(out));
  Datagram reply = from_server(5000, kTcpSyn | kTcpAck, real);
  reply.to = kNames.outside_mac;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(reply))), text(to_client(reply)));
  EXPECT_EQ(stage.counters(), "packets=2 created=1 connections=1");
}

TEST(GoldenNat, UdpBothWays) {
  for (const bool with_checksum : {true, false}) {
    Stage stage;
    Datagram query = from_client(5000, 0, 53);
    query.protocol = net::Protocol::kUdp;
    query.payload = "query";
    query.udp_checksum = with_checksum;
    const net::Endpoint4 real = {kNames.server1, 5353};
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(query))), text(to_server(query, real)));
    EXPECT_EQ(stage.connections(), "UDP 192.0.2.7:5000 192.0.2.100:53 10.0.0.2:5353 UDP 300s\n");
    Datagram answer = from_server(5000, 0, real);
    answer.protocol = net::Protocol::kUdp;
    answer.payload = "an answer";
    answer.udp_checksum = with_checksum;
    stage.now_s += 100;
    EXPECT_EQ(text(stage.put(kInside, bytes_of(answer))), text(to_client(answer, 53)));
    EXPECT_EQ(stage.connections(),
              "UDP 192.0.2.7:5000 192.0.2.100:53 10.0.0.2:5353 UDP replied 300s\n");
    EXPECT_EQ(stage.counters(), "packets=2 created=1 connections=1");
    EXPECT_EQ(stage.real(3), "active=0 inactive=1 connections=1 in=1/33 out=1/37");
  }
}

TEST(GoldenNat, TheSamePortsInTcpAndUdpAreTwoConnections) {
  Stage stage;
  stage.world.services[1].vip.port = 80;
  stage.publish();
  Datagram udp = from_client();
  udp.protocol = net::Protocol::kUdp;
  stage.put(kOutside, bytes_of(udp));
  stage.put(kOutside, bytes_of(from_client()));
  EXPECT_EQ(stage.counters(), "packets=2 created=2 connections=2");
}

TEST(GoldenNat, PaddingIsKeptOutOfTheFigures) {
  Stage stage;
  Datagram syn = from_client();
  syn.padding = 6;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))), text(to_server(syn)));
  EXPECT_EQ(stage.real(1), "active=0 inactive=1 connections=1 in=1/40 out=0/0");
}

TEST(GoldenNat, DirectRoutingChangesOnlyTheLinkHeaderAndTtl) {
  Stage stage;
  const Datagram syn = from_client(5000, kTcpSyn, 443);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))),
            text(to_server(syn, {kNames.vip, 443}, kNames.server2_mac)));
  EXPECT_EQ(stage.connections(),
            "TCP 192.0.2.7:5000 192.0.2.100:443 10.0.0.3:443 SYN_RECV dr 60s\n");
  const Datagram ack = from_client(5000, kTcpAck, 443);
  stage.put(kOutside, bytes_of(ack));
  EXPECT_EQ(stage.connections(),
            "TCP 192.0.2.7:5000 192.0.2.100:443 10.0.0.3:443 ESTABLISHED dr 900s\n");
  stage.put(kOutside, bytes_of(from_client(5000, kTcpFin | kTcpAck, 443)));
  EXPECT_EQ(stage.connections(),
            "TCP 192.0.2.7:5000 192.0.2.100:443 10.0.0.3:443 FIN_WAIT dr 120s\n");
  EXPECT_EQ(stage.counters(), "packets=3 created=1 connections=1");
}

TEST(GoldenNat, IpOptionsPass) {
  Stage stage;
  Datagram syn = from_client();
  syn.options = 40;
  syn.payload = "with options";
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))), text(to_server(syn)));
}

TEST(GoldenNat, ABurstIsHandledInOrder) {
  Stage stage;
  std::string expected;
  for (std::uint16_t i = 0; i < net::kBurstSize; ++i) {
    const Datagram in = from_client(5000, i == 0 ? kTcpSyn : kTcpAck);
    stage.arrive(kOutside, bytes_of(in));
    expected += text(to_server(in));
  }
  stage.turn();
  EXPECT_EQ(text(stage.take_sent(kInside)), expected);
  EXPECT_EQ(stage.counters(), "packets=32 created=1 connections=1");
}

}  // namespace
}  // namespace keepline::testing
