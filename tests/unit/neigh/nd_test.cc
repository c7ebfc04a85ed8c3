#include "dataplane/neigh/nd.h"

#include <gtest/gtest.h>

#include "tests/golden/frames.h"

namespace keepline::neigh {
namespace {

using testing::u16_at;

constexpr std::size_t kIcmp = 14 + 40;

TEST(Nd, AnUnsolicitedAdvertisementByItsBytes) {
  const net::Ip6 vip = net::parse_ip("2001:db8::100")->v6();
  const net::Mac mac = testing::mac("02:00:00:00:00:01");
  const AdvertisementFrame frame = make_unsolicited_advertisement(vip, mac, Role::kRouter);
  const auto hex = [&](std::size_t from, std::size_t count) {
    std::string text;
    for (std::size_t i = from; i < from + count; ++i) {
      char byte[3];
      std::snprintf(byte, sizeof byte, "%02x", frame[i]);
      text += byte;
    }
    return text;
  };
  EXPECT_EQ(frame.size(), 86u);
  EXPECT_EQ(hex(0, 14),
            "333300000001"
            "020000000001"
            "86dd");
  EXPECT_EQ(hex(14, 8),
            "60000000"
            "0020"
            "3a"
            "ff");
  EXPECT_EQ(hex(22, 16), "20010db8000000000000000000000100");
  EXPECT_EQ(hex(38, 16), "ff020000000000000000000000000001");
  EXPECT_EQ(hex(kIcmp, 2), "8800");
  EXPECT_EQ(hex(kIcmp + 4, 4), "a0000000");
  EXPECT_EQ(hex(kIcmp + 8, 16), "20010db8000000000000000000000100");
  EXPECT_EQ(hex(kIcmp + 24, 8),
            "0201"
            "020000000001");
  EXPECT_EQ(make_unsolicited_advertisement(vip, mac, Role::kHost)[kIcmp + 4], 0x20);
}

TEST(Nd, ItsChecksumCoversThePseudoHeader) {
  for (const char* text : {"2001:db8::100", "fe80::1", "fd00:1:2:3:ffff:fffe:8000:1"}) {
    const AdvertisementFrame frame = make_unsolicited_advertisement(
        net::parse_ip(text)->v6(), testing::mac("02:00:00:00:00:01"), Role::kHost);
    std::uint32_t sum = 58 + 32;
    for (std::size_t at = 22; at < kIcmp; at += 2) sum += u16_at(frame, at);
    const net::Bytes message(frame.data() + kIcmp, frame.size() - kIcmp);
    EXPECT_EQ(testing::reference_checksum(message, sum), 0) << text;
  }
}

}  // namespace
}  // namespace keepline::neigh
