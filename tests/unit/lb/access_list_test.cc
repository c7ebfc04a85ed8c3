#include "dataplane/lb/service/access_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dataplane/net/addr.h"

namespace keepline::lb {
namespace {

using net::Family;

AccessRule rule(const char* address, unsigned length, bool allow) {
  return {{net::parse_ip(address).value(), static_cast<std::uint8_t>(length)}, allow};
}
AccessRule allow(const char* address, unsigned length) {
  return rule(address, length, true);
}
AccessRule deny(const char* address, unsigned length) {
  return rule(address, length, false);
}
bool admits(const AccessList& list, const char* client) {
  return list.admits(net::parse_ip(client).value());
}

TEST(AccessList, WithoutAllowedNetworksWhoIsNotDeniedIsAdmitted) {
  const AccessList list({deny("198.51.100.0", 24), deny("203.0.113.9", 32)}, Family::kV4);
  EXPECT_FALSE(admits(list, "198.51.100.0"));
  EXPECT_FALSE(admits(list, "198.51.100.255"));
  EXPECT_TRUE(admits(list, "198.51.101.0"));
  EXPECT_TRUE(admits(list, "198.51.99.255"));
  EXPECT_FALSE(admits(list, "203.0.113.9"));
  EXPECT_TRUE(admits(list, "203.0.113.8"));
}

TEST(AccessList, WithAllowedNetworksOnlyThose) {
  const AccessList list({allow("10.0.0.0", 8)}, Family::kV4);
  EXPECT_TRUE(admits(list, "10.255.255.255"));
  EXPECT_FALSE(admits(list, "11.0.0.0"));
  EXPECT_FALSE(admits(list, "255.255.255.255"));
}

TEST(AccessList, TheMostSpecificOneDecides) {
  const AccessList list({allow("10.1.2.0", 24), deny("10.1.0.0", 16), allow("10.0.0.0", 8),
                         deny("10.1.2.128", 25), allow("10.1.2.255", 32)},
                        Family::kV4);
  EXPECT_TRUE(admits(list, "10.2.0.1"));
  EXPECT_FALSE(admits(list, "10.1.1.1"));
  EXPECT_TRUE(admits(list, "10.1.2.1"));
  EXPECT_FALSE(admits(list, "10.1.2.200"));
  EXPECT_TRUE(admits(list, "10.1.2.255"));
  EXPECT_FALSE(admits(list, "10.1.3.0"));
  EXPECT_FALSE(admits(list, "192.0.2.1"));
}

TEST(AccessList, DeniedAndAllowedIsDenied) {
  EXPECT_FALSE(
      admits(AccessList({allow("10.0.0.0", 8), deny("10.0.0.0", 8)}, Family::kV4), "10.0.0.1"));
  EXPECT_FALSE(
      admits(AccessList({deny("10.0.0.0", 8), allow("10.0.0.0", 8)}, Family::kV4), "10.0.0.1"));
}

TEST(AccessList, TheEndsOfTheAddresses) {
  const AccessList all4({allow("0.0.0.0", 0), deny("255.255.255.255", 32), deny("0.0.0.0", 32)},
                        Family::kV4);
  EXPECT_FALSE(admits(all4, "0.0.0.0"));
  EXPECT_TRUE(admits(all4, "0.0.0.1"));
  EXPECT_TRUE(admits(all4, "255.255.255.254"));
  EXPECT_FALSE(admits(all4, "255.255.255.255"));
  const AccessList all6({deny("::", 0), allow("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128),
                         allow("2001:db8::", 32)},
                        Family::kV6);
  EXPECT_FALSE(admits(all6, "::1"));
  EXPECT_TRUE(admits(all6, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(admits(all6, "2001:db9::"));
  EXPECT_TRUE(admits(all6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST(AccessList, RulesOfTheOtherFamilyAreNotMeant) {
  const AccessList list({allow("2001:db8::", 32), deny("10.0.0.0", 8)}, Family::kV4);
  EXPECT_TRUE(admits(list, "192.0.2.1"));
  EXPECT_FALSE(admits(list, "10.0.0.1"));
}

// Against a list that is gone through from the longest to the shortest.
TEST(AccessList, EqualsTheDefinition) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<AccessRule> rules;
    for (unsigned i = random() % 12; i-- > 0;) {
      const auto length = static_cast<std::uint8_t>(24 + random() % 9);
      const std::uint32_t address = 0xc6336400 + (random() & 0xff);
      rules.push_back(
          {{net::Ip4(address & (0xffffffffu << (32 - length))), length}, random() % 2 == 0});
    }
    const AccessList list(rules, Family::kV4);
    for (std::uint32_t host = 0; host < 256; ++host) {
      const net::IpAddr client = net::Ip4(0xc6336400 + host);
      bool expected = std::ranges::none_of(rules, &AccessRule::allow);
      int longest = -1;
      for (const AccessRule& each : rules) {
        if (!each.network.contains(client) || each.network.length < longest) continue;
        expected = each.allow && (each.network.length > longest || expected);
        longest = each.network.length;
      }
      ASSERT_EQ(list.admits(client), expected) << round << ' ' << host;
    }
  }
}

TEST(AccessList, AHundredThousandNetworksAreAFewRanges) {
  std::vector<AccessRule> rules;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    rules.push_back({{net::Ip4(0x14000000 + (i << 9)), 24}, false});
  }
  const AccessList list(rules, Family::kV4);
  EXPECT_EQ(list.ranges(), 200'001u);
  for (std::uint32_t i = 0; i < 100'000; i += 997) {
    EXPECT_FALSE(list.admits(net::Ip4(0x14000000 + (i << 9) + 255)));
    EXPECT_TRUE(list.admits(net::Ip4(0x14000000 + (i << 9) + 256)));
  }
}

}  // namespace
}  // namespace keepline::lb
