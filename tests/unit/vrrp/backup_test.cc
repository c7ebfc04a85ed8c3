// BACKUP: starting, the master-down timer, preemption, learning.
#include <gtest/gtest.h>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

struct Backup {
  explicit Backup(const InstanceConfig& config) : instance(config) {
    instance.start(kStart_us);
    drain(instance);
  }
  AdvertResult hear(std::uint8_t priority, std::int64_t at_us, const char* source = "10.9.0.9") {
    return instance.handle_advert(advert_from(instance.config(), source, priority), at_us);
  }
  std::int64_t left_us(std::int64_t now_us) const { return instance.deadline_us() - now_us; }
  Instance instance;
};

TEST(Start, BackupWaitsAWholeMasterDownInterval) {
  Instance instance(config_of(100));
  EXPECT_EQ(instance.next_timeout(), std::nullopt);
  instance.start(kStart_us);
  EXPECT_EQ(did(instance), "INIT>BACKUP");
  EXPECT_EQ(instance.deadline_us(), kStart_us + 3'609'375);
  run_until(instance, kStart_us + 3'609'374);
  EXPECT_EQ(instance.state(), State::kBackup);
  EXPECT_EQ(did(instance), "");
  run_until(instance, kStart_us + 3'609'375);
  EXPECT_EQ(did(instance), kBecameMaster);
  EXPECT_EQ(instance.statistics().become_master, 1u);
  EXPECT_EQ(instance.statistics().advert_sent, 1u);
}

TEST(Start, WishForMasterShortensTheTimer) {
  InstanceConfig config = config_of(100);
  config.initial_state = InitialState::kMaster;
  Backup b(config);
  EXPECT_EQ(b.instance.deadline_us(), kStart_us + 1'003'906);
  config = config_of(100, Version::k3, 100'000);
  config.initial_state = InitialState::kMaster;
  EXPECT_EQ(Backup(config).instance.deadline_us(), kStart_us + 100'390);
}

TEST(Start, OwnerIsMasterAtOnce) {
  Instance instance(config_of(255));
  instance.start(kStart_us);
  EXPECT_EQ(did(instance), "grant acquire garp advert:255 INIT>MASTER");
}

TEST(Start, OnceOnly) {
  Backup b(config_of(100));
  b.instance.start(kStart_us + 5);
  EXPECT_EQ(did(b.instance), "");
  EXPECT_EQ(b.instance.deadline_us(), kStart_us + 3'609'375);
}

TEST(Backup, HigherAndEqualPriorityResetTheTimer) {
  for (const std::uint8_t priority : {100, 101, 255}) {
    Backup b(config_of(100));
    EXPECT_EQ(b.hear(priority, kStart_us + kSecond_us), AdvertResult::kUsed);
    EXPECT_EQ(b.left_us(kStart_us + kSecond_us), 3'609'375);
    EXPECT_EQ(b.instance.master_address(), ip("10.9.0.9"));
    EXPECT_EQ(b.instance.master_priority(), priority);
    EXPECT_EQ(b.instance.statistics().advert_rcvd, 1u);
  }
}

TEST(Backup, LowerPriorityDoesNot) {
  Backup b(config_of(100));
  EXPECT_EQ(b.hear(99, kStart_us + kSecond_us), AdvertResult::kUsed);
  EXPECT_EQ(b.instance.deadline_us(), kStart_us + 3'609'375);
}

TEST(Backup, PriorityZeroLeavesOnlyTheSkew) {
  Backup b(config_of(100));
  b.hear(200, kStart_us + kSecond_us);
  b.hear(0, kStart_us + kSecond_us + 1);
  EXPECT_EQ(b.left_us(kStart_us + kSecond_us + 1), 609'375);
  EXPECT_EQ(b.instance.statistics().pri_zero_rcvd, 1u);
  run_until(b.instance, b.instance.deadline_us());
  const auto actions = drain(b.instance);
  EXPECT_EQ(words(actions), kBecameMaster);
  EXPECT_EQ(reason_in(actions), Reason::kMasterReleased);
}

TEST(Backup, AStreamOfPriorityZeroDoesNotPostpone) {
  Backup b(config_of(100));
  for (int i = 0; i < 100 && b.instance.state() == State::kBackup; ++i) {
    const std::int64_t now_us = kStart_us + i * 100 * kMs;
    b.hear(0, now_us);
    b.instance.handle_timeout(now_us);
  }
  EXPECT_EQ(b.instance.state(), State::kMaster);
  EXPECT_LE(b.instance.last_transition_us(), kStart_us + 700 * kMs);
}

TEST(Backup, ANewMasterAfterPriorityZeroEndsTheSuccession) {
  Backup b(config_of(100));
  b.hear(0, kStart_us + 1);
  b.hear(150, kStart_us + 2, "10.9.0.8");
  EXPECT_EQ(b.left_us(kStart_us + 2), 3'609'375);
  run_until(b.instance, b.instance.deadline_us());
  EXPECT_EQ(reason_in(drain(b.instance)), Reason::kMasterDown);
}

TEST(Backup, WhatOvertookTheGoodbyeChangesNothing) {
  Backup b(config_of(100));
  b.hear(0, kStart_us + 1);
  b.hear(150, kStart_us + Instance::kOvertaken_us);
  EXPECT_EQ(b.left_us(kStart_us + 1), 609'375);
  b.hear(150, kStart_us + 1 + Instance::kOvertaken_us);
  EXPECT_EQ(b.left_us(kStart_us + 1 + Instance::kOvertaken_us), 3'609'375);
}

TEST(Backup, NopreemptRespectsAnyMaster) {
  InstanceConfig config = config_of(100);
  config.nopreempt = true;
  Backup b(config);
  b.hear(1, kStart_us + kSecond_us);
  EXPECT_EQ(b.left_us(kStart_us + kSecond_us), 3'609'375);
  b.hear(0, kStart_us + 2 * kSecond_us);
  EXPECT_EQ(b.left_us(kStart_us + 2 * kSecond_us), 609'375) << "leaving is leaving";
}

TEST(Backup, NopreemptMeansNothingWithStateMaster) {
  InstanceConfig config = config_of(100);
  config.nopreempt = true;
  config.initial_state = InitialState::kMaster;
  Backup b(config);
  b.hear(1, kStart_us + 1);
  EXPECT_EQ(b.instance.deadline_us(), kStart_us + 1'003'906);
}

TEST(Backup, PreemptDelay) {
  InstanceConfig config = config_of(100);
  config.preempt_delay_us = 10 * kSecond_us;
  Backup b(config);
  // A lower master is respected for 10 s from its first advert ...
  for (int s = 1; s <= 10; ++s) {
    b.hear(50, kStart_us + s * kSecond_us);
    EXPECT_EQ(b.left_us(kStart_us + s * kSecond_us), 3'609'375) << s;
  }
  // ... and no longer.
  b.hear(50, kStart_us + 11 * kSecond_us);
  EXPECT_EQ(b.instance.deadline_us(), kStart_us + 10 * kSecond_us + 3'609'375);
}

TEST(Backup, PreemptDelayIsCancelledByABetterMaster) {
  InstanceConfig config = config_of(100);
  config.preempt_delay_us = 2 * kSecond_us;
  Backup b(config);
  b.hear(50, kStart_us + 1 * kSecond_us);
  b.hear(100, kStart_us + 2 * kSecond_us);
  b.hear(50, kStart_us + 4 * kSecond_us);
  EXPECT_EQ(b.left_us(kStart_us + 4 * kSecond_us), 3'609'375) << "counts from here again";
}

TEST(Backup, Version3LearnsTheInterval) {
  Backup b(config_of(100, Version::k3, kSecond_us));
  Advert advert = advert_from(b.instance.config(), "10.9.0.9", 200);
  advert.interval_us = 100 * kMs;
  b.instance.handle_advert(advert, kStart_us + 1);
  EXPECT_EQ(b.instance.master_interval_us(), 100 * kMs);
  EXPECT_EQ(b.left_us(kStart_us + 1), 300 * kMs + 60'937);
  EXPECT_EQ(did(b.instance), "notice1");
  b.instance.handle_advert(advert, kStart_us + 2);
  EXPECT_EQ(did(b.instance), "") << "once";
  // As master it uses its own.
  run_until(b.instance, b.instance.deadline_us());
  EXPECT_EQ(b.instance.master_interval_us(), kSecond_us);
  EXPECT_EQ(b.instance.deadline_us(), b.instance.last_transition_us() + kSecond_us);
}

TEST(Backup, Version3DoesNotLearnFromAMasterItWillPreempt) {
  Backup b(config_of(100, Version::k3, kSecond_us));
  Advert advert = advert_from(b.instance.config(), "10.9.0.9", 50);
  advert.interval_us = 100 * kMs;
  b.instance.handle_advert(advert, kStart_us + 1);
  EXPECT_EQ(b.instance.master_interval_us(), kSecond_us);
}

TEST(Backup, Version2DropsAnotherInterval) {
  Backup b(config_of(100));
  Advert advert = advert_from(b.instance.config(), "10.9.0.9", 200);
  advert.interval_us = 2 * kSecond_us;
  EXPECT_EQ(b.instance.handle_advert(advert, kStart_us + 1), AdvertResult::kRejected);
  EXPECT_EQ(b.instance.statistics().advert_interval_err, 1u);
  EXPECT_EQ(b.instance.deadline_us(), kStart_us + 3'609'375);
  EXPECT_EQ(did(b.instance), "notice1");
}

TEST(Backup, AddressListIsCountedLoggedOnceAndUsed) {
  Backup b(config_of(100));
  Advert advert = advert_from(b.instance.config(), "10.9.0.9", 200);
  advert.vips.pop_back();
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(b.instance.handle_advert(advert, kStart_us + i), AdvertResult::kUsed);
  }
  EXPECT_EQ(b.left_us(kStart_us + 3), 3'609'375);
  EXPECT_EQ(b.instance.statistics().addr_list_err, 3u);
  EXPECT_EQ(did(b.instance), "notice2");
  advert.source = ip("10.9.0.10");
  b.instance.handle_advert(advert, kStart_us + 4);
  EXPECT_EQ(did(b.instance), "notice2") << "another master, said again";
}

TEST(Backup, SkipCheckAdvAddrComparesOncePerMaster) {
  InstanceConfig config = config_of(100);
  config.skip_check_adv_addr = true;
  Backup b(config);
  Advert advert = advert_from(config, "10.9.0.9", 200);
  advert.vips.pop_back();
  for (int i = 1; i <= 3; ++i) b.instance.handle_advert(advert, kStart_us + i);
  EXPECT_EQ(b.instance.statistics().addr_list_err, 1u);
}

TEST(Backup, AMasterThatIsLostLeavesOnlyAShortSkew) {
  Instance instance(config_of(100));
  instance.start(kStart_us);
  const std::int64_t heard_us = kStart_us + 500 * kMs;
  instance.handle_advert(advert_from(instance.config(), "10.9.0.9", 200), heard_us);
  const std::int64_t lost_us = heard_us + 20 * kMs;
  instance.handle_master_lost(ip("10.9.0.9"), 3 * kMs, lost_us);
  EXPECT_EQ(instance.deadline_us(), lost_us + 156 * 3 * kMs / 256);
  instance.handle_timeout(instance.deadline_us());
  EXPECT_EQ(instance.state(), State::kMaster);
}

TEST(Backup, OfSeveralTheBestGoesFirst) {
  std::int64_t before_us = 0;
  for (const std::uint8_t priority : {250, 150, 100, 50, 1}) {
    Instance instance(config_of(priority));
    instance.start(kStart_us);
    instance.handle_advert(advert_from(instance.config(), "10.9.0.9", 254), kStart_us + 1);
    instance.handle_master_lost(ip("10.9.0.9"), 3 * kMs, kStart_us + 2);
    EXPECT_GT(instance.deadline_us(), before_us);
    before_us = instance.deadline_us();
  }
  EXPECT_LE(before_us, kStart_us + 2 + 3 * kMs);
}

TEST(Backup, OnlyTheMasterIsMissed) {
  Instance instance(config_of(100));
  instance.start(kStart_us);
  instance.handle_advert(advert_from(instance.config(), "10.9.0.9", 200), kStart_us + 1);
  const std::int64_t before_us = instance.deadline_us();
  instance.handle_master_lost(ip("10.9.0.8"), 3 * kMs, kStart_us + 2);
  EXPECT_EQ(instance.deadline_us(), before_us);
}

TEST(Backup, AMasterThatSpeaksAgainIsNotLost) {
  Instance instance(config_of(100));
  instance.start(kStart_us);
  instance.handle_advert(advert_from(instance.config(), "10.9.0.9", 200), kStart_us + 1);
  instance.handle_master_lost(ip("10.9.0.9"), 3 * kMs, kStart_us + 2);
  instance.handle_advert(advert_from(instance.config(), "10.9.0.9", 200), kStart_us + 3);
  run_until(instance, kStart_us + kSecond_us);
  EXPECT_EQ(instance.state(), State::kBackup);
}

TEST(Backup, WhoWasNotRunningDoesNotTrustItsLoss) {
  Instance instance(config_of(100));
  instance.start(kStart_us);
  instance.handle_advert(advert_from(instance.config(), "10.9.0.9", 200), kStart_us + 1);
  const std::int64_t woken_us = kStart_us + 2900 * kMs;
  instance.handle_master_lost(ip("10.9.0.9"), 3 * kMs, woken_us);
  EXPECT_TRUE(instance.listening());
  EXPECT_GT(instance.deadline_us(), woken_us + kSecond_us);
}

TEST(Backup, PriorityChangeMovesTheTimerByTheSkew) {
  Backup b(config_of(100));
  b.instance.set_priority(200, kStart_us + 1);
  EXPECT_EQ(b.instance.deadline_us(), kStart_us + 3'218'750);
  EXPECT_EQ(b.instance.effective_priority(), 200);
  b.instance.set_priority(255, kStart_us + 2);
  EXPECT_EQ(b.instance.effective_priority(), 254);
  b.instance.set_priority(0, kStart_us + 3);
  EXPECT_EQ(b.instance.effective_priority(), 1);
}

TEST(Backup, StopSaysNothing) {
  Backup b(config_of(100));
  b.instance.stop(kStart_us + 1);
  EXPECT_EQ(did(b.instance), "BACKUP>INIT");
  EXPECT_EQ(b.instance.next_timeout(), std::nullopt);
  EXPECT_EQ(b.hear(200, kStart_us + 2), AdvertResult::kIgnored);
}

TEST(Backup, RejectionsAreCountedAndSaidOnce) {
  Backup b(config_of(100));
  for (int i = 1; i <= 3; ++i) {
    b.instance.handle_reject({Reject::kIpTtl, std::uint8_t{51}, ip("10.9.0.9")}, kStart_us + i);
  }
  EXPECT_EQ(b.instance.statistics().ip_ttl_err, 3u);
  EXPECT_EQ(did(b.instance), "notice3");
  EXPECT_EQ(b.hear(200, kStart_us + 4, "10.9.0.5"), AdvertResult::kRejected);
  EXPECT_EQ(b.instance.statistics().own_advert, 1u);
  EXPECT_EQ(did(b.instance), "notice3") << "another reason";
}

TEST(Backup, ANewStateSaysThingsAgain) {
  Backup b(config_of(100));
  const Rejection rejection{Reject::kIpTtl, std::uint8_t{51}, ip("10.9.0.9")};
  b.instance.handle_reject(rejection, kStart_us + 1);
  run_until(b.instance, b.instance.deadline_us());
  ASSERT_EQ(b.instance.state(), State::kMaster);
  drain(b.instance);
  b.instance.handle_reject(rejection, b.instance.last_transition_us() + 1);
  EXPECT_EQ(did(b.instance), "notice3");
}

// Who has said goodbye serves on for a skew of its own interval, not of ours.
TEST(Backup, ALongerIntervalDoesNotMakeItMissASuccession) {
  InstanceConfig config = config_of(100);
  config.version = Version::k3;
  Backup b(config);
  b.hear(kReleasePriority, kStart_us + 1);
  const std::int64_t due_us = b.instance.deadline_us();
  ASSERT_EQ(due_us, kStart_us + 1 + 609'375);
  config.advert_interval_us = 4 * kSecond_us;
  b.instance.reconfigure(config, kStart_us + 2);
  EXPECT_EQ(b.instance.deadline_us(), due_us);
}

TEST(Backup, ReconfigureMovesTheTimer) {
  Backup b(config_of(100));
  InstanceConfig config = config_of(100);
  config.advert_interval_us = 2 * kSecond_us;
  b.instance.reconfigure(config, kStart_us + 1);
  EXPECT_EQ(b.instance.deadline_us(), kStart_us + 6'609'375);
  EXPECT_EQ(did(b.instance), "");
}

}  // namespace
}  // namespace keepline::vrrp
