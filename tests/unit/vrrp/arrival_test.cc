// A new master until its clients are led to it.
#include "vrrp/handover/arrival.h"

#include <gtest/gtest.h>

namespace keepline::vrrp {
namespace {

TEST(Arrival, ANewMasterLeadsNobodyUntilItIsAnnounced) {
  Arrival arrival;
  EXPECT_FALSE(arrival.leads_nobody());
  arrival.handle_lease();
  arrival.handle_state(true);
  EXPECT_TRUE(arrival.leads_nobody());
  arrival.lead();
  EXPECT_FALSE(arrival.leads_nobody());
  arrival.handle_lease();
  EXPECT_FALSE(arrival.leads_nobody()) << "a renewal takes nobody away";
}

TEST(Arrival, WhoIsBackupBeginsAnew) {
  Arrival arrival;
  arrival.handle_lease();
  arrival.handle_state(true);
  arrival.handle_state(false);
  EXPECT_FALSE(arrival.leads_nobody());
  arrival.handle_lease();
  EXPECT_TRUE(arrival.leads_nobody());
}

TEST(Arrival, AMastershipIsClaimedOnce) {
  Arrival arrival;
  EXPECT_EQ(arrival.claim(1'000), Arrival::News::kFirst);
  EXPECT_EQ(arrival.claim(2'000), Arrival::News::kKnown);
  EXPECT_EQ(arrival.claimed_us(), 1'000);
  arrival.handle_state(true);
  EXPECT_EQ(arrival.claim(2'000), Arrival::News::kKnown);
  arrival.handle_state(false);
  EXPECT_EQ(arrival.claim(3'000), Arrival::News::kFirst);
}

}  // namespace
}  // namespace keepline::vrrp
