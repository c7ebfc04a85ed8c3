// A NIC that a DPDK driver owns: what is not the dataplane's goes to the kernel, as it came.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr net::PortId kKernel = 2;  // the TAP of the outside port
const net::Ip4 kOwn = ip("192.0.2.5");

class GoldenOwnedPort : public ::testing::Test {
 protected:
  GoldenOwnedPort() {
    stage.world.ports.resize(3);
    stage.world.ports[kOutside].kernel = kKernel;
    stage.world.ports[kKernel].nic = kOutside;
    stage.world.own = {kOwn, kNames.inside, net::parse_ip("fe80::1").value()};
    stage.publish();
  }

  // What became of a frame from outside: "to the kernel", or what was counted.
  std::string fate(const FrameBytes& frame) {
    stage.arrive(kOutside, frame);
    stage.turn();
    const auto to_kernel = stage.take_sent(kKernel);
    const std::string counted = stage.counters();
    if (to_kernel.empty()) return counted;
    EXPECT_EQ(text(to_kernel), text(frame));
    EXPECT_EQ(counted, "packets=1 to_kernel=1");
    return "to the kernel";
  }
  static Datagram to_node(std::uint16_t port, net::Protocol protocol = net::Protocol::kTcp) {
    Datagram d = from_client(5000);
    d.to = kNames.outside_mac;
    d.destination = {kOwn, port};
    d.protocol = protocol;
    return d;
  }
  static Arp arp(net::Ip4 target, std::uint16_t operation = net::kArpRequest) {
    Arp arp;
    arp.to = operation == net::kArpRequest ? net::kBroadcastMac : kNames.outside_mac;
    arp.from = arp.sender_mac = kNames.client_mac;
    arp.operation = operation;
    arp.sender = kNames.client;
    arp.target = target;
    return arp;
  }

  Stage stage;
};

TEST_F(GoldenOwnedPort, ArpOfTheNodeItself) {
  EXPECT_EQ(fate(bytes_of(arp(kOwn))), "to the kernel");
  EXPECT_EQ(fate(bytes_of(arp(kOwn, net::kArpReply))), "to the kernel");
  EXPECT_EQ(fate(bytes_of(arp(kNames.client))), "to the kernel") << "gratuitous";
  EXPECT_EQ(fate(bytes_of(arp(kNames.vip))), "packets=1 arp_replies=1");
  stage.revoke();
  EXPECT_EQ(fate(bytes_of(arp(kNames.vip))), "packets=1 not_master=1");
}

TEST_F(GoldenOwnedPort, ConnectionsOfTheNodeItself) {
  EXPECT_EQ(fate(bytes_of(to_node(22))), "to the kernel");
  EXPECT_EQ(fate(bytes_of(to_node(53, net::Protocol::kUdp))), "to the kernel");
  EXPECT_EQ(fate(echo_of(to_node(0), 8)), "to the kernel");
  EXPECT_EQ(fate(echo_of(from_client(), 8)), "packets=1 echo_replies=1") << "the VIP is ours";
}

TEST_F(GoldenOwnedPort, AVipsPortThatNoServiceHasIsTheNodesOwn) {
  EXPECT_EQ(fate(bytes_of(from_client(5000, net::kTcpSyn, 22))), "to the kernel");
  EXPECT_EQ(fate(bytes_of(from_client())), "packets=1 created=1 connections=1");
}

TEST_F(GoldenOwnedPort, WhatARealServerSaysToTheNodeAndWhatToAClient) {
  // As the answer to a health check.
  Datagram answer = from_server(5000, net::kTcpSyn | net::kTcpAck);
  answer.to = kNames.outside_mac;
  answer.destination = {kOwn, 41000};
  EXPECT_EQ(fate(bytes_of(answer)), "to the kernel");
  answer.destination = {kNames.far_client, 41000};
  EXPECT_EQ(fate(bytes_of(answer)), "packets=1 no_connection=1") << "a service's late answer";
  answer.source = {kNames.server1, 9999};
  EXPECT_EQ(fate(bytes_of(answer)), "to the kernel") << "to be routed, from no service's port";
}

TEST_F(GoldenOwnedPort, GroupsAndOtherProtocolsAndOthersFrames) {
  Datagram group = to_node(5353, net::Protocol::kUdp);
  group.to = mac("01:00:5e:00:00:fb");
  group.destination = {ip("224.0.0.251"), 5353};
  EXPECT_EQ(fate(bytes_of(group)), "to the kernel");
  FrameBytes lldp = bytes_of(to_node(0));
  put16(lldp, 12, 0x88cc);
  EXPECT_EQ(fate(lldp), "to the kernel");
  Datagram others = to_node(22);
  others.to = mac("02:00:00:00:99:99");
  EXPECT_EQ(fate(bytes_of(others)), "packets=1 not_for_us=1");
  FrameBytes others_gre = bytes_of(others);
  others_gre[kL3 + 9] = 47;
  fix_ip_checksum(others_gre);
  EXPECT_EQ(fate(others_gre), "packets=1 not_for_us=1");
  Arp others_arp = arp(kOwn, net::kArpReply);
  others_arp.to = others.to;
  EXPECT_EQ(fate(bytes_of(others_arp)), "packets=1 not_for_us=1");
}

TEST_F(GoldenOwnedPort, FragmentsAndErrorsThatConcernNoService) {
  Datagram large = to_node(2049, net::Protocol::kUdp);
  large.payload.assign(2500, 'n');
  large.fragment = 0;
  for (const FrameBytes& fragment : fragments_of(bytes_of(large), 1000)) {
    EXPECT_EQ(fate(fragment), "to the kernel");
  }
  Datagram sent = to_node(33000);
  std::swap(sent.source, sent.destination);
  const FrameBytes error = error_of(to_node(0), 3, 1, 0, packet_of(bytes_of(sent)));
  EXPECT_EQ(fate(error), "to the kernel");
}

TEST_F(GoldenOwnedPort, NeighbourDiscoveryAndIpv6OfTheNode) {
  Datagram d = to_node(22);
  d.source = {net::parse_ip("fe80::2").value(), 5000};
  d.destination = {net::parse_ip("fe80::1").value(), 22};
  EXPECT_EQ(fate(bytes_of(d)), "to the kernel");
  FrameBytes solicitation = bytes_of(d);
  solicitation[kL3 + 6] = 58;
  solicitation[kL3 + 40] = 135;
  EXPECT_EQ(fate(solicitation), "to the kernel");
}

TEST_F(GoldenOwnedPort, AdvertsAreTheKernelsWhenSomebodyElseSpeaksVrrp) {
  FrameBytes advert = bytes_of(to_node(0));
  advert[kL3 + 9] = 112;
  fix_ip_checksum(advert);
  EXPECT_EQ(fate(advert), "packets=1 adverts=1");
  stage.world.ports[kOutside].takes_adverts = false;
  stage.publish();
  EXPECT_EQ(fate(advert), "to the kernel");
}

}  // namespace
}  // namespace keepline::testing
