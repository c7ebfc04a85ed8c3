// How long a master forwards that was succeeded.
#include "vrrp/handover/lingering.h"

#include <gtest/gtest.h>

namespace keepline::vrrp {
namespace {

TEST(Lingering, WhoForwardsIsReleasedAtItsEnd) {
  Lingering lingering;
  EXPECT_FALSE(lingering.lingers());
  EXPECT_FALSE(lingering.is_due(1'000'000));
  EXPECT_EQ(lingering.released_us(), 0);
  lingering.forward(1'000);
  EXPECT_TRUE(lingering.lingers());
  EXPECT_FALSE(lingering.answers());
  EXPECT_FALSE(lingering.is_due(999));
  EXPECT_TRUE(lingering.is_due(1'000));
  EXPECT_EQ(lingering.released_us(), 1'000);
  lingering.end();
  EXPECT_FALSE(lingering.lingers());
}

TEST(Lingering, WhomItAnswersIsOnHisWayForAnotherMoment) {
  Lingering lingering;
  lingering.answer(1'000);
  EXPECT_TRUE(lingering.answers());
  EXPECT_TRUE(lingering.is_due(1'000));
  EXPECT_EQ(lingering.released_us(), 1'000 + Departure::kLinger_us);
  lingering.forward(2'000);
  EXPECT_FALSE(lingering.answers()) << "its own successor has spoken";
  EXPECT_EQ(lingering.until_us(), 2'000);
}

}  // namespace
}  // namespace keepline::vrrp
