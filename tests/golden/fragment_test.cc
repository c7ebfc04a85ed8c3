// Fragments: the later ones follow the first, both ways, over every method, and nobody else does.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

constexpr std::size_t kMost = 1000;

class GoldenFragment : public ::testing::TestWithParam<int> {
 protected:
  GoldenFragment() { use(lb::Method::kNat); }
  void use(lb::Method method) {
    World world = usual_world();
    const std::uint16_t port = method == lb::Method::kNat ? 5353 : 53;
    world.services = {
        service(0, {vip(), 53}, net::Protocol::kUdp, {real_server(1, {server(), port}, method)})};
    if (v6) {
      world.vips = {{kNames.vip6, kOutside, kLease, kNames.virtual_mac, true}};
      world.routes = {{{net::parse_ip("2001:db8::").value(), 64}, kOutside, {}, 0},
                      {{net::parse_ip("fd00::").value(), 64}, kInside, {}, 0}};
      world.neighbours = {{kNames.client6, kOutside, kNames.client_mac},
                          {kNames.server6, kInside, kNames.server1_mac}};
    }
    stage.world = world;
    stage.publish();
  }
  net::IpAddr vip() const { return v6 ? kNames.vip6 : net::IpAddr(kNames.vip); }
  net::IpAddr client() const { return v6 ? kNames.client6 : net::IpAddr(kNames.client); }
  net::IpAddr server() const { return v6 ? kNames.server6 : net::IpAddr(kNames.server1); }
  Datagram query(std::uint16_t port = 5000) const {
    Datagram d = from_client(port);
    d.protocol = net::Protocol::kUdp;
    d.source = {client(), port};
    d.destination = {vip(), 53};
    d.payload.assign(2500, 'q');
    return d;
  }
  Datagram answer(std::uint16_t port = 5000) const {
    Datagram d = from_server(port, 0, {server(), 5353});
    d.protocol = net::Protocol::kUdp;
    d.destination = {client(), port};
    d.payload.assign(2500, 'a');
    return d;
  }
  Datagram answered(Datagram d) const {
    d.to = kNames.client_mac;
    d.from = kNames.virtual_mac;
    d.source = {vip(), 53};
    --d.ttl;
    return d;
  }
  std::vector<FrameBytes> put_all(net::PortId port, const std::vector<FrameBytes>& frames) {
    std::vector<FrameBytes> sent;
    for (const FrameBytes& frame : frames) {
      for (FrameBytes& each : stage.put(port, frame)) sent.push_back(std::move(each));
    }
    return sent;
  }

  const bool v6 = GetParam() == 6;
  Stage stage;
};
INSTANTIATE_TEST_SUITE_P(Families, GoldenFragment, ::testing::Values(4, 6));

TEST_P(GoldenFragment, BothWays) {
  EXPECT_EQ(text(put_all(kOutside, fragments_of(bytes_of(query()), kMost))),
            text(fragments_of(bytes_of(to_server(query(), {server(), 5353})), kMost)));
  EXPECT_EQ(text(put_all(kInside, fragments_of(bytes_of(answer()), kMost, 77))),
            text(fragments_of(bytes_of(answered(answer())), kMost, 77)));
  EXPECT_EQ(stage.counters(), "packets=6 created=1 connections=1");
  const std::size_t header = v6 ? 48 : 20;
  const std::string bytes = std::to_string(2508 + 3 * header);
  EXPECT_EQ(stage.real(1), "active=0 inactive=1 connections=1 in=3/" + bytes + " out=3/" + bytes);
}

TEST_P(GoldenFragment, DatagramsInOneAnother) {
  const auto one = fragments_of(bytes_of(query(5000)), kMost, 1);
  const auto two = fragments_of(bytes_of(query(5001)), kMost, 2);
  const auto sent = put_all(kOutside, {one[0], two[0], two[1], one[1], one[2], two[2]});
  const auto one_out = fragments_of(bytes_of(to_server(query(5000), {server(), 5353})), kMost, 1);
  const auto two_out = fragments_of(bytes_of(to_server(query(5001), {server(), 5353})), kMost, 2);
  EXPECT_EQ(text(sent),
            text({one_out[0], two_out[0], two_out[1], one_out[1], one_out[2], two_out[2]}));
}

TEST_P(GoldenFragment, WithoutTheFirstOneNothingPasses) {
  const auto all = fragments_of(bytes_of(query()), kMost);
  EXPECT_EQ(text(put_all(kOutside, {all[1], all[2]})), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 fragment=2");
  put_all(kOutside, {all[0], all[1]});
  stage.counters();
  stage.now_s += 30;
  EXPECT_EQ(text(stage.put(kOutside, all[2])), kNothing) << "too late";
  EXPECT_EQ(stage.counters(), "packets=1 fragment=1 connections=1");
}

TEST_P(GoldenFragment, OfAConnectionThatHasEnded) {
  const auto all = fragments_of(bytes_of(query()), kMost);
  put_all(kOutside, {all[0]});
  stage.world.services.clear();
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, all[1])), kNothing);
  stage.counters();
  use(lb::Method::kNat);
  stage.revoke();
  Datagram to_port = query();
  to_port.to = kNames.outside_mac;
  EXPECT_EQ(text(put_all(kOutside, fragments_of(bytes_of(to_port), kMost))), kNothing);
  EXPECT_EQ(stage.counters().substr(0, 22), "packets=3 not_master=3");
}

TEST_P(GoldenFragment, DirectRouting) {
  use(lb::Method::kDirectRouting);
  Datagram out = query();
  out.to = kNames.server1_mac;
  out.from = kNames.inside_mac;
  --out.ttl;
  EXPECT_EQ(text(put_all(kOutside, fragments_of(bytes_of(query()), kMost))),
            text(fragments_of(bytes_of(out), kMost)));
}

TEST_P(GoldenFragment, Tunnels) {
  if (v6) return;  // the stage's inside has no IPv6 address of a tunnel here
  use(lb::Method::kTunnel);
  Datagram inside = query();
  --inside.ttl;
  const auto sent = put_all(kOutside, fragments_of(bytes_of(query()), kMost));
  const auto expected = fragments_of(bytes_of(inside), kMost);
  ASSERT_EQ(sent.size(), expected.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const FrameBytes packet(sent[i].begin() + kL3 + 20, sent[i].end());
    EXPECT_EQ(hex(packet), hex(packet_of(expected[i])));
    EXPECT_EQ(sent[i][kL3 + 9], 4);
  }
}

TEST_P(GoldenFragment, CutShort) {
  for (std::size_t most : {std::size_t{0}, std::size_t{7}}) {
    FrameBytes frame = fragments_of(bytes_of(query()), kMost)[0];
    const std::size_t l4 = kL3 + (v6 ? 48 : 20);
    frame.resize(l4 + most);
    put16(frame, kL3 + (v6 ? 4 : 2), static_cast<unsigned>((v6 ? 8 : 20) + most));
    if (!v6) fix_ip_checksum(frame);
    EXPECT_EQ(text(stage.put(kOutside, frame)), kNothing);
    EXPECT_EQ(stage.counters(), "packets=1 truncated=1");
  }
}

TEST_P(GoldenFragment, WhatIsNoServicesIsRoutedByARouter) {
  stage.world.ip_forward = true;
  stage.publish();
  if (v6) return;  // the stage routes IPv4
  Datagram other = answer();
  other.source.port = 9999;
  Datagram out = other;
  out.to = kNames.client_mac;
  out.from = kNames.outside_mac;
  --out.ttl;
  EXPECT_EQ(text(put_all(kInside, fragments_of(bytes_of(other), kMost))),
            text(fragments_of(bytes_of(out), kMost)));
}

TEST(GoldenFragments, TheWorkerOfTheDatagramHandsThemToTheOneOfTheFlow) {
  // Which shard a datagram and a flow belong to is found out by giving one shard after the other
  // to worker 0, the stage's.
  Stage stage;
  Datagram d = from_client(5000);
  d.protocol = net::Protocol::kUdp;
  d.destination.port = 53;
  d.payload.assign(2500, 'q');
  const auto all = fragments_of(bytes_of(d), kMost);
  std::string homes;
  for (std::size_t shard = 0; shard < net::kShards; ++shard) {
    stage.world.shard_workers.fill(3);
    stage.world.shard_workers[shard] = 0;
    stage.publish();
    const std::size_t before = stage.handed_off().size();
    const auto sent = stage.put(kOutside, all[0]);
    const auto later = stage.put(kOutside, all[1]);
    EXPECT_EQ(sent.size() + later.size(), 0u);
    homes += std::to_string(std::ranges::count(stage.handed_off().substr(before), '3'));
  }
  // Both fragments are handed over by every worker: by the home to the flow's owner, too.
  EXPECT_EQ(homes, std::string(net::kShards, '2'));
  stage.world.shard_workers.fill(0);
  stage.publish();
  EXPECT_EQ(stage.put(kOutside, all[0]).size(), 1u);
  EXPECT_EQ(stage.put(kOutside, all[1]).size(), 1u);
}

}  // namespace
}  // namespace keepline::testing
