// The machine: states, timers, polls, what forbids to speak.
#include "dataplane/bfd/session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/bfd/support.h"

namespace keepline::bfd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

TEST(BfdSession, SpeaksAtOnceAndThenOncePerSecond) {
  Subject s;
  s.run_until(10'000'000);
  ASSERT_GE(s.sent.size(), 9u);
  EXPECT_LE(s.sent.size(), 13u);
  EXPECT_EQ(s.sent_us.front(), 1'000'000);
  EXPECT_EQ(s.sent.front().state, State::kDown);
  EXPECT_EQ(s.sent.front().desired_min_tx_us, 1'000'000u);
  EXPECT_EQ(s.sent.front().required_min_rx_us, 20'000u);
  EXPECT_EQ(s.sent.front().your_discriminator, 0u);
  for (std::size_t i = 1; i < s.sent.size(); ++i) {
    EXPECT_GE(s.sent_us[i] - s.sent_us[i - 1], 750'000);
    EXPECT_LE(s.sent_us[i] - s.sent_us[i - 1], 1'000'000);
  }
}

TEST(BfdSession, ComesUpWithAPollThatIsAnsweredOnce) {
  Subject s;
  EXPECT_FALSE(s.hear(heard(State::kDown, 0)));
  EXPECT_EQ(s.session.state(), State::kInit);
  EXPECT_FALSE(s.sent.back().poll);
  EXPECT_FALSE(s.hear(heard(State::kInit)));
  EXPECT_EQ(s.session.state(), State::kUp);
  EXPECT_TRUE(s.sent.back().poll);
  EXPECT_EQ(s.sent.back().desired_min_tx_us, 10'000u);
  EXPECT_EQ(s.sent.back().your_discriminator, kTheirs);
  ControlPacket answer = heard(State::kUp);
  answer.final = true;
  s.hear(answer);
  s.run_until(s.now_us + 40'000);
  EXPECT_FALSE(s.sent.back().poll);
  ASSERT_EQ(s.changes.size(), 2u);
  EXPECT_EQ(s.changes.back().to, State::kUp);
}

TEST(BfdSession, SendsAtTheSlowerOfBothWishes) {
  Subject s;
  s.come_up();
  EXPECT_EQ(s.session.tx_interval_us(), 30'000);
  EXPECT_EQ(s.session.rx_interval_us(), 30'000);
  EXPECT_EQ(s.session.detection_time_us(), 120'000);
  const std::size_t first = s.sent.size();
  s.run_until(s.now_us + 119'000);
  for (std::size_t i = first + 1; i < s.sent.size(); ++i) {
    EXPECT_GE(s.sent_us[i] - s.sent_us[i - 1], 22'500);
    EXPECT_LE(s.sent_us[i] - s.sent_us[i - 1], 30'000);
  }
}

TEST(BfdSession, MultiplierOneSpeaksBeforeTheTimeIsUp) {
  SessionConfig config = fast_config();
  config.multiplier = 1;
  Subject s(config);
  s.come_up();
  ControlPacket patient = heard(State::kUp);
  patient.multiplier = 255;
  s.hear(patient);
  const std::size_t first = s.sent.size();
  s.run_until(s.now_us + 3'000'000);
  ASSERT_GT(s.sent.size(), first + 90);
  std::int64_t least_us = 1'000'000;
  std::int64_t most_us = 0;
  for (std::size_t i = first + 1; i < s.sent.size(); ++i) {
    least_us = std::min(least_us, s.sent_us[i] - s.sent_us[i - 1]);
    most_us = std::max(most_us, s.sent_us[i] - s.sent_us[i - 1]);
  }
  EXPECT_GE(least_us, 22'500);
  EXPECT_LE(most_us, 27'000);
  EXPECT_GT(most_us - least_us, 3'000) << "they are spread";
}

TEST(BfdSession, WhoMayHaveSpokenIsGivenTwiceTheTime) {
  Subject s;
  s.come_up();
  const std::int64_t heard_us = s.now_us;
  s.session.handle_timeout(heard_us + 239'999, Inbox::kMayHoldMore);
  EXPECT_EQ(s.session.state(), State::kUp);
  s.session.handle_timeout(heard_us + 240'000, Inbox::kMayHoldMore);
  EXPECT_EQ(s.session.state(), State::kDown);
}

TEST(BfdSession, SilenceEndsItAfterTheDetectionTime) {
  Subject s;
  s.come_up();
  const std::int64_t heard_us = s.now_us;
  s.run_until(heard_us + 119'999);
  EXPECT_EQ(s.session.state(), State::kUp);
  s.run_until(heard_us + 120'000);
  EXPECT_EQ(s.session.state(), State::kDown);
  EXPECT_EQ(s.session.diagnostic(), Diagnostic::kDetectionTimeExpired);
  EXPECT_TRUE(s.changes.back().is_loss());
  EXPECT_FALSE(s.session.is_remote_known());
  EXPECT_EQ(s.sent.back().state, State::kDown);
  EXPECT_EQ(s.sent.back().your_discriminator, 0u);
  EXPECT_EQ(s.sent.back().desired_min_tx_us, 1'000'000u);
}

TEST(BfdSession, AGoodbyeIsNoLoss) {
  for (const State said : {State::kAdminDown, State::kDown}) {
    Subject s;
    s.come_up();
    s.hear(heard(said));
    EXPECT_EQ(s.session.state(), State::kDown);
    EXPECT_EQ(s.session.diagnostic(), Diagnostic::kNeighbourSignaledDown);
    EXPECT_FALSE(s.changes.back().is_loss());
  }
}

TEST(BfdSession, APollIsAnsweredAtOnce) {
  Subject s;
  s.come_up();
  ControlPacket poll = heard(State::kUp);
  poll.poll = true;
  const std::size_t before = s.sent.size();
  s.hear(poll);
  ASSERT_EQ(s.sent.size(), before + 1);
  EXPECT_TRUE(s.sent.back().final);
  EXPECT_FALSE(s.sent.back().poll);
}

TEST(BfdSession, WhoWantsNothingGetsNothingButAnswers) {
  Subject s;
  s.come_up();
  ControlPacket quiet = heard(State::kUp);
  quiet.required_min_rx_us = 0;
  quiet.multiplier = 200;
  s.hear(quiet);
  const std::size_t before = s.sent.size();
  s.run_until(s.now_us + 1'000'000);
  EXPECT_EQ(s.sent.size(), before);
  quiet.poll = true;
  s.hear(quiet);
  EXPECT_EQ(s.sent.size(), before + 1);
  quiet.poll = false;
  quiet.required_min_rx_us = 30'000;
  s.hear(quiet);
  s.run_until(s.now_us + 100'000);
  EXPECT_GE(s.sent.size(), before + 4);
}

TEST(BfdSession, DemandOfTheNeighbourIsHonoured) {
  Subject s;
  s.come_up();
  ControlPacket demand = heard(State::kUp);
  demand.demand = true;
  demand.multiplier = 200;
  s.hear(demand);
  const std::size_t before = s.sent.size();
  s.run_until(s.now_us + 500'000);
  EXPECT_EQ(s.sent.size(), before);
}

TEST(BfdSession, ThePassiveOneWaitsToBeSpokenTo) {
  SessionConfig config = fast_config();
  config.is_passive = true;
  Subject s(config);
  s.run_until(5'000'000);
  EXPECT_TRUE(s.sent.empty());
  EXPECT_FALSE(s.session.next_timeout());
  s.come_up();
  EXPECT_EQ(s.session.state(), State::kUp);
  s.run_until(s.now_us + 3'000'000);
  const std::size_t before = s.sent.size();
  s.run_until(s.now_us + 3'000'000);
  EXPECT_EQ(s.sent.size(), before) << "silent again, when nobody is there";
}

TEST(BfdSession, StopSaysGoodbyeThreeTimes) {
  Subject s;
  s.come_up();
  const std::size_t before = s.sent.size();
  s.stop();
  EXPECT_EQ(s.session.state(), State::kAdminDown);
  EXPECT_FALSE(s.session.is_over());
  EXPECT_EQ(s.hear(heard(State::kUp)), Discard::kAdminDown);
  s.run_until(s.now_us + 10'000);
  EXPECT_TRUE(s.session.is_over());
  ASSERT_EQ(s.sent.size(), before + Session::kFarewells);
  EXPECT_EQ(s.sent.back().state, State::kAdminDown);
  EXPECT_EQ(s.sent.back().diagnostic, Diagnostic::kAdministrativelyDown);
}

TEST(BfdSession, APassiveOneThatNobodyKnowsEndsAtOnce) {
  SessionConfig config = fast_config();
  config.is_passive = true;
  Subject s(config);
  s.stop();
  EXPECT_TRUE(s.session.is_over());
  EXPECT_TRUE(s.sent.empty());
}

TEST(BfdSession, SlowerTakesEffectAfterThePoll) {
  Subject s;
  s.come_up();
  SessionConfig slower = fast_config();
  slower.min_tx_us = 90'000;
  slower.min_rx_us = 5'000;
  s.reconfigure(slower);
  EXPECT_EQ(s.session.tx_interval_us(), 30'000) << "the neighbour's wish still counts alone";
  ControlPacket eager = heard(State::kUp);
  eager.desired_min_tx_us = 1'000;
  s.hear(eager);
  EXPECT_EQ(s.session.rx_interval_us(), 20'000) << "it does not know yet that it may speak more";
  s.run_until(s.now_us + 31'000);
  EXPECT_TRUE(s.sent.back().poll);
  EXPECT_EQ(s.sent.back().desired_min_tx_us, 90'000u);
  eager.final = true;
  s.hear(eager);
  EXPECT_EQ(s.session.tx_interval_us(), 90'000);
  EXPECT_EQ(s.session.rx_interval_us(), 5'000);
}

TEST(BfdSession, FasterTakesEffectAtOnce) {
  Subject s;
  s.come_up();
  ControlPacket quick = heard(State::kUp);
  quick.required_min_rx_us = 1'000;
  s.hear(quick);
  SessionConfig faster = fast_config();
  faster.min_tx_us = 2'000;
  s.reconfigure(faster);
  EXPECT_EQ(s.session.tx_interval_us(), 2'000);
  s.run_until(s.now_us + 10'000);
  EXPECT_TRUE(s.sent.back().poll);
}

TEST(BfdSession, AChangeDuringAPollAsksOnceMore) {
  Subject s;
  s.come_up();
  SessionConfig config = fast_config();
  config.min_tx_us = 60'000;
  s.reconfigure(config);
  config.min_tx_us = 90'000;
  s.reconfigure(config);
  ControlPacket answer = heard(State::kUp);
  answer.final = true;
  s.hear(answer);
  EXPECT_EQ(s.session.tx_interval_us(), 30'000);
  s.run_until(s.now_us + 31'000);
  EXPECT_TRUE(s.sent.back().poll);
  s.hear(answer);
  EXPECT_EQ(s.session.tx_interval_us(), 90'000);
}

TEST(BfdSession, BadPacketsLeaveItUp) {
  Subject s;
  s.come_up();
  ControlPacket bad = heard(State::kDown);
  bad.has_authentication = true;
  EXPECT_EQ(s.hear(bad), Discard::kAuthentication);
  EXPECT_EQ(s.hear(heard(State::kUp, 0)), Discard::kNotEstablishing);
  EXPECT_EQ(s.hear(heard(State::kInit, 0)), Discard::kNotEstablishing);
  EXPECT_EQ(s.session.state(), State::kUp);
  const Statistics& counted = s.session.statistics();
  EXPECT_EQ(counted.discarded[static_cast<std::size_t>(Discard::kAuthentication)], 1u);
  EXPECT_EQ(counted.discarded[static_cast<std::size_t>(Discard::kNotEstablishing)], 2u);
}

TEST(BfdSession, DiscardedPacketsDoNotKeepItUp) {
  Subject s;
  s.come_up();
  const std::int64_t end_us = s.now_us + 120'000;
  while (s.now_us < end_us - 10'000) {
    s.run_until(s.now_us + 10'000);
    s.hear(heard(State::kUp, 0));
  }
  s.run_until(end_us);
  EXPECT_EQ(s.session.state(), State::kDown);
}

}  // namespace
}  // namespace keepline::bfd
