// Neighbour discovery and ICMPv6 echo for IPv6 VIPs: who is answered, with what, and who is not.
#include <gtest/gtest.h>

#include "dataplane/neigh/claim.h"
#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr net::Mac kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};
constexpr std::size_t kIcmp = kL3 + 40;

World world_with_vip6() {
  World world = usual_world();
  lb::Vip vip = world.vips[0];
  vip.address = kNames.vip6;
  world.vips.push_back(vip);
  return world;
}

void fix_icmp6(FrameBytes& frame) {
  put16(frame, kIcmp + 2, 0);
  put16(frame, kIcmp + 2,
        reference_checksum(net::Bytes(frame).subspan(kIcmp),
                           pseudo_sum(frame, kL3, net::Protocol::kIcmp6, frame.size() - kIcmp)));
}

void append(FrameBytes& frame, const net::IpAddr& address) {
  frame.insert(frame.end(), address.v6().bytes.begin(), address.v6().bytes.end());
}

// An ICMPv6 message whose body, after type and code, is `body`.
FrameBytes icmp6(const Datagram& d, std::uint8_t type, const FrameBytes& body) {
  Datagram datagram = d;
  datagram.protocol = net::Protocol::kIcmp6;
  FrameBytes frame;
  append_ip_header(frame, datagram, 4 + body.size());
  append16(frame, static_cast<unsigned>(type) << 8);
  append16(frame, 0);
  frame.insert(frame.end(), body.begin(), body.end());
  fix_icmp6(frame);
  return frame;
}

Datagram ends(const net::IpAddr& from, const net::IpAddr& to, std::uint8_t hops) {
  Datagram d = from_client();
  d.source.address = from;
  d.destination.address = to;
  d.ttl = hops;
  return d;
}

// RFC 4861 §4.3, to the group of the address, with the sender's link address.
FrameBytes solicitation(bool with_option = true, const net::IpAddr& from = kNames.client6,
                        const net::IpAddr& target = kNames.vip6) {
  Datagram d = ends(from, *net::parse_ip("ff02::1:ff00:100"), 255);
  d.to = mac("33:33:ff:00:01:00");
  FrameBytes body(4);
  append(body, target);
  if (with_option) {
    body.insert(body.end(), {1, 1});
    body.insert(body.end(), kNames.client_mac.bytes.begin(), kNames.client_mac.bytes.end());
  }
  return icmp6(d, 135, body);
}

// RFC 4861 §4.4: solicited and override.
FrameBytes advertisement(const net::IpAddr& to = kNames.client6, std::uint8_t flags = 0x60,
                         const net::Mac& link = kNames.client_mac) {
  Datagram d = ends(kNames.vip6, to, 255);
  d.from = kNames.virtual_mac;
  d.to = link;
  FrameBytes body = {flags, 0, 0, 0};
  append(body, kNames.vip6);
  body.insert(body.end(), {2, 1});
  body.insert(body.end(), kNames.virtual_mac.bytes.begin(), kNames.virtual_mac.bytes.end());
  FrameBytes frame = icmp6(d, 136, body);
  put16(frame, kL3, 0x6000);
  put16(frame, kL3 + 2, 0);
  return frame;
}

class GoldenNd : public ::testing::Test {
 protected:
  GoldenNd() {
    stage.world = world_with_vip6();
    stage.publish();
  }
  std::string put(const FrameBytes& frame, net::PortId port = kOutside) {
    return text(stage.put(port, frame));
  }
  Stage stage;
};

TEST_F(GoldenNd, TheMasterAnswersAndReportsWhoAsked) {
  EXPECT_EQ(put(solicitation()), text(advertisement()));
  EXPECT_EQ(stage.counters(), "packets=1 arp_replies=1");
  EXPECT_EQ(stage.neighbours(),
            net::to_string(net::IpAddr(kNames.client6)) + "@02:00:00:00:0c:07%0");
}

TEST_F(GoldenNd, WithoutAnOptionTheFrameGrows) {
  EXPECT_EQ(put(solicitation(false)), text(advertisement()));
}

TEST_F(GoldenNd, ARouterSaysThatItIsOne) {
  stage.world.ip_forward = true;
  stage.publish();
  EXPECT_EQ(put(solicitation()), text(advertisement(kNames.client6, 0xe0)));
}

TEST_F(GoldenNd, WhoHasNoAddressYetHearsOfItWithAllOthers) {
  EXPECT_EQ(put(solicitation(false, net::Ip6())),
            text(advertisement(*net::parse_ip("ff02::1"), 0x20, kAllNodesMac)));
  EXPECT_EQ(stage.neighbours(), "");
}

TEST_F(GoldenNd, ABackupIsSilent) {
  stage.revoke();
  EXPECT_EQ(put(solicitation()), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 not_master=1");
}

// See claim_test.cc.
TEST_F(GoldenNd, WhoIsAboutToTakeOverIsHeardAndNotAnswered) {
  const auto frame =
      neigh::make_claim(kNames.vip6.v6(), mac("02:00:00:00:00:99"), mac("33:33:00:00:00:12"));
  const FrameBytes claim(frame.begin(), frame.end());
  EXPECT_EQ(put(claim), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 claims=1");
  for (const std::size_t at : {kL3 + 7, kL3 + 40 + 1, kL3 + 40 + 2}) {
    FrameBytes broken = claim;
    broken[at] ^= 1;
    EXPECT_EQ(put(broken), kNothing);
    EXPECT_EQ(stage.counters(), "packets=1 bad_arp=1") << at;
  }
}

TEST_F(GoldenNd, OnlyItsOwnPortAndAddress) {
  EXPECT_EQ(put(solicitation(), kInside), kNothing);
  EXPECT_EQ(put(solicitation(true, kNames.client6, net::Ip6{{0x20, 1}})), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 unknown=2");
}

TEST_F(GoldenNd, ForgedFromBeyondARouterOrBroken) {
  FrameBytes routed = solicitation();
  routed[kL3 + 7] = 254;
  EXPECT_EQ(put(routed), kNothing);
  FrameBytes coded = solicitation();
  coded[kIcmp + 1] = 1;
  fix_icmp6(coded);
  EXPECT_EQ(put(coded), kNothing);
  FrameBytes broken = solicitation();
  broken[kIcmp + 3] ^= 1;
  EXPECT_EQ(put(broken), kNothing);
  EXPECT_EQ(stage.counters(), "packets=3 bad_arp=3");
}

TEST_F(GoldenNd, PingsAreAnsweredExactly) {
  for (const std::size_t size : {0, 1, 56, 1000}) {
    FrameBytes body = {0x12, 0x34, 0, 7};
    body.resize(body.size() + size, 'p');
    Datagram asked = ends(kNames.client6, kNames.vip6, 1);
    Datagram reply = ends(kNames.vip6, kNames.client6, 64);
    reply.from = kNames.virtual_mac;
    reply.to = kNames.client_mac;
    EXPECT_EQ(put(icmp6(asked, 128, body)), text(icmp6(reply, 129, body))) << size;
    FrameBytes broken = icmp6(asked, 128, body);
    broken.back() ^= 1;
    EXPECT_EQ(put(broken), kNothing);
  }
  EXPECT_EQ(stage.counters(), "packets=8 echo_replies=4 bad_icmp=4");
}

TEST_F(GoldenNd, AdvertsGoToControl) {
  Datagram d = ends(kNames.client6, *net::parse_ip("ff02::12"), 255);
  d.to = mac("33:33:00:00:00:12");
  FrameBytes advert = icmp6(d, 0x31, FrameBytes(20));
  advert[kL3 + 6] = 112;
  EXPECT_EQ(put(advert), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 adverts=1");
}

}  // namespace
}  // namespace keepline::testing
