// FULLNAT: both families and protocols, both directions; whom the server takes for its client.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/golden/full_nat.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

INSTANTIATE_TEST_SUITE_P(All, GoldenFullNat, ::testing::Range(0, 4), full_nat_case);

TEST_P(GoldenFullNat, BothDirectionsAndTheTable) {
  const auto first = stage.put(kOutside, bytes_of(request()));
  ASSERT_EQ(first.size(), 1u);
  const std::uint16_t port = source_port(first[0]);
  EXPECT_GE(port, 1024);
  EXPECT_EQ(text(first), text(sent_on(request(), port)));
  EXPECT_EQ(stage.counters(), "packets=1 created=1 connections=1");

  EXPECT_EQ(text(stage.put(kInside, bytes_of(answer(port)))), text(sent_back(answer(port))));
  for (int round = 0; round < 3; ++round) {  // the straight path, once it is settled
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(request(kTcpAck)))),
              text(sent_on(request(kTcpAck), port)));
    EXPECT_EQ(text(stage.put(kInside, bytes_of(answer(port, kTcpAck)))),
              text(sent_back(answer(port, kTcpAck))));
  }
  EXPECT_EQ(stage.counters(), "packets=7 connections=1");
  const bool tcp = protocol == net::Protocol::kTcp;
  EXPECT_EQ(stage.connections(), std::string(tcp ? "TCP " : "UDP ") + to_string(request().source) +
                                     ' ' + to_string(request().destination) + " by " +
                                     to_string(local(port)) + ' ' +
                                     to_string(stage.world.services[0].pool[0].endpoint) + ' ' +
                                     (tcp ? "ESTABLISHED replied 900s\n" : "UDP replied 300s\n"));
}

TEST_P(GoldenFullNat, ConnectionsOfTheSameClientHavePortsOfTheirOwn) {
  std::set<std::uint16_t> ports;
  for (std::uint16_t client_port = 5000; client_port < 5100; ++client_port) {
    const std::uint16_t port = open(client_port);
    ports.insert(port);
    EXPECT_EQ(text(stage.put(kInside, bytes_of(answer(port)))),
              text(sent_back(answer(port), client_port)));
  }
  EXPECT_EQ(ports.size(), 100u);
  EXPECT_EQ(stage.counters(), "packets=200 created=100 connections=100");
}

TEST_P(GoldenFullNat, AnEndedConnectionIsNeitherAnsweredNorRouted) {
  stage.world.ip_forward = true;
  stage.publish();
  const std::uint16_t port = open();
  stage.now_s += 1000;
  stage.expire();
  stage.counters();
  EXPECT_EQ(text(stage.put(kInside, bytes_of(answer(port)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
}

TEST_P(GoldenFullNat, OnlyTheServerItselfIsAnswered) {
  const std::uint16_t port = open();
  stage.counters();
  Datagram stranger = answer(port);
  stranger.source.port = 8081;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(stranger))), kNothing);
  Datagram past_us = answer(port);
  past_us.destination = request().source;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(past_us))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 no_connection=2 connections=1");
}

TEST_P(GoldenFullNat, ABackupLetsNothingThrough) {
  const std::uint16_t port = open();
  stage.counters();
  stage.revoke();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request()))), kNothing);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(answer(port)))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 not_master=2 connections=1");
}

// The server cannot be told the way to the client by hash: there is nothing to go on without.
TEST_P(GoldenFullNat, AFullTableRefuses) {
  Stage small(1);
  small.world = stage.world;
  small.publish();
  const auto sent = small.put(kOutside, bytes_of(request()));
  ASSERT_EQ(sent.size(), 1u);
  small.put(kInside, bytes_of(answer(source_port(sent[0]))));
  small.put(kOutside, bytes_of(request(kTcpAck)));  // established: not to be reclaimed
  small.counters();
  EXPECT_EQ(text(small.put(kOutside, bytes_of(request(kTcpSyn, 5001)))), kNothing);
  const std::string counters = small.counters();
  EXPECT_EQ(counters, "packets=1 table_full=1 connections=1");
}

// With two workers: a client of ours gets only ends whose answers come to us.
TEST_P(GoldenFullNat, AnswersComeToTheWorkerThatHasTheConnection) {
  for (std::size_t shard = 0; shard < net::kShards; ++shard) {
    stage.world.shard_workers[shard] = shard % 2;
  }
  stage.publish();
  unsigned ours = 0;
  for (std::uint16_t client_port = 5000; client_port < 5200; ++client_port) {
    const std::uint16_t port = open(client_port);
    if (port == 0) continue;  // of a client of the other worker
    ++ours;
    EXPECT_EQ(text(stage.put(kInside, bytes_of(answer(port)))),
              text(sent_back(answer(port), client_port)));
  }
  EXPECT_GT(ours, 50u);
  EXPECT_LT(ours, 150u);
  const std::string all = stage.handed_off();
  EXPECT_EQ(static_cast<std::size_t>(std::count(all.begin(), all.end(), '1')), 200 - ours)
      << "the clients of the other worker, and no answer";
}

// Persistence deals shards by the client's prefix; answers have to come home all the same.
TEST_P(GoldenFullNat, PersistenceWithTwoWorkers) {
  for (std::size_t shard = 0; shard < net::kShards; ++shard) {
    stage.world.shard_workers[shard] = shard % 2;
  }
  stage.world.services[0].persistence_s = 300;
  stage.world.services[0].persistence_bits = v6 ? 64 : 24;
  stage.publish();
  unsigned ours = 0;
  for (std::uint16_t network = 0; network < 20; ++network) {
    Datagram d = request();
    if (v6) {
      d.source.address = net::parse_ip("2001:db8:0:" + std::to_string(network) + "::7").value();
    } else {
      d.source.address = ip("198.51." + std::to_string(network) + ".7");
    }
    const auto sent = stage.put(kOutside, bytes_of(d));
    if (sent.empty()) continue;
    ++ours;
    stage.handed_off();
    stage.counters();
    stage.put(kInside, bytes_of(answer(source_port(sent[0]))));
    EXPECT_EQ(stage.counters().find("no_connection"), std::string::npos);
  }
  EXPECT_GT(ours, 0u);
  const std::string all = stage.handed_off();
  EXPECT_EQ(static_cast<std::size_t>(std::count(all.begin(), all.end(), '1')), 20 - ours);
}

// A router on the servers' side finds a request too big: it answers to the local address, and the
// client has to hear it.
TEST_P(GoldenFullNat, AnErrorAboutARequestReachesTheClient) {
  const std::uint16_t port = open();
  stage.counters();
  const auto error = [&](const Datagram& head, const Datagram& about) {
    return v6 ? error_of(head, 2, 0, 1400, packet_of(bytes_of(about)))
              : error_of(head, 3, 4, 1400, packet_of(bytes_of(about)));
  };
  Datagram in;
  in.to = kNames.inside_mac;
  in.from = kNames.server1_mac;
  in.source = {v6 ? kNames.other_server6 : net::IpAddr(kNames.server2), 0};
  in.destination = local(0);
  Datagram quoted = request();
  quoted.ttl = sent_on(request(), port).ttl;  // as the client sent it but for the hops
  Datagram out = sent_back(in);
  const FrameBytes frame = error(in, sent_on(request(), port));
  EXPECT_EQ(text(stage.put(kInside, frame)), text(error(out, quoted)));
  EXPECT_EQ(stage.counters(), "packets=1 icmp_errors=1 connections=1");
}

TEST_P(GoldenFullNat, AnErrorAboutAnAnswerReachesTheServer) {
  const std::uint16_t port = open();
  stage.put(kInside, bytes_of(answer(port)));
  stage.counters();
  const auto error = [&](const Datagram& head, const Datagram& about) {
    return v6 ? error_of(head, 2, 0, 1400, packet_of(bytes_of(about)))
              : error_of(head, 3, 4, 1400, packet_of(bytes_of(about)));
  };
  Datagram in;
  in.to = kNames.virtual_mac;
  in.from = kNames.client_mac;
  in.source = {v6 ? net::parse_ip("2001:db8::1").value() : net::IpAddr(ip("192.0.2.1")), 0};
  in.destination = request().destination;
  Datagram quoted = answer(port);
  quoted.ttl = sent_back(answer(port)).ttl;
  Datagram out = sent_on(in, 0);  // a server that knows no way to clients knows none to routers
  EXPECT_EQ(text(stage.put(kOutside, error(in, sent_back(answer(port))))),
            text(error(out, quoted)));
  EXPECT_EQ(stage.counters(), "packets=1 icmp_errors=1 connections=1");
}

TEST_P(GoldenFullNat, FragmentsBothWays) {
  if (protocol == net::Protocol::kTcp) return;
  constexpr std::size_t kMost = 1000;
  const auto put_all = [&](net::PortId port, const std::vector<FrameBytes>& frames) {
    std::vector<FrameBytes> sent;
    for (const FrameBytes& frame : frames) {
      for (FrameBytes& each : stage.put(port, frame)) sent.push_back(std::move(each));
    }
    return sent;
  };
  Datagram query = request();
  query.payload.assign(2500, 'q');
  const auto sent = put_all(kOutside, fragments_of(bytes_of(query), kMost));
  ASSERT_EQ(sent.size(), 3u);
  const std::size_t l4 = kL3 + (v6 ? 48 : 20);
  const std::uint16_t port = u16_at(sent[0], l4);
  EXPECT_EQ(text(sent), text(fragments_of(bytes_of(sent_on(query, port)), kMost)));
  Datagram reply = answer(port);
  reply.payload.assign(2500, 'a');
  EXPECT_EQ(text(put_all(kInside, fragments_of(bytes_of(reply), kMost, 77))),
            text(fragments_of(bytes_of(sent_back(reply)), kMost, 77)));
  EXPECT_EQ(stage.counters(), "packets=6 created=1 connections=1");
}

}  // namespace
}  // namespace keepline::testing
