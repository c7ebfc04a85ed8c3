// What a new snapshot does to the connections that are there.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

void remove_server1(Stage& stage) {
  auto& pool = stage.world.services[0].pool;
  pool.erase(pool.begin());
  stage.publish();
}

void establish(Stage& stage) {
  stage.put(kOutside, bytes_of(from_client()));
  stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)));
  stage.counters();
}

TEST(GoldenChange, SegmentsToAServerThatIsGoneAreDropped) {
  Stage stage;
  establish(stage);
  remove_server1(stage);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 server_gone=1 connections=1");
}

TEST(GoldenChange, ASynIsScheduledAnewWhenTheServerIsGone) {
  Stage stage;
  establish(stage);
  remove_server1(stage);
  const Datagram syn = from_client();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))),
            text(to_server(syn, {kNames.server2, 8080}, kNames.server2_mac)));
  EXPECT_EQ(stage.counters(), "packets=1 created=1 connections=1");
  EXPECT_EQ(stage.real(1), "active=0 inactive=0 connections=1 in=2/80 out=0/0");
  EXPECT_EQ(stage.real(2), "active=0 inactive=1 connections=1 in=1/40 out=0/0");
}

TEST(GoldenChange, UdpIsScheduledAnewWhenTheServerIsGone) {
  Stage stage;
  Datagram query = from_client(5000, 0, 53);
  query.protocol = net::Protocol::kUdp;
  stage.put(kOutside, bytes_of(query));
  stage.world.services[1].pool = {real_server(9, {kNames.server2, 5353})};
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(query))),
            text(to_server(query, {kNames.server2, 5353}, kNames.server2_mac)));
  EXPECT_EQ(stage.counters(), "packets=2 created=2 connections=1");
}

TEST(GoldenChange, TheLastServerGoneNobodyIsLeft) {
  Stage stage;
  establish(stage);
  stage.world.services[0].pool.clear();
  stage.publish();
  EXPECT_EQ(text(stage.refused(kOutside, bytes_of(from_client()))), kNothing);
  stage.expire();
  EXPECT_EQ(stage.counters(), "packets=1 refusals=1 no_real_server=1");
  EXPECT_EQ(stage.real(1), "active=0 inactive=0 connections=1 in=2/80 out=0/0");
}

TEST(GoldenChange, AnotherGenerationOfTheSlotIsAnotherServer) {
  Stage stage;
  establish(stage);
  stage.world.services[0].pool[0] = real_server(1, endpoint("10.0.0.3", 9090));
  stage.world.services[0].pool[0].generation = 2;
  stage.world.services[0].pool.pop_back();
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 server_gone=1 connections=1");
  const Datagram syn = from_client(6000);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))),
            text(to_server(syn, endpoint("10.0.0.3", 9090), kNames.server2_mac)));
  EXPECT_EQ(stage.real(1), "active=0 inactive=1 connections=1 in=1/40 out=0/0");
  // The old one expires without a trace in the new one's figures.
  stage.now_s += 900;
  stage.expire();
  EXPECT_EQ(stage.real(1), "active=0 inactive=0 connections=1 in=1/40 out=0/0");
}

TEST(GoldenChange, WeightZeroKeepsItsConnectionsAndGetsNoNewOnes) {
  Stage stage;
  establish(stage);
  stage.world.services[0].pool[0].weight = 0;
  stage.publish();
  const Datagram ack = from_client(5000, kTcpAck);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(ack))), text(to_server(ack)));
  const Datagram reply = from_server(5000, kTcpAck);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(reply))), text(to_client(reply)));
  for (std::uint16_t port = 6000; port < 6004; ++port) {
    const Datagram syn = from_client(port);
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(syn))),
              text(to_server(syn, {kNames.server2, 8080}, kNames.server2_mac)));
  }
  EXPECT_EQ(stage.counters(), "packets=6 created=4 connections=5");
}

TEST(GoldenChange, AllWeightsZeroNobodyIsLeft) {
  Stage stage;
  for (lb::RealServer& real : stage.world.services[0].pool) real.weight = 0;
  stage.publish();
  EXPECT_EQ(text(stage.refused(kOutside, bytes_of(from_client()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 refusals=1 no_real_server=1");
}

TEST(GoldenChange, NeighboursAndRoutesAreReadForEachFrame) {
  Stage stage;
  establish(stage);
  const auto neighbours = stage.world.neighbours;
  stage.world.neighbours.erase(stage.world.neighbours.begin() + 2);
  stage.publish();
  const Datagram ack = from_client(5000, kTcpAck);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(ack))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_neighbour=1 connections=1");
  stage.world.neighbours = neighbours;
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(ack))), text(to_server(ack)));
  stage.world.routes.clear();
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(ack))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 no_route=1 connections=1");
}

TEST(GoldenChange, WithoutTheLeaseNeitherDirectionPasses) {
  Stage stage;
  establish(stage);
  stage.revoke();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(from_server(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client(6000)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=3 not_master=3 connections=1");
  // Back again, the connection is still there.
  stage.make_master();
  EXPECT_NE(text(stage.put(kOutside, bytes_of(from_client(5000, kTcpAck)))), kNothing);
}

TEST(GoldenChange, ABackupThatRoutesForwardsNothingThatIsSentToTheVirtualMac) {
  Stage stage;
  stage.world.ip_forward = true;
  stage.publish();
  Datagram flooded = from_client(5000, kTcpAck);
  flooded.destination = {kNames.server1, 22};
  EXPECT_EQ(stage.put(kOutside, bytes_of(flooded)).size(), 1u);
  stage.revoke();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(flooded))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 not_master=1");
  flooded.to = kNames.outside_mac;
  EXPECT_EQ(stage.put(kOutside, bytes_of(flooded)).size(), 1u);
}

TEST(GoldenChange, AVipThatLeftIsNotServed) {
  Stage stage;
  establish(stage);
  stage.world.vips.clear();
  stage.publish();
  Datagram ack = from_client(5000, kTcpAck);
  ack.to = kNames.outside_mac;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(ack))), kNothing);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(from_server(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 not_master=2 connections=1");
}

TEST(GoldenChange, BothDirectionsOfAFlowAreHandedToTheWorkerOfItsShard) {
  Stage stage;
  stage.put(kOutside, bytes_of(from_client()));
  stage.counters();
  stage.world.shard_workers.fill(3);
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client()))), kNothing);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(from_server(5000, kTcpAck)))), kNothing);
  EXPECT_EQ(stage.handed_off(), "3 3");
  EXPECT_EQ(stage.counters(), "packets=2 connections=1");
  // Each half of the shards to one worker: some flows stay, and theirs are both directions.
  std::fill_n(stage.world.shard_workers.begin(), net::kShards / 2, std::uint8_t{0});
  stage.publish();
  int stayed = 0;
  for (std::uint16_t port = 6000; port < 6064; ++port) {
    const bool stays = !stage.put(kOutside, bytes_of(from_client(port))).empty();
    stayed += stays;
    const auto real = stayed % 2 == 0 ? kNames.server1 : kNames.server2;
    const Datagram reply = from_server(port, kTcpAck, {real, 8080});
    EXPECT_EQ(!stage.put(kInside, bytes_of(reply)).empty(), stays) << port;
  }
  EXPECT_GT(stayed, 16);
  EXPECT_LT(stayed, 48);
}

TEST(GoldenChange, AConnectionKeepsItsMethod) {
  Stage stage;
  establish(stage);
  stage.world.services[0].pool[0].method = lb::Method::kDirectRouting;
  stage.publish();
  const Datagram ack = from_client(5000, kTcpAck);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(ack))), text(to_server(ack)));
}

// An answer names client and real server only, so of two services with one server the client's
// newer connection wins.
TEST(GoldenChange, TheNewerOfTwoConnectionsBetweenTheSameEndsWins) {
  Stage stage;
  stage.world.services[0] =
      service(0, {kNames.vip, 80}, net::Protocol::kTcp, {real_server(1, {kNames.server1, 8080})});
  stage.world.services[2] =
      service(2, {kNames.vip, 443}, net::Protocol::kTcp, {real_server(4, {kNames.server1, 8080})});
  stage.publish();
  Datagram first = from_client();
  first.destination.port = 80;
  Datagram second = first;
  second.destination.port = 443;
  stage.put(kOutside, bytes_of(first));
  stage.put(kOutside, bytes_of(second));
  Datagram answer = to_client(from_server(5000, net::kTcpSyn | net::kTcpAck));
  answer.source.port = 443;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(from_server(5000, net::kTcpSyn | net::kTcpAck)))),
            text(answer));
  EXPECT_EQ(stage.connections(),
            "TCP 192.0.2.7:5000 192.0.2.100:443 10.0.0.2:8080 SYN_RECV replied 60s\n");
}

}  // namespace
}  // namespace keepline::testing
