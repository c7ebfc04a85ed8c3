#include "dataplane/lb/synproxy/cookie.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/golden/frames.h"

namespace keepline::lb {
namespace {

constexpr std::uint32_t kNow_s = 100'000;
constexpr std::uint32_t kSequence = 0xdeadbeef;

FlowKey<net::V4> flow() {
  return {testing::ip("192.0.2.7").be(), testing::ip("192.0.2.100").be(), net::be16(5000),
          net::be16(80), net::Protocol::kTcp};
}

TEST(SynCookies, WhatASynSaidComesBack) {
  const SynCookies cookies(77);
  for (const std::uint16_t mss : {216, 536, 1220, 1300, 1400, 1440, 1460, 8940}) {
    for (std::uint8_t scale = 0; scale <= SynOptions::kNoScale; ++scale) {
      for (const bool selective : {false, true}) {
        const SynOptions options{mss, scale, selective};
        const std::uint32_t cookie = cookies.make(flow(), kSequence, options, kNow_s);
        EXPECT_EQ(cookies.check(flow(), kSequence, cookie, kNow_s), options);
        EXPECT_EQ(SynCookies::options_in(cookie), options);
      }
    }
  }
}

TEST(SynCookies, SegmentsBecomeNoLonger) {
  const SynCookies cookies(77);
  const std::pair<std::uint16_t, std::uint16_t> sizes[] = {
      {0, 216}, {215, 216}, {535, 216}, {1219, 536}, {1459, 1440}, {65535, 8940}};
  for (const auto& [said, kept] : sizes) {
    const std::uint32_t cookie = cookies.make(flow(), kSequence, {said, 7, true}, kNow_s);
    EXPECT_EQ(SynCookies::options_in(cookie).mss, kept) << said;
  }
}

TEST(SynCookies, ForAMinuteAndNoMoreThanTwo) {
  const SynCookies cookies(77);
  for (std::uint32_t begin = kNow_s; begin < kNow_s + 64; begin += 7) {
    const std::uint32_t cookie = cookies.make(flow(), kSequence, {}, begin);
    EXPECT_TRUE(cookies.check(flow(), kSequence, cookie, begin + 64));
    for (std::uint32_t later = 128; later < 1024; later += 13) {
      EXPECT_FALSE(cookies.check(flow(), kSequence, cookie, begin + later)) << later;
    }
  }
}

TEST(SynCookies, NothingElseIsOne) {
  const SynCookies cookies(77);
  const std::uint32_t cookie = cookies.make(flow(), kSequence, {1460, 7, true}, kNow_s);
  EXPECT_FALSE(cookies.check(flow(), kSequence + 1, cookie, kNow_s));
  EXPECT_FALSE(SynCookies(78).check(flow(), kSequence, cookie, kNow_s));
  FlowKey<net::V4> other = flow();
  other.source_port.set(5001);
  EXPECT_FALSE(cookies.check(other, kSequence, cookie, kNow_s));
  other = flow();
  other.source = testing::ip("192.0.2.8").be();
  EXPECT_FALSE(cookies.check(other, kSequence, cookie, kNow_s));
  for (int bit = 0; bit < 32; ++bit) {
    EXPECT_FALSE(cookies.check(flow(), kSequence, cookie ^ 1u << bit, kNow_s)) << bit;
  }
}

// A guess is right once in four million times; two periods are tried.
TEST(SynCookies, GuessesAreNearlyAllWrong) {
  const SynCookies cookies(77);
  std::mt19937 random(5);
  int right = 0;
  for (int i = 0; i < 2'000'000; ++i) {
    right +=
        cookies.check(flow(), kSequence, static_cast<std::uint32_t>(random()), kNow_s).has_value();
  }
  EXPECT_LE(right, 5);
}

TEST(SynCookies, Ipv6) {
  const SynCookies cookies(77);
  FlowKey<net::V6> v6{net::parse_ip("2001:db8::7")->v6(), net::parse_ip("2001:db8::100")->v6(),
                      net::be16(5000), net::be16(80), net::Protocol::kTcp};
  const std::uint32_t cookie = cookies.make(v6, kSequence, {1440, 3, true}, kNow_s);
  EXPECT_EQ(cookies.check(v6, kSequence, cookie, kNow_s), (SynOptions{1440, 3, true}));
  v6.source = net::parse_ip("2001:db8::8")->v6();
  EXPECT_FALSE(cookies.check(v6, kSequence, cookie, kNow_s));
}

}  // namespace
}  // namespace keepline::lb
