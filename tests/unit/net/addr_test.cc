#include "dataplane/net/addr.h"

#include <gtest/gtest.h>

namespace keepline::net {
namespace {

TEST(Addr, RoundTripsIp4) {
  for (const char* text : {"0.0.0.0", "10.0.0.1", "255.255.255.255"}) {
    ASSERT_TRUE(parse_ip4(text)) << text;
    EXPECT_EQ(to_string(*parse_ip4(text)), text);
  }
}

TEST(Addr, RejectsWhatIsNoIp4) {
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4/24", "01.2.3.4x"}) {
    EXPECT_FALSE(parse_ip4(text)) << text;
  }
}

TEST(Addr, ParsesEitherFamily) {
  EXPECT_TRUE(parse_ip("10.1.2.3")->is_v4());
  EXPECT_TRUE(parse_ip("2001:db8::1")->is_v6());
  EXPECT_EQ(to_string(*parse_ip("2001:db8:0::1")), "2001:db8::1");
  EXPECT_FALSE(parse_ip("2001:db8::1::2"));
}

TEST(Addr, RoundTripsMac) {
  EXPECT_EQ(to_string(*parse_mac("00:00:5e:00:01:33")), "00:00:5e:00:01:33");
  EXPECT_FALSE(parse_mac("00:00:5e:00:01"));
  EXPECT_FALSE(parse_mac("00-00-5e-00-01-33"));
}

TEST(Addr, PrefixContains) {
  const Prefix4 network{*parse_ip4("10.0.0.7"), 24};
  EXPECT_TRUE(network.contains(*parse_ip4("10.0.0.255")));
  EXPECT_FALSE(network.contains(*parse_ip4("10.0.1.0")));
  EXPECT_TRUE((Prefix4{Ip4(), 0}.contains(*parse_ip4("1.2.3.4"))));
}

TEST(Addr, WireOrderIsNetworkOrder) {
  const be32 wire = parse_ip4("1.2.3.4")->be();
  std::uint8_t bytes[4];
  std::memcpy(bytes, &wire, 4);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[3], 4);
}

}  // namespace
}  // namespace keepline::net
