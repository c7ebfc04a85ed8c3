// Every way to be dropped, and what is next to it and passes.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

using net::kTcpAck;
using net::kTcpSyn;

// What becomes of one frame from outside on a fresh stage: the counters, nothing having been sent.
std::string dropped(const FrameBytes& frame) {
  Stage stage;
  const auto sent = frame.size() < 12 ? stage.put(kOutside, frame) : stage.refused(kOutside, frame);
  return sent.empty() ? stage.counters() : "sent " + text(sent);
}

TEST(GoldenDrop, TruncatedAtEveryLength) {
  for (const net::Protocol protocol : {net::Protocol::kTcp, net::Protocol::kUdp}) {
    Datagram d = from_client(5000, kTcpSyn, protocol == net::Protocol::kTcp ? 80 : 53);
    d.protocol = protocol;
    d.payload = "payload";
    d.options = 8;
    const FrameBytes whole = bytes_of(d);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const FrameBytes frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_EQ(dropped(frame), "packets=1 truncated=1") << length;
    }
    Stage stage;
    EXPECT_EQ(stage.put(kOutside, whole).size(), 1u);
  }
}

TEST(GoldenDrop, TotalLengthThatCutsTheTransportHeaderShort) {
  const FrameBytes whole = bytes_of(from_client());
  for (unsigned total = 20; total < 40; ++total) {
    FrameBytes frame = whole;
    put16(frame, kL3 + 2, total);
    fix_ip_checksum(frame);
    EXPECT_EQ(dropped(frame), "packets=1 truncated=1") << total;
  }
}

TEST(GoldenDrop, TotalLengthBeyondTheFrame) {
  FrameBytes frame = bytes_of(from_client());
  put16(frame, kL3 + 2, 41);
  fix_ip_checksum(frame);
  EXPECT_EQ(dropped(frame), "packets=1 truncated=1");
}

TEST(GoldenDrop, TotalLengthBelowTheHeaders) {
  for (unsigned total = 0; total < 20; ++total) {
    FrameBytes frame = bytes_of(from_client());
    put16(frame, kL3 + 2, total);
    fix_ip_checksum(frame);
    EXPECT_EQ(dropped(frame), "packets=1 bad_ip_header=1") << total;
  }
}

TEST(GoldenDrop, HeaderLengthBelowTheLeast) {
  for (std::uint8_t ihl = 0; ihl < 5; ++ihl) {
    FrameBytes frame = bytes_of(from_client());
    frame[kL3] = static_cast<std::uint8_t>(0x40 + ihl);
    EXPECT_EQ(dropped(frame), "packets=1 bad_ip_header=1") << int{ihl};
  }
}

TEST(GoldenDrop, HeaderLengthBeyondThePacket) {
  FrameBytes frame = bytes_of(from_client());
  frame[kL3] = 0x4f;  // 60 bytes, of a packet of 40
  EXPECT_EQ(dropped(frame), "packets=1 truncated=1");
  frame.resize(kL3 + 60);
  EXPECT_EQ(dropped(frame), "packets=1 bad_ip_header=1");
}

TEST(GoldenDrop, AnyVersionButFour) {
  for (unsigned version = 0; version < 16; ++version) {
    if (version == 4) continue;
    FrameBytes frame = bytes_of(from_client());
    frame[kL3] = static_cast<std::uint8_t>(version << 4 | 5);
    fix_ip_checksum(frame);
    EXPECT_EQ(dropped(frame), "packets=1 bad_ip_header=1") << version;
  }
}

TEST(GoldenDrop, AnyWrongBitOfTheIpHeader) {
  for (std::size_t bit = 0; bit < 20 * 8; ++bit) {
    FrameBytes frame = bytes_of(from_client());
    frame[kL3 + bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    const std::string counters = dropped(frame);
    const bool counted =
        counters == "packets=1 bad_ip_header=1" || counters == "packets=1 truncated=1";  // lengths
    EXPECT_TRUE(counted) << bit << ' ' << counters;
  }
}

// See fragment_test.cc.
TEST(GoldenDrop, FragmentsWithoutAFirstOne) {
  for (const unsigned fragment : {0x0001u, 0x1fffu, 0x2001u}) {
    Datagram d = from_client();
    d.fragment = static_cast<std::uint16_t>(fragment);
    EXPECT_EQ(dropped(bytes_of(d)), "packets=1 fragment=1") << fragment;
  }
  for (const unsigned whole : {0x0000u, 0x4000u, 0x8000u}) {
    Datagram d = from_client();
    d.fragment = static_cast<std::uint16_t>(whole);
    Stage stage;
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(d))), text(to_server(d)));
  }
}

TEST(GoldenDrop, FramesToAnotherMac) {
  for (const net::Mac& to : {net::kBroadcastMac, mac("01:00:5e:00:00:12"), kNames.inside_mac}) {
    Datagram d = from_client();
    d.to = to;
    EXPECT_EQ(dropped(bytes_of(d)), "packets=1 not_for_us=1");
    d.fragment = 0x2000;
    EXPECT_EQ(dropped(bytes_of(d)), "packets=1 not_for_us=1");
  }
}

TEST(GoldenDrop, ThePortsOwnMacIsAsGoodAsTheVirtualOne) {
  Stage stage;
  Datagram d = from_client();
  d.to = kNames.outside_mac;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(d))), text(to_server(d)));
}

TEST(GoldenDrop, TheVirtualMacIsOnlyOnItsPort) {
  Stage stage;
  Datagram d = from_client();
  EXPECT_EQ(text(stage.put(kInside, bytes_of(d))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 not_for_us=1");
}

TEST(GoldenDrop, TimeToLiveAtItsEnd) {
  for (const std::uint8_t ttl : {0, 1}) {
    Datagram d = from_client();
    d.ttl = ttl;
    EXPECT_EQ(dropped(bytes_of(d)), "packets=1 created=1 refusals=1 ttl_expired=1 connections=1");
  }
  Datagram d = from_client();
  d.ttl = 2;
  Stage stage;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(d))), text(to_server(d)));
}

TEST(GoldenDrop, LongerThanTheMtuOfTheWayOut) {
  Stage stage;
  stage.world.ports[kInside].mtu = 100;
  stage.publish();
  Datagram d = from_client();
  d.payload = std::string(60, 'x');
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(d))), text(to_server(d)));
  d.payload += 'x';
  EXPECT_EQ(text(stage.refused(kOutside, bytes_of(d))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=2 created=1 refusals=1 too_big=1 connections=1");
}

TEST(GoldenDrop, NoWayToTheServer) {
  Stage stage;
  stage.world.neighbours.clear();
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 created=1 no_neighbour=1 connections=1");
  stage.world.routes.clear();
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_route=1 connections=1");
  // A route through an interface that is no port.
  stage.world.routes = {{{ip("10.0.0.0"), 8}, net::kNoPort, {}, 0}};
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_route=1 connections=1");
}

TEST(GoldenDrop, TcpWithoutSynThatBelongsToNothing) {
  for (const unsigned flags : {0x10u, 0x04u, 0x11u, 0x12u, 0x00u}) {
    EXPECT_EQ(dropped(bytes_of(from_client(5000, static_cast<std::uint8_t>(flags)))),
              "packets=1 no_connection=1")
        << flags;
  }
}

TEST(GoldenDrop, KindsThatNobodyHandles) {
  FrameBytes ipv6(60);
  put16(ipv6, 12, 0x86dd);
  EXPECT_EQ(dropped(ipv6), "packets=1 bad_ip_header=1");
  ipv6[kL3] = 0x60;
  ipv6[kL3 + 6] = 58;  // ICMPv6
  EXPECT_EQ(dropped(ipv6), "packets=1 truncated=1");
  ipv6[kL3 + 6] = 59;  // nothing follows
  EXPECT_EQ(dropped(ipv6), "packets=1 unknown=1");
  FrameBytes vlan(60);
  put16(vlan, 12, 0x8100);
  EXPECT_EQ(dropped(vlan), "packets=1 unknown=1");
  FrameBytes dccp = bytes_of(from_client());
  dccp[kL3 + 9] = 33;
  fix_ip_checksum(dccp);
  EXPECT_EQ(dropped(dccp), "packets=1 unknown=1");
}

TEST(GoldenDrop, AdvertsGoToControlWhateverTheyHold) {
  Stage stage;
  FrameBytes advert = bytes_of(from_client());
  advert[kL3 + 9] = 112;
  put16(advert, kL3 + 6, 0x2000);
  stage.revoke();
  EXPECT_EQ(text(stage.put(kOutside, advert)), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 adverts=1");
  EXPECT_EQ(stage.to_control(), 1u);
}

TEST(GoldenDrop, ReturnTrafficWithoutAConnectionIsRoutedOnlyByARouter) {
  Stage stage;
  const Datagram stray = from_server(5000, kTcpAck);
  EXPECT_EQ(text(stage.put(kInside, bytes_of(stray))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
  stage.world.ip_forward = true;
  stage.publish();
  Datagram out = stray;
  out.to = kNames.client_mac;
  out.from = kNames.outside_mac;
  --out.ttl;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(stray))), text(out));
  EXPECT_EQ(stage.counters(), "packets=1");
  Datagram last_hop = stray;
  last_hop.ttl = 1;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(last_hop))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 ttl_expired=1");
  Datagram nobody = stray;
  nobody.destination.address = ip("192.0.2.200");
  EXPECT_EQ(text(stage.put(kInside, bytes_of(nobody))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_neighbour=1");
  stage.world.routes.clear();
  stage.publish();
  EXPECT_EQ(text(stage.put(kInside, bytes_of(stray))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 no_route=1");
}

TEST(GoldenDrop, AnAnswerOfADirectRoutedServerIsNotTranslated) {
  Stage stage;
  stage.world.ip_forward = true;
  stage.publish();
  stage.put(kOutside, bytes_of(from_client(5000, kTcpSyn, 443)));
  Datagram stray = from_server(5000, kTcpAck, {kNames.server2, 443});
  Datagram out = stray;
  out.to = kNames.client_mac;
  out.from = kNames.outside_mac;
  --out.ttl;
  EXPECT_EQ(text(stage.put(kInside, bytes_of(stray))), text(out));
}

TEST(GoldenDrop, AWayOutThatIsNoPortIsNone) {
  Stage stage;
  stage.world.routes[1].port = 2;  // the snapshot has two
  stage.world.neighbours[2].port = 2;
  stage.publish();
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(from_client()))), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 created=1 no_route=1 connections=1");
}

}  // namespace
}  // namespace keepline::testing
