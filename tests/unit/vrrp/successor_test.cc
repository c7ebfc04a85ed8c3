// Whom a node that has stepped back leads its clients to.
#include "vrrp/handover/successor.h"

#include <gtest/gtest.h>

#include "tests/unit/vrrp/speaker_fixture.h"

namespace keepline::vrrp {
using testing::ip;

namespace {

class SuccessorTest : public ::testing::Test {
 protected:
  bool serves(std::uint8_t priority, const char* source) {
    Advert advert;
    advert.priority = priority;
    advert.source = ip(source);
    advert.interval_us = kSecond_us;
    return successor.hear(advert, now_us) == Successor::News::kServes;
  }
  Successor successor;
  std::int64_t now_us = 1'000'000'000;
};

TEST_F(SuccessorTest, NobodyIsKnownAtFirst) {
  EXPECT_FALSE(successor.is_known(now_us));
  EXPECT_TRUE(serves(100, "10.0.0.2"));
  EXPECT_TRUE(successor.is_known(now_us));
  successor.forget();
  EXPECT_FALSE(successor.is_known(now_us));
}

TEST_F(SuccessorTest, OfSeveralThatSucceedAtOnceTheBestServes) {
  EXPECT_TRUE(serves(100, "10.0.0.2"));
  EXPECT_TRUE(serves(100, "10.0.0.3")) << "a tie: the higher address";
  EXPECT_FALSE(serves(100, "10.0.0.2")) << "sent before it yielded";
  EXPECT_TRUE(serves(101, "10.0.0.1"));
  EXPECT_TRUE(successor.is_known(now_us));
}

TEST_F(SuccessorTest, WhoSucceedsTheSuccessorLeadsClientsHimself) {
  EXPECT_TRUE(serves(200, "10.0.0.2"));
  EXPECT_FALSE(serves(0, "10.0.0.3")) << "not the successor's goodbye";
  EXPECT_TRUE(successor.is_known(now_us));
  EXPECT_FALSE(serves(0, "10.0.0.2"));
  EXPECT_FALSE(successor.is_known(now_us));
  EXPECT_FALSE(serves(100, "10.0.0.3"));
  EXPECT_FALSE(successor.is_known(now_us));
}

TEST_F(SuccessorTest, ABetterOneThatFallsSilentIsGone) {
  EXPECT_TRUE(serves(200, "10.0.0.2"));
  now_us += kSecond_us;
  EXPECT_FALSE(serves(100, "10.0.0.3"));
  EXPECT_FALSE(successor.is_known(now_us));
}

TEST_F(SuccessorTest, OneWhoseAdvertsDoNotComeIsNotLedTo) {
  EXPECT_TRUE(serves(200, "10.0.0.2"));
  now_us += 2 * kSecond_us - 1;
  EXPECT_TRUE(successor.is_known(now_us)) << "one may be lost or late";
  ++now_us;
  EXPECT_FALSE(successor.is_known(now_us));
}

class LeadingTest : public testing::SpeakerTest {};

// A split brain, and the other one is heard first: it need not know that it was not alone.
TEST_F(LeadingTest, WhoYieldsLeadsItsClientsToTheOther) {
  start();
  hear(0, kOwnerPriority);
  pass(Departure::kLinger_us - Lingering::kLed_us - 1);
  EXPECT_TRUE(host.led.empty()) << "most have been led there by then";
  pass(1);
  EXPECT_EQ(host.led, std::set<std::size_t>{0});
  EXPECT_TRUE(host.leases.contains(0)) << "what they have sent before is on its way";
  host.led.clear();
  pass(Lingering::kLed_us);
  EXPECT_TRUE(host.led.empty());
  EXPECT_FALSE(host.leases.contains(0));
}

// Whoever it has not heard may not have heard its goodbye.
TEST_F(LeadingTest, SoDoesOneThatLeavesForGood) {
  start();
  speaker.leave({0}, now_us);
  hear(0, 100);
  pass(Departure::kLinger_us - Lingering::kLed_us);
  EXPECT_EQ(host.led, std::set<std::size_t>{0});
  EXPECT_EQ(state(0), State::kMaster);
  pass(Lingering::kLed_us);
  EXPECT_EQ(state(0), State::kInit);
}

TEST_F(LeadingTest, WhoseSuccessorLeavesAsWellLeadsNobody) {
  start();
  speaker.leave({0}, now_us);
  hear(0, 100);
  hear(0, kReleasePriority);
  pass(Departure::kLinger_us);
  EXPECT_TRUE(host.led.empty());
}

TEST_F(LeadingTest, WhoIsStoppedBeforeLeadsThemAtOnce) {
  start();
  hear(0, kOwnerPriority);
  speaker.stop(now_us);
  EXPECT_EQ(host.led, std::set<std::size_t>{0});
}

TEST_F(LeadingTest, SoDoesAMemberThatFollowsItsGroup) {
  start_group(2);
  hear(0, kOwnerPriority);
  hear(1, kOwnerPriority);
  pass(Departure::kLinger_us);
  EXPECT_EQ(host.led, (std::set<std::size_t>{0, 1}));
}

TEST_F(LeadingTest, AMemberThatHeardNobodyLeadsNobody) {
  start_group(2);
  hear(0, kOwnerPriority);
  pass(Departure::kLinger_us);
  EXPECT_EQ(host.led, std::set<std::size_t>{0});
}

TEST_F(LeadingTest, WhoIsMasterAgainForgetsThem) {
  start();
  hear(0, kOwnerPriority);
  hear(0, kReleasePriority);
  pass(Departure::kLinger_us / 2);
  ASSERT_EQ(state(0), State::kMaster);
  pass(Departure::kLinger_us);
  EXPECT_TRUE(host.led.empty());
}

// Another master that leaves without having been heard: clients may have been led to it.
TEST_F(LeadingTest, AMasterThatHearsAGoodbyeWinsClientsBack) {
  start();
  pass(Speaker::kConfirm_us);
  host.announced.clear();
  hear(0, kReleasePriority);
  EXPECT_EQ(host.adverts[0], "255 255 ");
  pass(1);
  EXPECT_NE(host.announced[0], "");
  host.announced.clear();
  pass(Speaker::kConfirm_us);
  EXPECT_EQ(host.announced[0], "10.0.0.50 ") << "and once more after the other's answers";
}

// Until its adverts leave again, peers may take over, and clients belong to them.
TEST_F(LeadingTest, WhoseAdvertsDoNotLeaveAnnouncesNothing) {
  start();
  host.announced.clear();
  host.refuses = true;
  pass(kSecond_us);
  hear(0, 100);
  pass(kSecond_us / 2);
  EXPECT_EQ(host.announced[0], "");
  host.refuses = false;
  pass(kSecond_us);
  ASSERT_EQ(state(0), State::kMaster);
  EXPECT_NE(host.announced[0], "");
}

}  // namespace
}  // namespace keepline::vrrp
