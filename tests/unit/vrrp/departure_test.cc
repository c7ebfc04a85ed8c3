// How long a stopping master goes on serving.
#include "vrrp/handover/departure.h"

#include <gtest/gtest.h>

#include "vrrp/types.h"

namespace keepline::vrrp {
namespace {

TEST(Departure, WaitsForTheSkewAndSomeSlack) {
  const Departure departure(kSecond_us, 5);
  EXPECT_EQ(departure.end_us(), 5 + kSecond_us + Departure::kSlack_us);
  EXPECT_FALSE(departure.is_succeeded());
}

TEST(Departure, ASuccessorEndsTheWaitAfterAMoment) {
  Departure departure(kSecond_us, 0);
  departure.handle_successor(600'000);
  EXPECT_TRUE(departure.is_succeeded());
  EXPECT_EQ(departure.end_us(), 600'000 + Departure::kLinger_us);
}

TEST(Departure, ALateSuccessorHasItsMomentToo) {
  Departure departure(kSecond_us, 0);
  const std::int64_t end_us = departure.end_us();
  departure.handle_successor(end_us - 1);
  EXPECT_EQ(departure.end_us(), end_us - 1 + Departure::kLinger_us);
}

TEST(Departure, OneThatIsHeardAfterTheEndProlongsNothing) {
  Departure departure(kSecond_us, 0);
  const std::int64_t end_us = departure.end_us();
  departure.handle_successor(end_us);
  EXPECT_EQ(departure.end_us(), end_us);
}

}  // namespace
}  // namespace keepline::vrrp
