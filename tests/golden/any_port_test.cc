// A virtual server of all ports of its address (port 0): persistent, and every port keeps its
// number.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpRst;
using net::kTcpSyn;

class GoldenAnyPort : public ::testing::TestWithParam<int> {
 protected:
  GoldenAnyPort() {
    World& world = stage.world;
    world.services = {
        service(0, {vip(), 0}, net::Protocol::kTcp,
                {real_server(1, {server(), 0}), real_server(2, {other(), 0})}),
        service(1, {vip(), 443}, net::Protocol::kTcp, {real_server(3, {server(), 8443})})};
    world.services[0].persistence_s = 100;
    world.services[0].persistence_bits = v6 ? 128 : 32;
    if (v6) {
      world.vips = {{kNames.vip6, kOutside, kLease, kNames.virtual_mac, true}};
      world.routes = {{{net::parse_ip("2001:db8::").value(), 64}, kOutside, {}, 0},
                      {{net::parse_ip("fd00::").value(), 64}, kInside, {}, 0}};
      world.neighbours = {{kNames.client6, kOutside, kNames.client_mac},
                          {kNames.server6, kInside, kNames.server1_mac},
                          {kNames.other_server6, kInside, kNames.server2_mac}};
    }
    stage.publish();
  }
  net::IpAddr vip() const { return v6 ? kNames.vip6 : net::IpAddr(kNames.vip); }
  net::IpAddr client() const { return v6 ? kNames.client6 : net::IpAddr(kNames.client); }
  net::IpAddr server() const { return v6 ? kNames.server6 : net::IpAddr(kNames.server1); }
  net::IpAddr other() const { return v6 ? kNames.other_server6 : net::IpAddr(kNames.server2); }
  Datagram request(std::uint16_t client_port, std::uint16_t port,
                   std::uint8_t flags = kTcpSyn) const {
    Datagram d = from_client(client_port, flags, port);
    d.source.address = client();
    d.destination.address = vip();
    return d;
  }
  Datagram answer(std::uint16_t client_port, std::uint16_t port) const {
    Datagram d = from_server(client_port, kTcpSyn | kTcpAck, {server(), port});
    d.destination.address = client();
    return d;
  }
  Datagram answered(Datagram d, std::uint16_t port) const {
    d = to_client(d, port);
    d.source.address = vip();
    return d;
  }

  const bool v6 = GetParam() == 6;
  Stage stage;
};
INSTANTIATE_TEST_SUITE_P(Families, GoldenAnyPort, ::testing::Values(4, 6));

TEST_P(GoldenAnyPort, EveryPortGoesToTheClientsServerAndBack) {
  for (const std::uint16_t port : {80, 22, 65535}) {
    const Datagram in = request(5000, port);
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(in))), text(to_server(in, {server(), port})));
    EXPECT_EQ(text(stage.put(kInside, bytes_of(answer(5000, port)))),
              text(answered(answer(5000, port), port)));
  }
  EXPECT_EQ(stage.counters(), "packets=6 created=3 connections=4") << "and a template";
}

TEST_P(GoldenAnyPort, AServiceOfThePortItselfGoesFirst) {
  const Datagram in = request(5000, 443);
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(in))), text(to_server(in, {server(), 8443})));
}

TEST_P(GoldenAnyPort, OtherProtocolsAreNotMeant) {
  Datagram in = request(5000, 80);
  in.protocol = net::Protocol::kUdp;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(in))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
}

TEST_P(GoldenAnyPort, TheTemplateEndsWithItsLastConnection) {
  stage.put(kOutside, bytes_of(request(5000, 80)));
  stage.put(kOutside, bytes_of(request(5001, 22)));
  for (const auto& [port, to] : {std::pair{5000, 80}, std::pair{5001, 22}}) {
    stage.put(kOutside, bytes_of(request(static_cast<std::uint16_t>(port),
                                         static_cast<std::uint16_t>(to), kTcpRst)));
  }
  stage.now_s += 90;
  stage.expire();
  EXPECT_NE(stage.connections().find("ASSURED"), std::string::npos);
  stage.now_s += 20;
  stage.expire();
  EXPECT_EQ(stage.connections(), "");
}

// Full of established ones: by hash, and back to the port that was asked.
TEST_P(GoldenAnyPort, WithoutAnEntry) {
  Stage small(1);
  small.world = stage.world;
  small.world.services[0].pool.pop_back();
  small.world.services[0].persistence_s = 0;
  small.publish();
  small.put(kOutside, bytes_of(request(5000, 80)));
  small.put(kOutside, bytes_of(request(5000, 80, kTcpAck)));
  const Datagram in = request(5001, 8081);
  EXPECT_EQ(text(small.put(kOutside, bytes_of(in))), text(to_server(in, {server(), 8081})));
  EXPECT_EQ(text(small.put(kInside, bytes_of(answer(5001, 8081)))),
            text(answered(answer(5001, 8081), 8081)));
}

}  // namespace
}  // namespace keepline::testing
