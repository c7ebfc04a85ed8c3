// A VIP of no_accept: its services work, and the node itself takes nothing by it.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr net::PortId kKernel = 2;  // the TAP of the outside port
constexpr const char* kRefused = "packets=1 not_accepted=1";
constexpr std::uint8_t kRouterSolicitation = 133, kNeighbourAdvertisement = 136;

class GoldenNoAccept : public ::testing::TestWithParam<bool> {
 protected:
  GoldenNoAccept() {
    stage.world.vips[0].accept = false;
    stage.world.vips.push_back(
        {kNames.vip6, kOutside, kLease, kNames.virtual_mac, true, false, false});
    stage.world.ip_forward = true;
    if (is_owned()) {
      stage.world.ports.resize(3);
      stage.world.ports[kOutside].kernel = kKernel;
      stage.world.ports[kKernel].nic = kOutside;
    }
    stage.publish();
  }
  static bool is_owned() { return GetParam(); }

  // What was counted of a frame from outside; it is an error that anything was sent.
  std::string fate(const FrameBytes& frame) {
    EXPECT_EQ(text(stage.put(kOutside, frame)), kNothing);
    return stage.counters();
  }
  static Datagram to_vip6() {
    Datagram d = from_client(5000, net::kTcpSyn, 22);
    d.source.address = kNames.client6;
    d.destination.address = kNames.vip6;
    return d;
  }

  Stage stage;
};

TEST_P(GoldenNoAccept, PingsAreNotAnswered) {
  EXPECT_EQ(fate(echo_of(from_client(), net::kIcmpEchoRequest)), kRefused);
  EXPECT_EQ(fate(error_of(to_vip6(), net::kIcmp6EchoRequest, 0, 0, {})), kRefused);
}

TEST_P(GoldenNoAccept, NoPortButThoseOfServices) {
  EXPECT_EQ(fate(bytes_of(from_client(5000, net::kTcpSyn, 22))), kRefused);
  EXPECT_EQ(fate(bytes_of(to_vip6())), kRefused);
  stage.arrive(kOutside, bytes_of(from_client()));
  stage.turn();
  EXPECT_EQ(stage.take_sent(kInside).size(), 1u);
  EXPECT_EQ(stage.counters(), "packets=1 created=1 connections=1");
}

TEST_P(GoldenNoAccept, NeitherOtherProtocolsNorErrorsNorFragments) {
  FrameBytes other = bytes_of(from_client());
  other[23] = 47;
  fix_ip_checksum(other);
  EXPECT_EQ(fate(other), kRefused);
  EXPECT_EQ(fate(echo_of(from_client(), net::kIcmpUnreachable)), kRefused);
  Datagram fragment = from_client(5000, net::kTcpSyn, 22);
  FrameBytes later = bytes_of(fragment);
  put16(later, 20, 100);
  fix_ip_checksum(later);
  EXPECT_EQ(fate(later), kRefused);
}

TEST_P(GoldenNoAccept, NorByTheMacOfAGroup) {
  Datagram d = from_client(5000, net::kTcpSyn, 22);
  d.to = net::kBroadcastMac;
  EXPECT_EQ(fate(bytes_of(d)), kRefused);
}

TEST_P(GoldenNoAccept, ArpIsAnsweredAndNeighbourDiscoveryIsTheKernels) {
  Arp arp;
  arp.to = net::kBroadcastMac;
  arp.from = arp.sender_mac = kNames.client_mac;
  arp.operation = net::kArpRequest;
  arp.sender = kNames.client;
  arp.target = kNames.vip;
  EXPECT_EQ(stage.put(kOutside, bytes_of(arp)).size(), 1u);
  EXPECT_EQ(stage.counters(), "packets=1 arp_replies=1");
  for (const std::uint8_t type : {kRouterSolicitation, kNeighbourAdvertisement}) {
    stage.put(kOutside, error_of(to_vip6(), type, 0, 0, {}));
    EXPECT_EQ(stage.counters(), is_owned() ? "packets=1 to_kernel=1" : "packets=1 unknown=1");
  }
}

TEST_P(GoldenNoAccept, WhereItIsNotItIsLikeAnyOther) {
  stage.revoke();
  EXPECT_EQ(fate(echo_of(from_client(), net::kIcmpEchoRequest)), "packets=1 not_master=1");
  Datagram to_mac = from_client(5000, net::kTcpSyn, 22);
  to_mac.to = kNames.outside_mac;
  stage.put(kOutside, bytes_of(to_mac));
  EXPECT_EQ(stage.counters(), is_owned() ? "packets=1 to_kernel=1" : "packets=1 no_neighbour=1")
      << "on its way to the master";
}

INSTANTIATE_TEST_SUITE_P(Ports, GoldenNoAccept, ::testing::Bool(),
                         [](const auto& each) { return each.param ? "Owned" : "Steered"; });

}  // namespace
}  // namespace keepline::testing
