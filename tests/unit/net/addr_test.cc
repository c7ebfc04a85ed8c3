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

TEST(Addr, RoundTripsEndpoint) {
  for (const char* text : {"10.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[2001:db8::1]:80"}) {
    ASSERT_TRUE(parse_endpoint(text)) << text;
    EXPECT_EQ(to_string(*parse_endpoint(text)), text);
  }
}

TEST(Addr, RejectsWhatIsNoEndpoint) {
  for (const char* text : {"", ":", ":80", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:-1",
                           "10.0.0.1:+1", "10.0.0.1: 80", "10.0.0.1:80x", "[10.0.0.1]:80",
                           "2001:db8::1:80", "[::1]", "[::1]80", "[]:80", "[:80", "::1]:80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(Addr, PrefixContains) {
  const Prefix4 network{*parse_ip4("10.0.0.7"), 24};
  EXPECT_TRUE(network.contains(*parse_ip4("10.0.0.255")));
  EXPECT_FALSE(network.contains(*parse_ip4("10.0.1.0")));
  EXPECT_TRUE((Prefix4{Ip4(), 0}.contains(*parse_ip4("1.2.3.4"))));
}

TEST(Addr, PrefixOfEitherFamily) {
  const auto contains = [](const char* network, unsigned length, const char* address) {
    return Prefix{*parse_ip(network), static_cast<std::uint8_t>(length)}.contains(
        *parse_ip(address));
  };
  EXPECT_TRUE(contains("2001:db8::1", 64, "2001:db8::ffff:0:0:1"));
  EXPECT_FALSE(contains("2001:db8::1", 64, "2001:db8:0:1::1"));
  EXPECT_TRUE(contains("2001:db8::", 61, "2001:db8:0:7::1"));
  EXPECT_FALSE(contains("2001:db8::", 61, "2001:db8:0:8::1"));
  EXPECT_TRUE(contains("2001:db8::1", 128, "2001:db8::1"));
  EXPECT_FALSE(contains("2001:db8::1", 128, "2001:db8::2"));
  EXPECT_TRUE(contains("::", 0, "2001:db8::2"));
  EXPECT_TRUE(contains("10.0.0.7", 24, "10.0.0.255"));
  EXPECT_FALSE(contains("10.0.0.7", 24, "10.0.1.0"));
  // The families have no network in common.
  EXPECT_FALSE(contains("::", 0, "10.0.0.7"));
  EXPECT_FALSE(contains("0.0.0.0", 0, "::a00:7"));
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
