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

TEST(Lingering, WhoForwardsLeadsClientsOnBeforeItsEnd) {
  constexpr std::int64_t kEnd_us = 500'000;
  constexpr std::int64_t kLeads_us = kEnd_us - Lingering::kLed_us;
  Lingering lingering;
  lingering.answer(kEnd_us);
  EXPECT_EQ(lingering.next_us(), kEnd_us);
  EXPECT_FALSE(lingering.leads(kEnd_us)) << "it answers still";
  lingering.forward(kEnd_us);
  EXPECT_EQ(lingering.next_us(), kLeads_us);
  EXPECT_FALSE(lingering.leads(kLeads_us - 1));
  EXPECT_TRUE(lingering.leads(kLeads_us));
  lingering.handle_led();
  EXPECT_FALSE(lingering.leads(kLeads_us)) << "once";
  EXPECT_EQ(lingering.next_us(), kEnd_us);
  lingering.forward(kEnd_us);
  EXPECT_TRUE(lingering.leads(kLeads_us)) << "others may have been led here meanwhile";
}

}  // namespace
}  // namespace keepline::vrrp
