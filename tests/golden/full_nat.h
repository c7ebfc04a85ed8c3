// A FULLNAT service on the stage, over TCP or UDP and of either family.
#pragma once

#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
inline constexpr std::uint32_t kPorts = lb::LocalPorts<net::V4>::kCount;
inline const net::Ip4 kLocal = ip("10.0.0.200");
inline const net::IpAddr kLocal6 = net::parse_ip("fd00::200").value();

/// TCP or UDP service by FULLNAT to server1 (or its IPv6 counterpart), from one local address.
inline World full_nat_world(bool v6, net::Protocol protocol) {
  World world = usual_world();
  const net::IpAddr vip = v6 ? kNames.vip6 : net::IpAddr(kNames.vip);
  const net::IpAddr server = v6 ? kNames.server6 : net::IpAddr(kNames.server1);
  const net::IpAddr local = v6 ? kLocal6 : net::IpAddr(kLocal);
  world.vips = {{vip, kOutside, kLease, kNames.virtual_mac, true},
                {local, kInside, kLease, kNames.inside_mac, true, true}};
  world.services = {
      service(0, {vip, 80}, protocol, {real_server(1, {server, 8080}, lb::Method::kFullNat)})};
  world.services[0].locals = {local};
  if (v6) {
    world.routes = {{{net::parse_ip("2001:db8::").value(), 64}, kOutside, {}, 0},
                    {{net::parse_ip("fd00::").value(), 64}, kInside, {}, 0}};
    world.neighbours = {{kNames.client6, kOutside, kNames.client_mac},
                        {kNames.server6, kInside, kNames.server1_mac}};
  }
  return world;
}

inline std::uint16_t source_port(const FrameBytes& frame) {
  const std::size_t l4 = kL3 + (frame[kL3] >> 4 == 6 ? 40 : 20);
  return u16_at(frame, l4);
}

class GoldenFullNat : public ::testing::TestWithParam<int> {
 protected:
  GoldenFullNat() {
    stage.world = full_nat_world(v6, protocol);
    stage.publish();
  }
  Datagram request(std::uint8_t flags = net::kTcpSyn, std::uint16_t client_port = 5000) const {
    Datagram d = from_client(client_port, flags);
    d.protocol = protocol;
    d.source.address = v6 ? kNames.client6 : net::IpAddr(kNames.client);
    d.destination = stage.world.services[0].vip;
    d.payload = "GET / HTTP/1.0\r\n\r\n";
    return d;
  }
  net::Endpoint local(std::uint16_t port) const { return {stage.world.vips[1].address, port}; }
  Datagram sent_on(Datagram d, std::uint16_t local_port) const {
    d = to_server(d, stage.world.services[0].pool[0].endpoint);
    d.source = local(local_port);
    return d;
  }
  Datagram answer(std::uint16_t local_port,
                  std::uint8_t flags = net::kTcpSyn | net::kTcpAck) const {
    Datagram d = from_server(0, flags, stage.world.services[0].pool[0].endpoint);
    d.protocol = protocol;
    d.destination = local(local_port);
    d.payload = "HTTP/1.0 200 OK\r\n\r\nhello";
    return d;
  }
  Datagram sent_back(Datagram d, std::uint16_t client_port = 5000) const {
    d = to_client(d);
    d.source = stage.world.services[0].vip;
    d.destination = request(0, client_port).source;
    return d;
  }
  /// Makes a connection; the port it goes out from.
  std::uint16_t open(std::uint16_t client_port = 5000) {
    const auto sent = stage.put(kOutside, bytes_of(request(net::kTcpSyn, client_port)));
    return sent.size() == 1 ? source_port(sent[0]) : std::uint16_t{0};
  }

  const bool v6 = GetParam() % 2 == 1;
  const net::Protocol protocol = GetParam() < 2 ? net::Protocol::kTcp : net::Protocol::kUdp;
  Stage stage;
};

inline std::string full_nat_case(const ::testing::TestParamInfo<int>& info) {
  return std::string(info.param < 2 ? "Tcp" : "Udp") + (info.param % 2 == 0 ? "4" : "6");
}
}  // namespace keepline::testing
