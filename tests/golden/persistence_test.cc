// Persistence: which server a client's next connection goes to; one-packet scheduling.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpFin;
using net::kTcpRst;
using net::kTcpSyn;

constexpr std::uint32_t kPersistence_s = 100;

/// The stage with a persistent service.
struct Clients {
  explicit Clients(std::uint8_t bits = 24, std::size_t capacity = 1000) : stage(capacity) {
    stage.world.services[0].persistence_s = kPersistence_s;
    stage.world.services[0].persistence_bits = bits;
    stage.publish();
  }
  // Which server a new connection of this client goes to: 1, 2, or 0 for none.
  int server_of(const std::string& client, std::uint16_t port) {
    Datagram d = from_client(port);
    d.source.address = ip(client);
    const auto sent = stage.refused(kOutside, bytes_of(d));
    if (sent.empty()) return 0;
    const FrameBytes mac(sent[0].begin(), sent[0].begin() + 6);
    return mac[5] == kNames.server1_mac.bytes[5] ? 1 : 2;
  }
  void end(const std::string& client, std::uint16_t port) {
    Datagram d = from_client(port, kTcpRst);
    d.source.address = ip(client);
    stage.put(kOutside, bytes_of(d));
  }
  // "client -> server remaining" of the templates.
  std::string templates() const {
    std::string lines;
    std::string all = stage.connections();
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t end = all.find('\n', at);
      const std::string line = all.substr(at, end - at);
      if (line.find("ASSURED") != std::string::npos) lines += line + '\n';
      at = end + 1;
    }
    return lines;
  }

  Stage stage;
};

TEST(GoldenPersistence, AClientsConnectionsGoToOneServer) {
  Clients c;
  const int first = c.server_of("198.51.100.7", 5000);
  ASSERT_NE(first, 0);
  for (std::uint16_t port = 5001; port < 5010; ++port) {
    EXPECT_EQ(c.server_of("198.51.100.7", port), first);
  }
  EXPECT_EQ(c.server_of("198.51.100.200", 5000), first) << "the same /24 is the same client";
  const int other = c.server_of("198.51.101.7", 5000);
  EXPECT_EQ(other, 3 - first) << "scheduled in turn";
  EXPECT_EQ(c.server_of("198.51.101.9", 5001), other);
  EXPECT_EQ(c.templates(), "TCP 198.51.100.0:0 192.0.2.100:80 10.0.0." + std::to_string(1 + first) +
                               ":8080 ASSURED 100s\n"
                               "TCP 198.51.101.0:0 192.0.2.100:80 10.0.0." +
                               std::to_string(1 + other) + ":8080 ASSURED 100s\n");
}

TEST(GoldenPersistence, EndsItsTimeAfterTheLastNewConnection) {
  Clients c;
  const int first = c.server_of("198.51.100.7", 5000);
  c.end("198.51.100.7", 5000);
  c.stage.now_s += 60;
  c.stage.expire();
  EXPECT_EQ(c.server_of("198.51.100.7", 5001), first);
  c.end("198.51.100.7", 5001);
  c.stage.now_s += kPersistence_s - 1;
  c.stage.expire();
  EXPECT_EQ(c.server_of("198.51.100.7", 5002), first);
  c.end("198.51.100.7", 5002);
  c.stage.now_s += 11;  // the last connection is forgotten
  c.stage.expire();
  EXPECT_NE(c.templates(), "");
  c.stage.now_s += kPersistence_s - 11;
  c.stage.expire();
  EXPECT_EQ(c.templates(), "");
  EXPECT_EQ(c.server_of("198.51.100.7", 5003), 3 - first) << "scheduled anew";
}

TEST(GoldenPersistence, LivesAsLongAsItHasConnections) {
  Clients c;
  const int first = c.server_of("198.51.100.7", 5000);
  Datagram ack = from_client(5000, kTcpAck);
  ack.source.address = ip("198.51.100.7");
  c.stage.put(kOutside, bytes_of(ack));
  for (int minute = 0; minute < 14; ++minute) {
    c.stage.now_s += 60;
    c.stage.expire();
  }
  EXPECT_NE(c.templates(), "");
  EXPECT_EQ(c.server_of("198.51.100.7", 5001), first);
  c.end("198.51.100.7", 5000);
  c.end("198.51.100.7", 5001);
  c.stage.now_s += 10;
  c.stage.expire();
  c.stage.now_s += kPersistence_s;
  c.stage.expire();
  EXPECT_EQ(c.templates(), "") << "all of its connections were counted off";
}

TEST(GoldenPersistence, AServerOfWeightZeroKeepsItsClients) {
  Clients c;
  const int first = c.server_of("198.51.100.7", 5000);
  c.stage.world.services[0].pool[static_cast<std::size_t>(first - 1)].weight = 0;
  c.stage.publish();
  EXPECT_EQ(c.server_of("198.51.100.7", 5001), first);
  EXPECT_EQ(c.server_of("203.0.113.7", 5001), 3 - first);
}

TEST(GoldenPersistence, AServerThatFailsOrLeavesDoesNot) {
  for (const bool leaves : {false, true}) {
    Clients c(32);
    const int first = c.server_of("198.51.100.7", 5000);
    auto& pool = c.stage.world.services[0].pool;
    const auto index = static_cast<std::size_t>(first - 1);
    if (leaves) {
      pool.erase(pool.begin() + static_cast<std::ptrdiff_t>(index));
    } else {
      pool[index].weight = 0;
      pool[index].failed = true;
    }
    c.stage.publish();
    EXPECT_EQ(c.server_of("198.51.100.7", 5001), 3 - first);
    c.stage.world.services[0].pool = usual_world().services[0].pool;
    c.stage.publish();
    EXPECT_EQ(c.server_of("198.51.100.7", 5002), 3 - first) << "and stays there";
  }
}

TEST(GoldenPersistence, AServiceOfItsOwnHasItsOwnTemplates) {
  Clients c;
  c.stage.world.services.push_back(
      service(3, {kNames.vip, 81}, net::Protocol::kTcp,
              {real_server(5, {kNames.server1, 81}), real_server(6, {kNames.server2, 81})}));
  c.stage.world.services.back().persistence_s = kPersistence_s;
  c.stage.world.services.back().persistence_bits = 32;
  c.stage.publish();
  c.server_of("198.51.100.7", 5000);
  Datagram d = from_client(5000, kTcpSyn, 81);
  d.source.address = ip("198.51.100.7");
  c.stage.put(kOutside, bytes_of(d));
  EXPECT_EQ(std::ranges::count(c.templates(), '\n'), 2);
}

// Of a full table a template takes no place that a connection needs more: both just go without.
TEST(GoldenPersistence, WithoutRoomForATemplateConnectionsGoOn) {
  Clients c(32, 3);
  for (std::uint16_t i = 1; i < 20; ++i) {
    EXPECT_NE(c.server_of("198.51.100." + std::to_string(i), 5000), 0) << i;
  }
}

TEST(GoldenPersistence, AClientStaysWithOneWorkerWhateverItsPorts) {
  Clients c;
  for (std::size_t i = 0; i < net::kShards; ++i) {
    c.stage.world.shard_workers[i] = static_cast<std::uint8_t>(1 + i % 7);
  }
  c.stage.publish();
  std::string workers;
  for (std::uint16_t port = 5000; port < 5050; ++port) c.server_of("198.51.100.7", port);
  ASSERT_EQ(c.stage.handed_off().size(), 99u);
  for (std::size_t i = 0; i < c.stage.handed_off().size(); i += 2) {
    ASSERT_EQ(c.stage.handed_off()[i], c.stage.handed_off()[0]);
  }
  // Answers, too, also those of services that are not persistent.
  const std::size_t before = c.stage.handed_off().size();
  Datagram answer = from_server(5000, kTcpAck, {kNames.server1, 5353});
  answer.destination.address = ip("198.51.100.99");
  answer.protocol = net::Protocol::kUdp;
  c.stage.put(kInside, bytes_of(answer));
  EXPECT_EQ(c.stage.handed_off().substr(before), std::string(" ") + c.stage.handed_off()[0]);
}

TEST(GoldenPersistence6, AClientsConnectionsGoToOneServer) {
  Stage stage;
  stage.world.vips = {{kNames.vip6, kOutside, kLease, kNames.virtual_mac, true}};
  stage.world.services = {service(
      0, {kNames.vip6, 80}, net::Protocol::kTcp,
      {real_server(1, {kNames.server6, 8080}), real_server(2, {kNames.other_server6, 8080})})};
  stage.world.services[0].persistence_s = kPersistence_s;
  stage.world.services[0].persistence_bits = 60;
  stage.world.routes = {{{net::parse_ip("fd00::").value(), 64}, kInside, {}, 0}};
  stage.world.neighbours = {{kNames.server6, kInside, kNames.server1_mac},
                            {kNames.other_server6, kInside, kNames.server2_mac}};
  stage.publish();
  for (std::uint16_t i = 0; i < 8; ++i) {
    Datagram d = from_client(static_cast<std::uint16_t>(5000 + i));
    d.source.address =
        net::parse_ip("2001:db8:0:" + std::to_string(i / 4 * 10) + "::" + std::to_string(i + 1))
            .value();
    d.destination = {kNames.vip6, 80};
    ASSERT_EQ(stage.put(kOutside, bytes_of(d)).size(), 1u);
  }
  EXPECT_EQ(stage.real(1).substr(0, 34), "active=0 inactive=4 connections=4 ");
  EXPECT_EQ(stage.real(2).substr(0, 34), "active=0 inactive=4 connections=4 ");
}

// Every packet is scheduled, none makes a connection, and answers still come from the VIP.
TEST(GoldenOnePacket, EachPacketHasItsServer) {
  Stage stage;
  stage.world.services = {
      service(0, {kNames.vip, 53}, net::Protocol::kUdp,
              {real_server(1, {kNames.server1, 53}), real_server(2, {kNames.server2, 53})})};
  stage.world.services[0].one_packet = true;
  stage.publish();
  Datagram query = from_client(5000, 0, 53);
  query.protocol = net::Protocol::kUdp;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(query))),
            text(to_server(query, {kNames.server1, 53}, kNames.server1_mac)));
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(query))),
            text(to_server(query, {kNames.server2, 53}, kNames.server2_mac)));
  Datagram answer = from_server(5000, 0, {kNames.server2, 53});
  answer.protocol = net::Protocol::kUdp;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(answer))), text(to_client(answer, 53)));
  EXPECT_EQ(stage.counters(), "packets=3 stateless=3");
  EXPECT_EQ(stage.connections(), kNothing);
}

}  // namespace
}  // namespace keepline::testing
