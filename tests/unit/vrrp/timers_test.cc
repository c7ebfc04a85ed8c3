#include "vrrp/timers.h"

#include <gtest/gtest.h>

namespace keepline::vrrp {
namespace {

constexpr TimerBase v2(std::uint8_t priority, std::uint8_t adverts = 3) {
  return {Version::k2, kSecond_us, priority, adverts};
}
constexpr TimerBase v3(std::int64_t interval_us, std::uint8_t priority, std::uint8_t adverts = 3) {
  return {Version::k3, interval_us, priority, adverts};
}

TEST(Timers, Skew) {
  EXPECT_EQ(skew_us(v2(100)), 609'375);  // 156/256 s
  EXPECT_EQ(skew_us(v2(255)), 3'906);
  EXPECT_EQ(skew_us(v3(10'000, 100)), 6'093);
  EXPECT_EQ(skew_us(v3(10'000, 254)), 78);
  EXPECT_EQ(skew_us(v3(40'950'000, 1)), 40'790'039);
}

TEST(Timers, Version2SkewDoesNotScaleWithTheInterval) {
  TimerBase slow = v2(100);
  slow.interval_us = 255 * kSecond_us;
  EXPECT_EQ(skew_us(slow), 609'375);
  EXPECT_EQ(master_down_us(slow), 765'609'375);
}

TEST(Timers, MasterDown) {
  EXPECT_EQ(master_down_us(v2(100)), 3'609'375);
  EXPECT_EQ(master_down_us(v2(100, 5)), 5'609'375);
  EXPECT_EQ(master_down_us(v3(10'000, 100)), 36'093);
}

TEST(Timers, ShortenedStart) {
  EXPECT_EQ(shortened_start_us(v2(100)), 1'003'906);
  EXPECT_EQ(shortened_start_us(v3(500'000, 100)), 501'953);
}

TEST(Timers, LeaseEndsBeforeAnyPeerTakesOverAndAfterTheNextAdvert) {
  for (const std::int64_t interval_us : {10'000, 500'000, 1'000'000, 40'950'000}) {
    for (int adverts = 1; adverts <= 100; ++adverts) {
      for (int peer = 1; peer <= 255; ++peer) {
        const auto n = static_cast<std::uint8_t>(adverts);
        const auto p = static_cast<std::uint8_t>(peer);
        const TimerBase base = v3(interval_us, p, n);
        ASSERT_LT(lease_us(base), master_down_us(base)) << interval_us << ' ' << adverts;
        ASSERT_GT(lease_us(base), interval_us) << interval_us << ' ' << adverts;
      }
    }
  }
  EXPECT_EQ(lease_us(v2(100)), 3'000'000);
}

TEST(Timers, PauseLimitToleratesALateTickAndNeverExceedsTheLeaseOfAFitNode) {
  EXPECT_EQ(pause_limit_us(v3(10'000, 100), false), 20'000);
  EXPECT_EQ(pause_limit_us(v3(10'000, 100), true), 30'000);
  EXPECT_EQ(pause_limit_us(v3(10'000, 100, 2), false), 20'000);
  EXPECT_EQ(pause_limit_us(v3(10'000, 100, 10), false), 90'000);
  EXPECT_EQ(pause_limit_us(v3(10'000, 100, 1), false), 20'000);
}

}  // namespace
}  // namespace keepline::vrrp
