#include "dataplane/neigh/arp.h"

#include <gtest/gtest.h>

#include "tests/golden/frames.h"

namespace keepline::neigh {
namespace {

using testing::hex;
using testing::ip;
using testing::mac;

TEST(Arp, TheReplyByteForByte) {
  std::vector<std::uint8_t> frame = {
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x08, 0x06,  // link
      0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,               // request
      0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0xc0, 0x00, 0x02, 0x07,   // sender
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x02, 0x64};  // target
  const net::Packet packet{frame.data(), nullptr, static_cast<std::uint16_t>(frame.size()), 0};
  make_arp_reply(packet, mac("00:00:5e:00:01:33"));
  EXPECT_EQ(hex(frame),
            "0200 0000 000a 0000 5e00 0133 0806 "  // to the frame's sender
            "0001 0800 0604 0002 "
            "0000 5e00 0133 c000 0264 "
            "0200 0000 000b c000 0207");  // to the ARP sender
}

TEST(Arp, TheAnnouncementByteForByte) {
  const ArpFrame frame = make_gratuitous_arp(ip("192.0.2.100"), mac("00:00:5e:00:01:33"));
  EXPECT_EQ(hex(frame),
            "ffff ffff ffff 0000 5e00 0133 0806 "
            "0001 0800 0604 0001 "
            "0000 5e00 0133 c000 0264 "
            "ffff ffff ffff c000 0264");
}

}  // namespace
}  // namespace keepline::neigh
