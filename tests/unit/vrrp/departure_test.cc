// How long a stopping master goes on serving.
#include "vrrp/handover/departure.h"

#include <gtest/gtest.h>

namespace keepline::vrrp {
namespace {

InstanceConfig config_of(Version version, std::int64_t advert_interval_us) {
  InstanceConfig config;
  config.version = version;
  config.advert_interval_us = advert_interval_us;
  return config;
}

TEST(Departure, WaitsForTheLongestSkewOfItsVersion) {
  const Departure two(config_of(Version::k2, 120 * kSecond_us), 5);
  EXPECT_EQ(two.end_us(), 5 + kSecond_us + Departure::kSlack_us);
  const Departure three(config_of(Version::k3, 10 * kCentisecond_us), 5);
  EXPECT_EQ(three.end_us(), 5 + 10 * kCentisecond_us + Departure::kSlack_us);
}

TEST(Departure, ASuccessorEndsTheWaitAfterAMoment) {
  Departure departure(config_of(Version::k2, kSecond_us), 0);
  EXPECT_EQ(departure.handle_successor(600'000), Departure::News::kFirst);
  EXPECT_EQ(departure.end_us(), 600'000 + Departure::kLinger_us);
  EXPECT_EQ(departure.handle_successor(610'000), Departure::News::kKnown);
  EXPECT_EQ(departure.end_us(), 600'000 + Departure::kLinger_us);
}

TEST(Departure, ALateSuccessorHasItsMomentToo) {
  Departure departure(config_of(Version::k2, kSecond_us), 0);
  const std::int64_t end_us = departure.end_us();
  departure.handle_successor(end_us - 1);
  EXPECT_EQ(departure.end_us(), end_us - 1 + Departure::kLinger_us);
}

TEST(Departure, OneThatIsHeardAfterTheEndProlongsNothing) {
  Departure departure(config_of(Version::k2, kSecond_us), 0);
  const std::int64_t end_us = departure.end_us();
  EXPECT_EQ(departure.handle_successor(end_us), Departure::News::kFirst);
  EXPECT_EQ(departure.end_us(), end_us);
}

}  // namespace
}  // namespace keepline::vrrp
