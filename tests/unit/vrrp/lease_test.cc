// The lease, time jumps and pauses.
#include <gtest/gtest.h>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

TEST(Lease, EndIsExclusive) {
  Lease lease;
  EXPECT_FALSE(lease.valid(0));
  lease.grant(10);
  EXPECT_TRUE(lease.valid(9));
  EXPECT_FALSE(lease.valid(10));
  EXPECT_TRUE(lease.held());
  lease.revoke();
  EXPECT_FALSE(lease.valid(9));
}

TEST(TimeJump, LateButWithinTheLeaseGoesOn) {
  Master m(config_of(100));
  m.instance.handle_timeout(m.now_us + 3 * kSecond_us - 1);
  EXPECT_EQ(did(m.instance), "advert:100 grant");
}

TEST(TimeJump, MasterListensBeforeItSpeaks) {
  for (const std::uint8_t priority : {100, 255}) {
    Master m(config_of(priority));
    const std::int64_t resumed_us = m.now_us + 3 * kSecond_us;
    m.instance.handle_timeout(resumed_us);
    const auto actions = drain(m.instance);
    EXPECT_EQ(words(actions), "revoke release MASTER>BACKUP");
    EXPECT_EQ(reason_in(actions), Reason::kTimeJump);
    EXPECT_EQ(m.instance.statistics().time_jump, 1u);
    const std::int64_t whole_us = 3 * kSecond_us + (256 - priority) * kSecond_us / 256;
    run_until(m.instance, resumed_us + whole_us - 1);
    EXPECT_EQ(did(m.instance), "");
    run_until(m.instance, resumed_us + whole_us);
    EXPECT_EQ(m.instance.state(), State::kMaster);
  }
}

// Whatever the verb is that finds the lease gone, no advert leaves.
TEST(TimeJump, EveryVerbNotices) {
  using Verb = void (*)(Instance&, std::int64_t);
  const Verb verbs[] = {
      [](Instance& i, std::int64_t now_us) { i.handle_timeout(now_us); },
      [](Instance& i, std::int64_t now_us) {
        i.handle_advert(advert_from(i.config(), "10.9.0.9", 50), now_us);
      },
      [](Instance& i, std::int64_t now_us) {
        i.handle_advert(advert_from(i.config(), "10.9.0.9", 0), now_us);
      },
      [](Instance& i, std::int64_t now_us) {
        i.handle_advert(advert_from(i.config(), "10.9.0.9", 200), now_us);
      },
      [](Instance& i, std::int64_t now_us) {
        i.handle_reject({Reject::kIpTtl, std::nullopt, net::IpAddr()}, now_us);
      },
      [](Instance& i, std::int64_t now_us) { i.handle_fault(FaultCause::kTracker, now_us); },
      [](Instance& i, std::int64_t now_us) {
        i.handle_fault_cleared(FaultCause::kTracker, now_us);
      },
      [](Instance& i, std::int64_t now_us) { i.handle_group(GroupCommand::kBecomeBackup, now_us); },
      [](Instance& i, std::int64_t now_us) { i.set_priority(10, now_us); },
      [](Instance& i, std::int64_t now_us) {
        InstanceConfig config = i.config();
        config.vips.pop_back();
        i.reconfigure(config, now_us);
      },
      [](Instance& i, std::int64_t now_us) { i.stop(now_us); },
  };
  for (std::size_t v = 0; v < std::size(verbs); ++v) {
    InstanceConfig config = config_of(100);
    config.higher_prio_send_advert = true;
    Master m(config);
    verbs[v](m.instance, m.now_us + 100 * kSecond_us);
    const std::string done = did(m.instance);
    EXPECT_EQ(done.find("advert"), std::string::npos) << v << ": " << done;
    EXPECT_EQ(done.rfind("revoke release MASTER>BACKUP", 0), 0u) << v << ": " << done;
    EXPECT_EQ(m.instance.statistics().time_jump, 1u) << v;
  }
}

TEST(TimeJump, AStalePriorityZeroDoesNotShortenTheListening) {
  Master m(config_of(100));
  const std::int64_t resumed_us = m.now_us + 10 * kSecond_us;
  m.instance.handle_advert(advert_from(m.instance.config(), "10.9.0.9", 0), resumed_us);
  EXPECT_EQ(m.instance.deadline_us(), resumed_us + 3'609'375);
  EXPECT_TRUE(m.instance.listening());
}

TEST(TimeJump, ASurvivingFaultDoesNotShortenItEither) {
  for (const std::uint8_t priority : {100, 255}) {
    Master m(config_of(priority));
    const std::int64_t resumed_us = m.now_us + 10 * kSecond_us;
    m.instance.handle_timeout(resumed_us);
    m.instance.handle_fault(FaultCause::kInterfaceDown, resumed_us + 1);
    m.instance.handle_fault_cleared(FaultCause::kInterfaceDown, resumed_us + 2);
    EXPECT_EQ(m.instance.state(), State::kBackup);
    EXPECT_GT(m.instance.deadline_us(), resumed_us + 3 * kSecond_us);
  }
}

TEST(TimeJump, ListeningEndsWithMastership) {
  Master m(config_of(100));
  std::int64_t now_us = m.now_us + 10 * kSecond_us;
  m.instance.handle_timeout(now_us);
  // A better priority brings the deadline forward into what was the listening time.
  m.instance.set_priority(250, now_us + 1);
  run_until(m.instance, m.instance.deadline_us());
  ASSERT_EQ(m.instance.state(), State::kMaster);
  now_us = m.instance.last_transition_us();
  m.instance.handle_advert(advert_from(m.instance.config(), "10.9.0.9", 252), now_us + 1);
  m.instance.handle_advert(advert_from(m.instance.config(), "10.9.0.9", 0), now_us + 2);
  EXPECT_EQ(m.instance.deadline_us(), now_us + 2 + 23'437) << "its skew";
}

TEST(Pause, BackupListensOnceMore) {
  Instance instance(config_of(100));
  instance.start(kStart_us);
  const std::int64_t due_us = instance.deadline_us();
  run_until(instance, kStart_us + kSecond_us);
  drain(instance);
  // Stopped from 1 s until just after the timer: the master's adverts of 2, 3 s were missed.
  const std::int64_t resumed_us = due_us + 1;
  instance.handle_timeout(resumed_us);
  EXPECT_EQ(did(instance), "notice5");
  EXPECT_EQ(instance.statistics().pause, 1u);
  EXPECT_EQ(instance.deadline_us(), resumed_us + 3'609'375);
  run_until(instance, resumed_us + 3'609'375);
  EXPECT_EQ(instance.state(), State::kMaster);
}

TEST(Pause, LimitIsExclusiveAndOrdinaryLatenessIsNoPause) {
  for (const std::int64_t gap_us : {2 * kSecond_us, 2 * kSecond_us + 1}) {
    Instance instance(config_of(100));
    instance.start(kStart_us);
    run_until(instance, kStart_us + kSecond_us);
    instance.handle_timeout(kStart_us + kSecond_us + gap_us);
    EXPECT_EQ(instance.statistics().pause, gap_us > 2 * kSecond_us ? 1u : 0u);
  }
}

TEST(Pause, TicksEachIntervalInBackup) {
  Instance instance(config_of(100));
  instance.start(kStart_us);
  EXPECT_EQ(instance.next_timeout(), kStart_us + kSecond_us);
  instance.handle_timeout(kStart_us + kSecond_us);
  EXPECT_EQ(instance.next_timeout(), kStart_us + 2 * kSecond_us);
}

// A node that is late by a whole interval at every wake-up still takes over, and stays.
TEST(Pause, NoLivelockOnABusyMachine) {
  for (const std::int64_t late_us : {0, 5'000, 9'999, 12'000, 19'000}) {
    Instance instance(config_of(100, Version::k3, 10 * kMs));
    instance.start(kStart_us);
    std::int64_t now_us = kStart_us;
    std::int64_t became_us = 0;
    while (now_us < kStart_us + kSecond_us) {
      now_us = *instance.next_timeout() + late_us;
      instance.handle_timeout(now_us);
      if (became_us == 0 && instance.state() == State::kMaster) became_us = now_us;
    }
    ASSERT_NE(became_us, 0) << late_us;
    EXPECT_LE(became_us - kStart_us, 2 * 36'093 + 3 * (10 * kMs + late_us)) << late_us;
    EXPECT_EQ(instance.state(), State::kMaster) << late_us;
    EXPECT_EQ(instance.statistics().become_master, 1u) << late_us;
  }
}

TEST(Pause, ANodeThatCannotKeepALeaseDoesNotBecomeMaster) {
  Instance instance(config_of(100, Version::k3, 10 * kMs));
  instance.start(kStart_us);
  for (int i = 1; i <= 100; ++i) instance.handle_timeout(kStart_us + i * 31 * kMs);
  EXPECT_EQ(instance.statistics().become_master, 0u);
}

// --- Adverts that do not leave ----------------------------------------------------------------

TEST(Lease, TakeBackRestoresWhatWasBefore) {
  Lease lease;
  lease.grant(10);
  lease.grant(20);
  lease.take_back();
  EXPECT_TRUE(lease.valid(9));
  EXPECT_FALSE(lease.valid(10));
  lease.revoke();
  lease.grant(30);
  lease.take_back();
  EXPECT_FALSE(lease.held()) << "the first one";
}

TEST(Unsent, OneIsBorneAMasterWithoutAnyForALeaseIsNone) {
  Master m(config_of(100));
  for (int i = 1; i <= 2; ++i) {
    m.instance.handle_timeout(m.now_us + i * kSecond_us);
    m.instance.handle_unsent(m.now_us + i * kSecond_us);
    EXPECT_EQ(did(m.instance), "advert:100 grant") << "the driver withholds the grant";
    EXPECT_EQ(m.instance.lease().until_us(), m.now_us + 3 * kSecond_us);
  }
  EXPECT_EQ(m.instance.next_timeout(), m.now_us + 2 * kSecond_us + kSecond_us / 4) << "again";
  m.instance.handle_timeout(m.now_us + 2'900 * kMs);
  m.instance.handle_unsent(m.now_us + 2'900 * kMs);
  did(m.instance);
  EXPECT_EQ(m.instance.next_timeout(), m.now_us + 3 * kSecond_us) << "the end of the lease";
  m.instance.handle_timeout(m.now_us + 3 * kSecond_us);
  const auto actions = drain(m.instance);
  EXPECT_EQ(words(actions), "revoke release MASTER>BACKUP");
  EXPECT_EQ(reason_in(actions), Reason::kUnsent);
  EXPECT_EQ(m.instance.statistics().advert_unsent, 3u);
  EXPECT_EQ(m.instance.statistics().time_jump, 0u);
  EXPECT_TRUE(m.instance.listening());
}

TEST(Unsent, OneThatLeavesAfterwardsMakesItGood) {
  Master m(config_of(100));
  m.instance.handle_timeout(m.now_us + kSecond_us);
  m.instance.handle_unsent(m.now_us + kSecond_us);
  m.instance.handle_timeout(m.now_us + 2 * kSecond_us);
  EXPECT_EQ(m.instance.lease().until_us(), m.now_us + 5 * kSecond_us);
  m.instance.handle_timeout(m.now_us + 5 * kSecond_us);
  EXPECT_EQ(m.instance.statistics().time_jump, 1u) << "late, and not unheard";
}

// Nobody has heard of a new master whose first advert did not leave.
TEST(Unsent, TheFirstOneMakesNoMaster) {
  for (const std::uint8_t priority : {100, 255}) {
    Instance instance(config_of(priority));
    instance.start(kStart_us);
    if (instance.state() != State::kMaster) run_until(instance, instance.deadline_us());
    ASSERT_EQ(instance.state(), State::kMaster);
    did(instance);
    const std::int64_t now_us = instance.last_transition_us();
    instance.handle_unsent(now_us);
    const auto actions = drain(instance);
    EXPECT_EQ(words(actions), "revoke release MASTER>BACKUP");
    EXPECT_EQ(reason_in(actions), Reason::kUnsent);
    EXPECT_GE(instance.deadline_us(), now_us + 3 * kSecond_us)
        << "it listens before it tries again";
    run_until(instance, instance.deadline_us());
    EXPECT_EQ(instance.state(), State::kMaster);
  }
}

TEST(Unsent, TheLastWordOfOneThatLeavesIsNoMatter) {
  Master m(config_of(100));
  m.instance.stop(m.now_us + 1);
  did(m.instance);
  m.instance.handle_unsent(m.now_us + 1);
  EXPECT_EQ(did(m.instance), "");
  EXPECT_EQ(m.instance.state(), State::kInit);
}

// timer_expired_backup asks for this against peers up to a priority; a lease gives it against all.
TEST(TimeJump, AMasterThatIsSoLateThatAPeerMayHaveTakenOverStepsBack) {
  for (const Version version : {Version::k2, Version::k3}) {
    for (const std::uint8_t adverts : {1, 3, 100}) {
      for (int peer = 1; peer <= 254; ++peer) {
        InstanceConfig config = config_of(100, version);
        config.down_timer_adverts = adverts;
        config.nopreempt = true;
        Master m(config);
        const TimerBase theirs{version, config.advert_interval_us, static_cast<std::uint8_t>(peer),
                               adverts};
        m.instance.handle_timeout(m.now_us + master_down_us(theirs));
        ASSERT_EQ(m.instance.state(), State::kBackup) << peer;
        ASSERT_EQ(did(m.instance), "revoke release MASTER>BACKUP");
      }
    }
  }
}

}  // namespace
}  // namespace keepline::vrrp
