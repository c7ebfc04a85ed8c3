#include "dataplane/lb/lease.h"

#include <gtest/gtest.h>

namespace keepline::lb {
namespace {

constexpr LeaseSlot kSlot = 3;
constexpr std::uint64_t kTicksPer_s = 10;

// A worker that never paused.
LeaseView at(LeaseTable& table, std::uint64_t now) {
  return {table, now, 0, 0};
}

TEST(Lease, NobodyHoldsWhatWasNotGranted) {
  LeaseTable table(kTicksPer_s);
  EXPECT_FALSE(at(table, 0).holds(kSlot));
  EXPECT_FALSE(at(table, 1).holds(kSlot));
  EXPECT_FALSE(at(table, 1).answers(kSlot));
}

TEST(Lease, AddressesOutsideVrrpAreAlwaysHeld) {
  LeaseTable table(kTicksPer_s);
  EXPECT_TRUE(at(table, 1).holds(kAlwaysOurs));
  EXPECT_TRUE(at(table, 1).answers(kAlwaysOurs));
  EXPECT_TRUE(LeaseView(table, 1000, 1000, 1'000'000).holds(kAlwaysOurs));
}

TEST(Lease, IsHeldUntilItsEndAndNotAtIt) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 100, 200);
  EXPECT_TRUE(at(table, 100).holds(kSlot));
  EXPECT_TRUE(at(table, 199).holds(kSlot));
  EXPECT_FALSE(at(table, 200).holds(kSlot));
  EXPECT_FALSE(at(table, 201).holds(kSlot));
  EXPECT_FALSE(at(table, 150).holds(kSlot + 1));
}

TEST(Lease, IsRenewedAndRevoked) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 100, 200);
  table.grant(kSlot, 150, 250);
  EXPECT_TRUE(at(table, 249).holds(kSlot));
  table.revoke(kSlot);
  EXPECT_FALSE(at(table, 160).holds(kSlot));
  table.grant(kSlot, 170, 270);
  EXPECT_TRUE(at(table, 180).holds(kSlot));
}

TEST(Lease, TheLastSlotIsOneAsWell) {
  LeaseTable table(kTicksPer_s);
  table.grant(kMaxLeases - 1, 100, 200);
  EXPECT_TRUE(at(table, 150).holds(kMaxLeases - 1));
}

TEST(Lease, WhoSleptThroughItWaitsForTheNextGrant) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 100, 200);
  // It came back at 150 after 120 ticks: longer than the whole lease.
  EXPECT_FALSE(LeaseView(table, 151, 150, 120).holds(kSlot));
  EXPECT_FALSE(LeaseView(table, 151, 150, 100).holds(kSlot));  // as long is too long
  EXPECT_TRUE(LeaseView(table, 151, 150, 99).holds(kSlot));
  // Renewed while it slept is not renewed since.
  table.grant(kSlot, 149, 249);
  EXPECT_FALSE(LeaseView(table, 151, 150, 120).holds(kSlot));
  table.grant(kSlot, 150, 250);
  EXPECT_TRUE(LeaseView(table, 151, 150, 120).holds(kSlot));
}

TEST(Lease, AShortPauseMattersToAShortLeaseOnly) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 100, 110);
  table.grant(kSlot + 1, 100, 1000);
  const LeaseView view(table, 106, 105, 20);
  EXPECT_FALSE(view.holds(kSlot));
  EXPECT_TRUE(view.holds(kSlot + 1));
}

TEST(Lease, MutedItIsHeldButDoesNotAnswer) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 100, 200);
  EXPECT_TRUE(at(table, 150).answers(kSlot));
  table.mute(kSlot);
  EXPECT_TRUE(at(table, 150).holds(kSlot));
  EXPECT_FALSE(at(table, 150).answers(kSlot));
  table.grant(kSlot, 160, 260);
  EXPECT_TRUE(at(table, 170).answers(kSlot));
}

TEST(Lease, IsGrantedMuted) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 100, 200, true);
  EXPECT_TRUE(at(table, 150).holds(kSlot));
  EXPECT_FALSE(at(table, 150).answers(kSlot));
  table.grant(kSlot, 150, 200);
  EXPECT_TRUE(at(table, 150).answers(kSlot));
}

TEST(Lease, IsInTwoHandsForAWhileAfterItBegan) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 1000, 1100);
  EXPECT_TRUE(at(table, 1000).changes_hands(kSlot));
  EXPECT_TRUE(at(table, 1000).inherits(kSlot));
  table.grant(kSlot, 1020, 9000);  // renewed: it does not begin anew
  EXPECT_TRUE(at(table, 1029).changes_hands(kSlot));
  EXPECT_FALSE(at(table, 1030).changes_hands(kSlot));
  EXPECT_TRUE(at(table, 2199).inherits(kSlot));
  EXPECT_FALSE(at(table, 2200).inherits(kSlot));
  table.revoke(kSlot);
  table.grant(kSlot, 5000, 5100);
  EXPECT_TRUE(at(table, 5029).changes_hands(kSlot));
  table.grant(kSlot, 5100, 5200);  // it had run out
  EXPECT_TRUE(at(table, 5129).changes_hands(kSlot));
}

TEST(Lease, IsInTwoHandsAgainOnceMuted) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 1000, 9000);
  EXPECT_FALSE(at(table, 2000).changes_hands(kSlot));
  table.mute(kSlot);
  EXPECT_TRUE(at(table, 2000).changes_hands(kSlot));
  EXPECT_FALSE(at(table, 5000).inherits(kSlot));
  table.grant(kSlot, 2010, 9000);
  EXPECT_TRUE(at(table, 2039).changes_hands(kSlot)) << "others had it until now";
  EXPECT_FALSE(at(table, 2040).changes_hands(kSlot));
}

TEST(Lease, IsInTwoHandsAgainOnceShared) {
  LeaseTable table(kTicksPer_s);
  table.grant(kSlot, 1000, 9000);
  at(table, 5000).share(kSlot);
  EXPECT_TRUE(at(table, 5000).answers(kSlot));
  EXPECT_TRUE(at(table, 5029).changes_hands(kSlot));
  EXPECT_FALSE(at(table, 5030).changes_hands(kSlot));
  EXPECT_TRUE(at(table, 6199).inherits(kSlot));
  EXPECT_FALSE(at(table, 5010).changes_hands(kSlot + 1));
}

TEST(Lease, AddressesOutsideVrrpStayInOneHand) {
  LeaseTable table(kTicksPer_s);
  at(table, 1).share(kAlwaysOurs);
  EXPECT_FALSE(at(table, 1).changes_hands(kAlwaysOurs));
  EXPECT_FALSE(at(table, 1).inherits(kAlwaysOurs));
  EXPECT_FALSE(at(table, 1).changes_hands(kNeverOurs));
}

}  // namespace
}  // namespace keepline::lb
