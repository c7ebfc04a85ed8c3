// Masters that hand over and come back, and what may come between.
#include <gtest/gtest.h>

#include "tests/unit/vrrp/speaker_fixture.h"

namespace keepline::vrrp {
using testing::ip;

namespace {

class HandoverTest : public testing::SpeakerTest {
 protected:
  void hand_over_group() {
    start_group(2);
    speaker.hand_over({0}, now_us);
  }
  void start_standing_by() {
    InstanceConfig config = testing::instance_of(50);
    config.priority = 200;
    add(0, config);
    speaker.stand_by({0});
    speaker.start(now_us);
  }
  /// The other node is master for so long, and worse.
  void hear_worse(int seconds) {
    for (int second = 0; second < seconds; ++second) {
      hear(0, 100);
      hear(1, 100);
      pass(kSecond_us);
    }
  }
};

TEST_F(HandoverTest, AGroupIsTakenBackAsAWhole) {
  hand_over_group();
  hear(0, 100);
  hear(1, 100);
  pass(Departure::kLinger_us);
  ASSERT_EQ(state(1), State::kBackup);
  speaker.take_back({0});
  EXPECT_FALSE(speaker.instance(1).stands_by());
  hear_worse(10);
  EXPECT_EQ(state(0), State::kMaster);
  EXPECT_EQ(state(1), State::kMaster);
}

TEST_F(HandoverTest, AGroupGoesIfOneMemberIsSucceeded) {
  hand_over_group();
  hear(0, 100);
  pass(2 * kSecond_us);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_EQ(state(1), State::kBackup);
  EXPECT_TRUE(speaker.instance(1).stands_by());
  EXPECT_EQ(host.adverts[1], "255 0 ");
}

TEST_F(HandoverTest, WhoIsSucceededIsBackupAndForwardsOn) {
  hand_over_group();
  hear(0, 100);
  EXPECT_FALSE(speaker.is_leaving());
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_EQ(speaker.instance(0).master_address(), ip("10.0.0.2"));
  EXPECT_TRUE(host.muted.contains(0));
  EXPECT_EQ(host.leases[0], Departure::kLinger_us);
  EXPECT_FALSE(host.muted.contains(1)) << "its own successor has not spoken yet";
  EXPECT_EQ(host.leases[1], kSecond_us / 2);
  hear(1, 100);
  EXPECT_TRUE(host.muted.contains(1));
  EXPECT_EQ(host.leases[1], Departure::kLinger_us);
  pass(Departure::kLinger_us);
  EXPECT_TRUE(host.leases.empty());
}

// A client that has asked it just now is still on the way.
TEST_F(HandoverTest, AMemberWhoseSuccessorIsNotHeardForwardsOnAsWell) {
  hand_over_group();
  hear(0, 100);
  pass(kSecond_us / 2);
  EXPECT_TRUE(host.muted.contains(1));
  EXPECT_EQ(host.leases[1], Departure::kLinger_us);
  pass(Departure::kLinger_us);
  EXPECT_FALSE(host.leases.contains(1));
}

// Clients still go to the one before: it had no time to call them.
TEST_F(HandoverTest, WhoLeavesBeforeItHasAnnouncedItselfDoesSoWhileItServesOn) {
  host.is_ready = false;
  start();
  EXPECT_EQ(host.announced[0], "");
  speaker.leave({0}, now_us);
  pass(100'000);
  host.is_ready = true;
  pass(Speaker::kAnnounceRetry_us);
  EXPECT_EQ(host.announced[0], "10.0.0.50 ");
}

// The successor is stopped before the one who has handed over has let go.
TEST_F(HandoverTest, WhoHasJustHandedOverSucceedsItsSuccessor) {
  start();
  speaker.hand_over({0}, now_us);
  hear(0, 100);
  pass(Departure::kLinger_us / 2);
  hear(0, kReleasePriority);
  pass(Departure::kLinger_us / 4);
  EXPECT_EQ(state(0), State::kMaster);
  EXPECT_FALSE(host.muted.contains(0));
  EXPECT_TRUE(host.held[0]);
}

// A backup that is a sync group succeeds when the slowest of its members may.
TEST_F(HandoverTest, AGroupWaitsForTheLongestSkewOfItsMembers) {
  InstanceConfig slow = testing::instance_of(50);
  InstanceConfig quick = testing::instance_of(51);
  quick.version = Version::k3;
  quick.advert_interval_us = 10 * kCentisecond_us;
  slow.sync_grouped = quick.sync_grouped = true;
  add(0, slow);
  add(1, quick);
  speaker.set_groups({{0, 1}}, now_us);
  speaker.start(now_us);
  pass(10);
  ASSERT_EQ(state(1), State::kMaster);
  speaker.hand_over({0}, now_us);
  pass(kSecond_us + Departure::kSlack_us - 1);
  EXPECT_EQ(host.adverts[1], "255 0 ") << "it would make the successor wait anew";
  EXPECT_TRUE(host.leases.contains(1));
  pass(1);
  EXPECT_EQ(host.adverts[1], "255 0 255 ");
  EXPECT_EQ(state(1), State::kMaster);
  speaker.leave(now_us);
  pass(kSecond_us + Departure::kSlack_us - 1);
  EXPECT_EQ(state(1), State::kMaster);
  EXPECT_EQ(host.leases[1], kSecond_us + Departure::kSlack_us) << "its dataplane serves as long";
}

// Its goodbye is heard by one member before what it said before that is heard by the other one.
TEST_F(HandoverTest, AGroupThatYieldsToOneThatIsGoingSucceedsIt) {
  for (const std::uint8_t number : {0, 1}) {
    InstanceConfig config = testing::instance_of(static_cast<std::uint8_t>(50 + number));
    config.priority = 200;
    config.sync_grouped = true;
    add(number, config);
  }
  speaker.set_groups({{0, 1}}, now_us);
  speaker.start(now_us);
  pass(5 * kSecond_us);
  ASSERT_EQ(state(1), State::kMaster);
  hear(1, kReleasePriority);
  hear(0, 210);
  ASSERT_EQ(state(1), State::kBackup);
  hear(0, kReleasePriority);
  pass(kSecond_us / 2);
  EXPECT_EQ(state(0), State::kMaster);
  EXPECT_EQ(state(1), State::kMaster);
}

// What comes in through one member goes out through another one.
TEST_F(HandoverTest, AGroupForwardsOnUntilItsLastMemberEnds) {
  hand_over_group();
  hear(0, 100);
  pass(kSecond_us / 2);
  ASSERT_EQ(host.leases[1], Departure::kLinger_us);
  EXPECT_EQ(host.leases[0], Departure::kLinger_us) << "granted once more";
  pass(Departure::kLinger_us - 1);
  EXPECT_TRUE(host.leases.contains(0));
  pass(1);
  EXPECT_TRUE(host.leases.empty());
}

// With long intervals it takes long to find out, with short ones the lease is short.
TEST_F(HandoverTest, EachInstanceFindsOutByItselfThatNobodyCame) {
  InstanceConfig quick = testing::instance_of(51);
  quick.version = Version::k3;
  quick.advert_interval_us = 10 * kCentisecond_us;
  add(1, quick);
  start();
  speaker.hand_over({0, 1}, now_us);
  pass(10 * kCentisecond_us + Departure::kSlack_us);
  EXPECT_EQ(state(1), State::kMaster);
  EXPECT_TRUE(host.leases.contains(1));
  EXPECT_EQ(host.adverts[1], "255 0 255 ");
  EXPECT_TRUE(speaker.is_leaving(0));
  pass(kSecond_us);
  EXPECT_FALSE(speaker.is_leaving());
  EXPECT_EQ(state(0), State::kMaster);
}

// Its dataplane has been silent since its lease ended.
TEST_F(HandoverTest, WhoFindsTooLateThatNobodyCameListens) {
  start();
  speaker.hand_over({0}, now_us);
  now_us += host.leases[0];
  speaker.handle_timeout(now_us);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_TRUE(speaker.instance(0).listening());
}

TEST_F(HandoverTest, AMemberThatCannotSpeakKeepsTheOthersSilent) {
  hand_over_group();
  host.refuses = true;
  pass(2 * kSecond_us);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_EQ(state(1), State::kBackup);
  EXPECT_EQ(host.adverts[1], "255 0 ");
  EXPECT_FALSE(host.held[1]);
}

TEST_F(HandoverTest, WhoStaysThoughItCannotSpeakHasNoLease) {
  start();
  speaker.hand_over({0}, now_us);
  host.refuses = true;
  pass(kSecond_us + Departure::kSlack_us + 1);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_FALSE(host.leases.contains(0));
}

TEST_F(HandoverTest, AGoodbyeThatDoesNotLeaveIsTriedAgain) {
  start();
  host.refuses = true;
  const std::int64_t began_us = now_us;
  speaker.leave({0}, now_us);
  pass(100'000);
  EXPECT_EQ(host.adverts[0], "255 ");
  host.refuses = false;
  pass(Departure::kRetry_us);
  EXPECT_EQ(host.adverts[0], "255 0 ");
  EXPECT_EQ(speaker.instance(0).statistics().pri_zero_sent, 1u) << "those that left count";
  EXPECT_EQ(state(0), State::kMaster) << "it serves until somebody has come";
  pass(began_us + kSecond_us + Departure::kSlack_us - now_us);
  EXPECT_EQ(state(0), State::kInit);
  EXPECT_EQ(host.adverts[0], "255 0 ") << "once";
  EXPECT_EQ(speaker.instance(0).statistics().pri_zero_sent, 1u);
}

TEST_F(HandoverTest, AGoodbyeThatDoesNotLeaveInTimeIsSaidAtTheEnd) {
  start();
  host.refuses = true;
  speaker.leave({0}, now_us);
  pass(Departure::kSlack_us);
  host.refuses = false;
  pass(kSecond_us - 1);
  EXPECT_EQ(host.adverts[0], "255 ") << "there is no time for a successor's skew any more";
  pass(1);
  EXPECT_EQ(state(0), State::kInit) << "it waits no longer for that";
  EXPECT_EQ(host.adverts[0], "255 0 ") << "who hears it need not wait for three adverts";
}

TEST_F(HandoverTest, WhoSleptBeforeItsGoodbyeLeftSaysNone) {
  start();
  host.refuses = true;
  speaker.hand_over({0}, now_us);
  now_us += 10 * kSecond_us;
  host.refuses = false;
  speaker.handle_timeout(now_us);
  EXPECT_EQ(host.adverts[0], "255 ");
}

TEST_F(HandoverTest, WhoWasStoppedMeanwhileListens) {
  start();
  speaker.hand_over({0}, now_us);
  now_us += 10 * kSecond_us;
  speaker.handle_timeout(now_us);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_TRUE(speaker.instance(0).listening());
  EXPECT_EQ(host.adverts[0], "255 0 ");
}

TEST_F(HandoverTest, AnotherPriorityDoesNotEndIt) {
  InstanceConfig config = testing::instance_of(50);
  config.version = Version::k3;
  config.advert_interval_us = kCentisecond_us;
  config.priority = 200;
  add(0, config);
  speaker.start(now_us);
  pass(kCentisecond_us * 4);
  ASSERT_EQ(state(0), State::kMaster);
  speaker.hand_over({0}, now_us);
  now_us += 100'000;  // the lease of its last advert is over, that of its departure is not
  speaker.set_priority(0, 150, now_us);
  EXPECT_EQ(state(0), State::kMaster);
  EXPECT_TRUE(host.leases.contains(0));
}

TEST_F(HandoverTest, AFaultThatIsOverMeanwhileIsOver) {
  start();
  speaker.hand_over({0}, now_us);
  speaker.set_fault(0, FaultCause::kTracker, true, now_us);
  EXPECT_EQ(state(0), State::kFault);
  EXPECT_FALSE(speaker.is_leaving());
  speaker.set_fault(0, FaultCause::kTracker, false, now_us + 1000);
  EXPECT_EQ(state(0), State::kMaster);
}

TEST_F(HandoverTest, AReloadDoesNotShortenTheShortenedStart) {
  InstanceConfig config = testing::instance_of(50);
  config.priority = 100;
  config.initial_state = InitialState::kMaster;
  add(0, config);
  speaker.start(now_us);
  const std::int64_t deadline_us = speaker.instance(0).deadline_us();
  config.priority = 250;
  speaker.reconfigure(0, config, config.vips, now_us + 1000);
  EXPECT_EQ(speaker.instance(0).deadline_us(), deadline_us);
}

TEST_F(HandoverTest, ALongerIntervalIsSaidTwiceBeforePeersStopWaiting) {
  InstanceConfig config = testing::instance_of(50);
  config.version = Version::k3;
  config.advert_interval_us = kCentisecond_us;
  add(0, config);
  speaker.start(now_us);
  config.advert_interval_us = kSecond_us;
  speaker.reconfigure(0, config, config.vips, now_us);
  EXPECT_EQ(host.adverts[0], "255 255 ");
  pass(kCentisecond_us);
  EXPECT_EQ(host.adverts[0], "255 255 255 ");
  pass(kCentisecond_us);
  EXPECT_EQ(host.adverts[0], "255 255 255 ");
}

TEST_F(HandoverTest, WhoMayNotAnnounceYetIsNotAskedAllTheTime) {
  host.is_ready = false;
  start();
  EXPECT_EQ(host.announced[0], "");
  EXPECT_EQ(speaker.next_timeout(), now_us + Speaker::kAnnounceRetry_us);
  host.is_ready = true;
  pass(Speaker::kAnnounceRetry_us);
  EXPECT_EQ(host.announced[0], "10.0.0.50 ");
}

TEST_F(HandoverTest, WhoWasJustSucceededServesOutBeforeItLeaves) {
  start();
  hear(0, kOwnerPriority);  // a higher address
  ASSERT_EQ(state(0), State::kBackup);
  pass(50'000);
  speaker.leave({0}, now_us);
  EXPECT_TRUE(speaker.is_leaving(0));
  EXPECT_TRUE(host.leases.contains(0));
  pass(Departure::kLinger_us - 50'000);
  EXPECT_EQ(state(0), State::kInit);
  EXPECT_FALSE(host.leases.contains(0));
}

TEST_F(HandoverTest, AFaultLeavesNothingToWaitFor) {
  start();
  hear(0, kOwnerPriority);
  speaker.leave({0}, now_us);
  speaker.set_fault(0, FaultCause::kTracker, true, now_us);
  EXPECT_FALSE(speaker.is_leaving());
  EXPECT_EQ(state(0), State::kInit);
}

// A node that has just started and does not know the way to its real servers yet.
TEST_F(HandoverTest, WhoStandsByAtTheStartPreemptsWhenItIsReady) {
  start_standing_by();
  hear_worse(10);
  ASSERT_EQ(state(0), State::kBackup);
  speaker.take_back({0});
  hear_worse_until_master(4);
  EXPECT_EQ(state(0), State::kMaster);
}

TEST_F(HandoverTest, WhoStandsByAtTheStartServesWhereNobodyElseDoes) {
  start_standing_by();
  pass(4 * kSecond_us);
  EXPECT_EQ(state(0), State::kMaster);
}

TEST_F(HandoverTest, ANumberThatNobodyHasYetIsNoTrouble) {
  InstanceConfig config = testing::instance_of(51);
  speaker.add(1, config, 3, config.vips);
  speaker.start(now_us);
  pass(kSecond_us);
  EXPECT_EQ(state(1), State::kMaster);
}

}  // namespace
}  // namespace keepline::vrrp
