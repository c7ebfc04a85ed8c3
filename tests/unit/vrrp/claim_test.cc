// What a node that preempts does before it leads clients to itself.
#include <gtest/gtest.h>

#include "tests/unit/vrrp/speaker_fixture.h"

namespace keepline::vrrp {
namespace {

class ClaimTest : public testing::SpeakerTest {
 protected:
  /// To the moment at which it is master over a worse one that lives.
  void preempt() {
    InstanceConfig config = testing::instance_of(50);
    config.priority = 200;
    add(0, config);
    speaker.start(now_us);
    for (int i = 0; i < 100 && state(0) == State::kBackup; ++i) {
      hear(0, 100);
      step();
    }
    ASSERT_EQ(state(0), State::kMaster);
  }
  void preempt_as_group() {
    std::vector<std::size_t> numbers;
    for (std::uint8_t number = 0; number < 2; ++number) {
      InstanceConfig config = testing::instance_of(static_cast<std::uint8_t>(50 + number));
      config.priority = 200;
      config.sync_grouped = true;
      add(number, config);
      numbers.push_back(number);
    }
    speaker.set_groups({numbers}, now_us);
    speaker.start(now_us);
    for (int i = 0; i < 100 && state(0) == State::kBackup; ++i) {
      hear(0, 100);
      hear(1, 100);
      step();
    }
    ASSERT_EQ(state(0), State::kMaster);
  }
  /// To the next timer.
  void step() {
    now_us = std::max(now_us, speaker.next_timeout().value());
    speaker.handle_timeout(now_us);
  }
  void step_until_there_is(const std::string& what) {
    for (int i = 0; i < 100 && what.empty(); ++i) step();
  }
  std::int64_t since_us() const { return now_us - speaker.instance(0).last_transition_us(); }
};

TEST_F(ClaimTest, WhoPreemptsClaimsThenAnnouncesThenSpeaks) {
  preempt();
  EXPECT_EQ(host.claimed, std::set<std::size_t>{0});
  EXPECT_TRUE(host.muted.contains(0)) << "who asks is led to who serves until now";
  EXPECT_EQ(host.announced[0], "");
  step_until_there_is(host.announced[0]);
  EXPECT_EQ(since_us(), Instance::kClaim_us);
  EXPECT_FALSE(host.muted.contains(0));
  EXPECT_EQ(host.adverts[0], "");
  step_until_there_is(host.adverts[0]);
  EXPECT_EQ(since_us(), Instance::kClaim_us + Instance::kLead_us);
}

TEST_F(ClaimTest, ItClaimsWhenItsKernelHasTheAddresses) {
  host.is_ready = false;
  preempt();
  pass(100'000);
  EXPECT_TRUE(host.claimed.empty());
  EXPECT_TRUE(host.muted.contains(0));
  host.is_ready = true;
  pass(Speaker::kAnnounceRetry_us);
  EXPECT_EQ(host.claimed, std::set<std::size_t>{0});
  EXPECT_EQ(host.announced[0], "");
  pass(Instance::kClaim_us);
  EXPECT_EQ(host.announced[0], "10.0.0.50 ");
  EXPECT_EQ(host.adverts[0], "");
  pass(Instance::kLead_us);
  EXPECT_EQ(host.adverts[0], "200 ");
}

TEST_F(ClaimTest, WhoYieldsMeanwhileHasLedNobody) {
  preempt();
  hear(0, 210);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_TRUE(host.muted.contains(0));
  pass(Instance::kClaim_us + Departure::kLinger_us);
  EXPECT_EQ(host.announced[0], "");
  EXPECT_FALSE(host.leases.contains(0));
}

// It has led clients here: whoever is better hears of it, and calls them back.
TEST_F(ClaimTest, WhoYieldsBeforeItsFirstAdvertSaysOne) {
  preempt();
  pass(Instance::kClaim_us + 1);
  ASSERT_NE(host.announced[0], "");
  ASSERT_EQ(host.adverts[0], "");
  hear(0, 210);
  EXPECT_EQ(state(0), State::kBackup);
  EXPECT_EQ(host.adverts[0], "200 ");
}

TEST_F(ClaimTest, AMemberThatIsNotReadyKeepsItsGroupWaiting) {
  host.unready = {1};
  preempt_as_group();
  pass(50'000);
  EXPECT_TRUE(host.claimed.empty());
  EXPECT_EQ(host.announced[0], "");
  host.unready.clear();
  pass(Speaker::kAnnounceRetry_us);
  EXPECT_EQ(host.claimed, (std::set<std::size_t>{0, 1}));
  EXPECT_EQ(host.muted, (std::set<std::size_t>{0, 1}));
  EXPECT_EQ(host.announced[0], "");
  pass(Instance::kClaim_us);
  EXPECT_EQ(host.announced[0], "10.0.0.50 ");
  EXPECT_EQ(host.announced[1], "10.0.0.50 ");
  EXPECT_TRUE(host.muted.empty());
}

TEST_F(ClaimTest, AMemberWhoseGroupYieldsMeanwhileAnswersNobody) {
  preempt_as_group();
  ASSERT_EQ(host.muted, (std::set<std::size_t>{0, 1}));
  hear(0, 210);
  EXPECT_EQ(state(1), State::kBackup);
  EXPECT_FALSE(host.leases.contains(1)) << "it has led nobody here";
  pass(Instance::kClaim_us + Departure::kLinger_us);
  EXPECT_EQ(host.announced[1], "");
}

TEST_F(ClaimTest, WhoIsToldToGoMeanwhileLeadsNobodyAnyMore) {
  preempt();
  speaker.leave({0}, now_us);
  EXPECT_EQ(host.adverts[0], "0 ");
  pass(Instance::kClaim_us + Instance::kLead_us);
  EXPECT_EQ(host.announced[0], "");
  EXPECT_TRUE(host.muted.contains(0));
  pass(3 * kSecond_us);
  EXPECT_EQ(state(0), State::kInit);
  EXPECT_EQ(host.announced[0], "");
}

TEST_F(ClaimTest, AReloadMeanwhileDoesNotMakeItSpeak) {
  preempt();
  InstanceConfig config = speaker.instance(0).config();
  config.vips.push_back(testing::kSecond);
  speaker.reconfigure(0, config, config.vips, now_us);
  EXPECT_EQ(host.adverts[0], "");
  pass(Instance::kClaim_us + Instance::kLead_us);
  EXPECT_EQ(host.adverts[0], "200 ");
}

TEST_F(ClaimTest, AFaultMeanwhileEndsIt) {
  preempt();
  speaker.set_fault(0, FaultCause::kTracker, true, now_us);
  EXPECT_FALSE(host.leases.contains(0));
  pass(kSecond_us);
  EXPECT_EQ(host.announced[0], "");
}

// Other backups wait for its advert.
TEST_F(ClaimTest, AGoodbyeMeanwhileEndsIt) {
  preempt();
  hear(0, kReleasePriority);
  EXPECT_EQ(host.adverts[0], "200 ");
  EXPECT_FALSE(host.muted.contains(0));
  pass(1);
  EXPECT_NE(host.announced[0], "");
}

// Nobody serves whom it would disturb.
TEST_F(ClaimTest, WhoSucceedsClaimsNothing) {
  preempt();
  pass(kSecond_us / 2);
  hear(0, 210);
  host.claimed.clear();
  hear(0, kReleasePriority);
  pass(kSecond_us);
  ASSERT_EQ(state(0), State::kMaster);
  EXPECT_TRUE(host.claimed.empty());
}

// Its kernel does not have the addresses yet: clients keep to who goes, or wait.
TEST_F(ClaimTest, WhoSucceedsAnswersNobodyBeforeItIsAnnounced) {
  InstanceConfig config = testing::instance_of(50);
  config.priority = 200;
  add(0, config);
  speaker.start(now_us);
  hear(0, 210);
  host.is_ready = false;
  hear(0, kReleasePriority);
  pass(kSecond_us);
  ASSERT_EQ(state(0), State::kMaster);
  EXPECT_NE(host.adverts[0], "") << "other backups wait for it";
  EXPECT_TRUE(host.leases.contains(0));
  EXPECT_TRUE(host.muted.contains(0));
  pass(kSecond_us);
  EXPECT_TRUE(host.muted.contains(0)) << "an advert does not change that";
  host.is_ready = true;
  pass(Speaker::kAnnounceRetry_us);
  EXPECT_FALSE(host.muted.contains(0));
  EXPECT_NE(host.announced[0], "");
}

TEST_F(ClaimTest, WhoseAnnouncementsAreOffAnswersAllTheSame) {
  InstanceConfig config = testing::instance_of(50);
  config.garp.master_repeat = 0;
  host.is_ready = false;
  add(0, config);
  speaker.start(now_us);
  EXPECT_TRUE(host.muted.contains(0));
  host.is_ready = true;
  pass(Speaker::kAnnounceRetry_us);
  EXPECT_FALSE(host.muted.contains(0));
}

TEST_F(ClaimTest, WhoSaysGoodbyeSharesWhatItStillServes) {
  start();
  speaker.leave({0}, now_us);
  EXPECT_EQ(host.shared, std::set<std::size_t>{0});
  EXPECT_FALSE(host.muted.contains(0));
}

}  // namespace
}  // namespace keepline::vrrp
