// Instances that come, change and go while others run on.
#include "vrrp/speaker.h"

#include <gtest/gtest.h>

#include "tests/unit/vrrp/speaker_fixture.h"

namespace keepline::vrrp {
using testing::instance_of;
using testing::ip;
using testing::kFirst;
using testing::kSecond;
using testing::SpeakerTest;

namespace {

TEST_F(SpeakerTest, NumbersMayHaveGaps) {
  start();
  EXPECT_TRUE(speaker.has(0));
  EXPECT_FALSE(speaker.has(1));
  EXPECT_TRUE(speaker.has(2));
  EXPECT_EQ(state(2), State::kMaster);
  EXPECT_EQ(host.adverts[2], "255 ");
  EXPECT_FALSE(host.adverts.contains(1));
}

TEST_F(SpeakerTest, PortsThatShareAGapTakeTurns) {
  speaker.pace(GarpGap(), {{{0, 1, 7}, GarpGap(kSecond_us)}});
  for (const Port port : {0, 1, 2}) {
    InstanceConfig config = instance_of(static_cast<std::uint8_t>(50 + port));
    config.garp.master_repeat = 5;
    add(port, config, port);
  }
  const auto count = [this](std::size_t number) {
    return std::ranges::count(host.announced[number], ' ');
  };
  speaker.start(now_us);
  pass(0);
  EXPECT_EQ(count(2), 5) << "no gap: the burst at once";
  pass(3 * kSecond_us + kSecond_us / 2);
  EXPECT_EQ(count(0) + count(1), 4) << "one a second, of both together";
}

TEST_F(SpeakerTest, OneLeavesAndTheOtherSpeaksOn) {
  start();
  speaker.leave({0}, now_us);
  // Goodbye is said, and the dataplane serves on.
  EXPECT_TRUE(speaker.is_leaving());
  EXPECT_EQ(host.adverts[0], "255 0 ");
  EXPECT_TRUE(host.leases.contains(0));
  EXPECT_TRUE(host.held[0]);
  pass(3 * kSecond_us);
  EXPECT_FALSE(speaker.is_leaving());
  EXPECT_FALSE(speaker.has_left());
  EXPECT_EQ(host.adverts[0], "255 0 ");
  EXPECT_FALSE(host.leases.contains(0));
  EXPECT_FALSE(host.held[0]);
  EXPECT_EQ(state(0), State::kInit);
  EXPECT_EQ(host.adverts[2], "255 255 255 255 ");
  EXPECT_EQ(state(2), State::kMaster);
}

TEST_F(SpeakerTest, WhoIsPreemptedForwardsOnForAMoment) {
  InstanceConfig config = instance_of(50);
  config.priority = 100;
  config.initial_state = InitialState::kMaster;
  add(0, config);
  speaker.start(now_us);
  pass(4 * kSecond_us);
  ASSERT_EQ(state(0), State::kMaster);
  hear(0, 200);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_TRUE(host.muted.contains(0)) << "the successor answers ARP";
  EXPECT_EQ(host.leases[0], Departure::kLinger_us);
  EXPECT_TRUE(host.held[0]);
  pass(Departure::kLinger_us);
  EXPECT_FALSE(host.leases.contains(0));
  EXPECT_FALSE(host.held[0]);
}

TEST_F(SpeakerTest, WhoPreemptsLeadsClientsAwayBeforeItSpeaks) {
  InstanceConfig config = instance_of(50);
  config.priority = 200;
  add(0, config);
  speaker.start(now_us);
  hear_worse_until_master(4);
  ASSERT_EQ(state(0), State::kMaster);
  const std::int64_t since_us = speaker.instance(0).last_transition_us();
  EXPECT_EQ(host.announced[0], "10.0.0.50 10.0.0.50 ") << "once more when it has been heard";
  EXPECT_EQ(speaker.instance(0).statistics().advert_sent, 1u);
  EXPECT_EQ(speaker.instance(0).deadline_us(),
            since_us + Instance::kClaim_us + Instance::kLead_us + kSecond_us);
}

TEST_F(SpeakerTest, HandsOverToASuccessorAndStandsBy) {
  start();
  speaker.hand_over({0}, now_us);
  EXPECT_EQ(host.adverts[0], "255 0 ");
  EXPECT_TRUE(host.held[0]);
  pass(10'000);
  hear(0, 100);
  EXPECT_TRUE(host.muted.contains(0));
  pass(Departure::kLinger_us);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_FALSE(host.held[0]);
  EXPECT_EQ(state(2), State::kMaster);
  // Better than the other one, but it was asked to go.
  for (int second = 0; second < 10; ++second) {
    hear(0, 100);
    pass(kSecond_us);
  }
  EXPECT_EQ(state(0), State::kBackup);
  speaker.take_back({0});
  hear_worse_until_master(10);
  EXPECT_EQ(state(0), State::kMaster);
}

TEST_F(SpeakerTest, WhoHasNoSuccessorServesOn) {
  start();
  speaker.hand_over({0}, now_us);
  pass(3 * kSecond_us);
  EXPECT_FALSE(speaker.is_leaving());
  EXPECT_EQ(state(0), State::kMaster);
  EXPECT_TRUE(host.held[0]);
  EXPECT_TRUE(host.leases.contains(0));
  EXPECT_EQ(host.adverts[0].substr(0, 10), "255 0 255 ");
  EXPECT_EQ(speaker.instance(0).statistics().become_master, 1u);
}

TEST_F(SpeakerTest, AGroupHandsOverAsAWhole) {
  start_group(2);
  ASSERT_EQ(state(1), State::kMaster);
  speaker.hand_over({0}, now_us);
  EXPECT_EQ(host.adverts[1], "255 0 ");
  hear(0, 100);
  pass(10'000);
  hear(1, 100);
  pass(Departure::kLinger_us);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_EQ(state(1), State::kBackup);
}

TEST_F(SpeakerTest, AGroupThatHearsAWorseNodeConfirmsAllItsAddresses) {
  start_group(2);
  pass(kSecond_us);
  host.announced.clear();
  hear(0, 100);
  pass(Speaker::kConfirm_us - 1);
  const std::string once = host.announced[1];
  EXPECT_NE(once, "");
  pass(1);
  EXPECT_EQ(host.announced[0], once + "10.0.0.50 ");
  EXPECT_EQ(host.announced[1], once + "10.0.0.50 ");
}

class LostArmTest : public SpeakerTest {
 protected:
  // A group of backups that hear the better node on both arms.
  void SetUp() override {
    for (const std::uint8_t number : {0, 1}) {
      InstanceConfig config = instance_of(50 + number);
      config.priority = 100;
      config.sync_grouped = true;
      add(number, config);
    }
    speaker.set_groups({{0, 1}}, now_us);
    speaker.start(now_us);
    hear(0, 200);
    hear(1, 200);
    pass(100'000);
  }
  void lose(std::size_t number) { speaker.master_lost(number, ip("10.0.0.2"), 3000, now_us); }
};

TEST_F(LostArmTest, WhereOneArmIsLostAPriorityZeroOnTheOtherIsEnough) {
  hear(1, kReleasePriority);
  pass(9000);
  lose(0);
  pass(3000);
  EXPECT_EQ(state(0), State::kMaster);
  EXPECT_EQ(state(1), State::kMaster);
}

TEST_F(LostArmTest, InAnyOrder) {
  lose(0);
  pass(50'000);
  EXPECT_EQ(state(0), State::kBackup) << "the master speaks on the other arm";
  hear(1, kReleasePriority);
  pass(3000);
  EXPECT_EQ(state(1), State::kMaster);
}

TEST_F(LostArmTest, WhoIsHeardAgainIsNotLost) {
  lose(0);
  hear(0, 200);
  hear(1, kReleasePriority);
  pass(100'000);
  EXPECT_EQ(state(1), State::kBackup);
}

TEST_F(LostArmTest, NobodyIsHurriedWithoutAGoodbye) {
  lose(0);
  pass(500'000);
  EXPECT_EQ(state(1), State::kBackup);
}

TEST_F(SpeakerTest, ANumberIsFreeForAnother) {
  start();
  speaker.leave({0}, now_us);
  pass(3 * kSecond_us);
  speaker.remove(0);
  EXPECT_FALSE(speaker.has(0));
  add(0, instance_of(60));
  speaker.start(0, now_us);
  EXPECT_EQ(state(0), State::kMaster);
  EXPECT_EQ(speaker.instance(0).config().vrid, 60);
}

TEST_F(SpeakerTest, ANodeThatEndsWhileOneLeavesEndsAll) {
  start();
  speaker.leave({0}, now_us);
  speaker.leave(now_us + 1000);
  EXPECT_EQ(host.adverts[0], "255 0 ");
  EXPECT_EQ(host.adverts[2], "255 0 ");
  pass(3 * kSecond_us);
  EXPECT_TRUE(speaker.has_left());
  EXPECT_FALSE(host.held[2]);
}

TEST_F(SpeakerTest, NewAddressesAreHeldAndAnnouncedAtOnce) {
  start();
  host.announced.clear();
  InstanceConfig changed = instance_of(50);
  changed.vips = {kFirst, kSecond};
  speaker.reconfigure(0, changed, changed.vips, now_us + 1000);
  EXPECT_EQ(state(0), State::kMaster);
  EXPECT_EQ(host.adverts[0], "255 255 ");
  EXPECT_EQ(host.announced[0], "10.0.0.50 10.0.0.51 ");
  EXPECT_FALSE(host.announced.contains(2));
}

TEST_F(SpeakerTest, AnExcludedAddressIsAnnouncedWithoutAnAdvert) {
  start();
  host.announced.clear();
  speaker.reconfigure(0, instance_of(50), {kFirst, kSecond}, now_us + 1000);
  EXPECT_EQ(host.adverts[0], "255 ");
  EXPECT_EQ(host.announced[0], "10.0.0.50 10.0.0.51 ");
}

TEST_F(SpeakerTest, WhoLeavesAGroupTakesNobodyAlong) {
  start_group(3);
  ASSERT_EQ(state(0), State::kMaster);
  speaker.leave({0}, now_us);
  pass(3 * kSecond_us);
  EXPECT_EQ(state(0), State::kInit);
  EXPECT_EQ(state(1), State::kMaster);
  EXPECT_EQ(state(2), State::kMaster);
}

TEST_F(SpeakerTest, AFaultOfTheGroupIsForgottenWithTheGroup) {
  start_group(2);
  speaker.set_fault(0, FaultCause::kTracker, true, now_us);
  ASSERT_EQ(state(1), State::kFault);
  speaker.reconfigure(0, instance_of(50), {kFirst}, now_us);
  speaker.reconfigure(1, instance_of(51), {kFirst}, now_us);
  speaker.set_groups({}, now_us);
  EXPECT_EQ(state(0), State::kFault);
  EXPECT_EQ(state(1), State::kMaster);
}

}  // namespace
}  // namespace keepline::vrrp
