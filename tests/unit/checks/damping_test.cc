// The damping rules, one test per row of the rule table; time is an argument.
#include "checks/damping.h"

#include <gtest/gtest.h>

namespace keepline::checks {
namespace {

using namespace std::chrono_literals;

constexpr Outcome kOk{OutcomeKind::kOk};
constexpr Outcome kRefused{OutcomeKind::kRefused};
constexpr Outcome kNotRun{OutcomeKind::kNotRun, 24};
constexpr TimePoint kStart{};

DampingParams params() {
  DampingParams result;
  result.delay_loop = 10s;
  result.delay_before_retry = 2s;
  result.warmup = 8s;
  result.retry = 2;
  return result;
}

TEST(Damping, FirstProbeComesAfterOneSecondAndARandomPartOfWarmup) {
  EXPECT_EQ(Damping(params(), 1, kStart, 0).next_probe(), kStart + 1s);
  EXPECT_EQ(Damping(params(), 1, kStart, 0.5).next_probe(), kStart + 5s);
}

TEST(Damping, FirstFailureEverIsDownAtOnce) {
  Damping damping(params(), 1, kStart, 0);
  EXPECT_TRUE(damping.is_up());
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kWentDown);
  EXPECT_FALSE(damping.is_up());
  EXPECT_EQ(damping.next_probe(), kStart + 10s);
}

TEST(Damping, FirstSuccessStaysUp) {
  Damping damping(params(), 1, kStart, 0);
  EXPECT_FALSE(damping.has_run());
  EXPECT_EQ(damping.handle_outcome(kOk, kStart), Verdict::kNoChange);
  EXPECT_TRUE(damping.is_up());
  EXPECT_TRUE(damping.has_run());
  EXPECT_EQ(damping.next_probe(), kStart + 10s);
}

TEST(Damping, DownAfterRetryPlusOneFailuresSpacedByDelayBeforeRetry) {
  Damping damping(params(), 1, kStart, 0);
  damping.handle_outcome(kOk, kStart);
  for (unsigned i = 1; i <= 2; ++i) {
    EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kNoChange);
    EXPECT_EQ(damping.failures_in_row(), i);
    EXPECT_EQ(damping.next_probe(), kStart + 2s);
  }
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kWentDown);
  EXPECT_EQ(damping.next_probe(), kStart + 10s);
}

TEST(Damping, NoRetryMeansTheFirstFailureDecides) {
  DampingParams no_retry = params();
  no_retry.retry = 0;
  Damping damping(no_retry, 1, kStart, 0);
  damping.handle_outcome(kOk, kStart);
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kWentDown);
}

TEST(Damping, ASuccessForgetsEarlierFailures) {
  Damping damping(params(), 1, kStart, 0);
  damping.handle_outcome(kOk, kStart);
  damping.handle_outcome(kRefused, kStart);
  damping.handle_outcome(kRefused, kStart);
  EXPECT_EQ(damping.handle_outcome(kOk, kStart), Verdict::kNoChange);
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kNoChange);
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kNoChange);
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kWentDown);
}

TEST(Damping, OneSuccessIsUp) {
  Damping damping(params(), 1, kStart, 0);
  damping.handle_outcome(kRefused, kStart);
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kNoChange);
  EXPECT_EQ(damping.next_probe(), kStart + 10s);
  EXPECT_EQ(damping.handle_outcome(kOk, kStart), Verdict::kWentUp);
  EXPECT_EQ(damping.failures_in_row(), 0u);
  EXPECT_EQ(damping.next_probe(), kStart + 10s);
}

TEST(Damping, NotRunIsRescheduledAndCountsForNothing) {
  Damping damping(params(), 1, kStart, 0);
  EXPECT_EQ(damping.handle_outcome(kNotRun, kStart), Verdict::kNoChange);
  EXPECT_TRUE(damping.is_up());
  EXPECT_FALSE(damping.has_run());
  EXPECT_EQ(damping.failures_in_row(), 0u);
  EXPECT_EQ(damping.next_probe(), kStart + 2s);
  damping.handle_outcome(kOk, kStart);
  damping.handle_outcome(kRefused, kStart);
  damping.handle_outcome(kRefused, kStart);
  EXPECT_EQ(damping.handle_outcome(kNotRun, kStart), Verdict::kNoChange);
  EXPECT_EQ(damping.failures_in_row(), 2u);
}

TEST(Damping, AlphaStartsDownUntilASuccess) {
  DampingParams alpha = params();
  alpha.alpha = true;
  Damping damping(alpha, 1, kStart, 0);
  EXPECT_FALSE(damping.is_up());
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kNoChange);
  EXPECT_EQ(damping.handle_outcome(kOk, kStart), Verdict::kWentUp);
}

TEST(Damping, ARoundTakesOneStepPerDelayLoop) {
  Damping damping(params(), 3, kStart, 0);
  for (unsigned step = 0; step < 6; ++step) {
    EXPECT_EQ(damping.step(), step % 3);
    damping.handle_outcome(kOk, kStart);
    EXPECT_EQ(damping.next_probe(), kStart + 10s);
    EXPECT_EQ(damping.has_run(), step >= 2);
  }
}

TEST(Damping, AFailureInTheFirstRoundIsDownAtOnce) {
  Damping damping(params(), 2, kStart, 0);
  damping.handle_outcome(kOk, kStart);
  EXPECT_EQ(damping.handle_outcome(kRefused, kStart), Verdict::kWentDown);
}

TEST(Damping, TheFailingStepIsRepeatedAndThenAFullRoundMakesItUp) {
  Damping damping(params(), 2, kStart, 0);
  damping.handle_outcome(kOk, kStart);
  damping.handle_outcome(kRefused, kStart);
  EXPECT_EQ(damping.step(), 1u);
  damping.handle_outcome(kRefused, kStart);
  EXPECT_EQ(damping.step(), 1u);
  EXPECT_EQ(damping.handle_outcome(kOk, kStart), Verdict::kNoChange);
  EXPECT_EQ(damping.step(), 0u);
  EXPECT_EQ(damping.handle_outcome(kOk, kStart), Verdict::kNoChange);
  EXPECT_EQ(damping.handle_outcome(kOk, kStart), Verdict::kWentUp);
}

TEST(Damping, FastRecoveryRemovesTheWaitsOfAnUndecidedRound) {
  DampingParams fast = params();
  fast.fast_recovery = true;
  Damping damping(fast, 2, kStart, 0);
  damping.handle_outcome(kOk, kStart);
  EXPECT_EQ(damping.next_probe(), kStart);
  damping.handle_outcome(kOk, kStart);
  EXPECT_EQ(damping.next_probe(), kStart + 10s);
  damping.handle_outcome(kOk, kStart);
  EXPECT_EQ(damping.next_probe(), kStart + 10s);
}

TEST(Damping, HttpChecksThatAreDownTakeTheLongerDelay) {
  DampingParams http = params();
  http.delay_before_retry = 30s;
  Damping plain(http, 1, kStart, 0);
  plain.handle_outcome(kRefused, kStart);
  EXPECT_EQ(plain.next_probe(), kStart + 10s);
  http.down_spacing = DownSpacing::kLongerDelay;
  Damping longer(http, 1, kStart, 0);
  longer.handle_outcome(kRefused, kStart);
  EXPECT_EQ(longer.next_probe(), kStart + 30s);
}

TEST(Damping, ProbesAreNeverCloserThanTheMinimum) {
  DampingParams eager = params();
  eager.delay_loop = 1us;
  eager.delay_before_retry = 1us;
  Damping damping(eager, 1, kStart, 0);
  for (const Outcome& outcome : {kOk, kRefused, kNotRun}) {
    damping.handle_outcome(outcome, kStart);
    EXPECT_EQ(damping.next_probe(), kStart + kMinSpacing);
  }
}

TEST(Outcome, TextsNameTheDetail) {
  EXPECT_EQ(to_string(kOk), "ok");
  EXPECT_EQ(to_string(Outcome{OutcomeKind::kBadStatus, 503}), "bad status 503");
  EXPECT_EQ(to_string(kNotRun), "not run (Too many open files)");
}

}  // namespace
}  // namespace keepline::checks
