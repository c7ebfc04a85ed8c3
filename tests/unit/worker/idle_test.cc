#include "dataplane/worker/idle.h"

#include <gtest/gtest.h>

namespace keepline::worker {
namespace {

TEST(Idle, SpinsFirstThenSleepsShortThenLonger) {
  Idle idle(IdleMode::kAdaptive);
  for (std::uint32_t i = 0; i < Idle::kSpinTurns; ++i) ASSERT_EQ(idle.after_turn(false), 0u) << i;
  for (const std::uint32_t us : {10u, 20u, 40u, 50u, 50u}) EXPECT_EQ(idle.after_turn(false), us);
  for (std::uint32_t i = 5; i < Idle::kShortSleeps; ++i) ASSERT_EQ(idle.after_turn(false), 50u);
  for (const std::uint32_t us : {100u, 200u, 250u, 250u}) EXPECT_EQ(idle.after_turn(false), us);
  idle.after_turn(true);
  for (std::uint32_t i = 0; i < Idle::kSpinTurns; ++i) idle.after_turn(false);
  EXPECT_EQ(idle.after_turn(false), 10u);
}

TEST(Idle, TheFirstFrameEndsIt) {
  Idle idle(IdleMode::kAdaptive);
  for (std::uint32_t i = 0; i < Idle::kSpinTurns + 20; ++i) idle.after_turn(false);
  EXPECT_EQ(idle.after_turn(true), 0u);
  for (std::uint32_t i = 0; i < Idle::kSpinTurns; ++i) ASSERT_EQ(idle.after_turn(false), 0u) << i;
  EXPECT_EQ(idle.after_turn(false), Idle::kMinSleepUs);
}

TEST(Idle, UnderLoadItNeverSleeps) {
  Idle idle(IdleMode::kAdaptive);
  for (std::uint32_t i = 0; i < 3 * Idle::kSpinTurns; ++i) {
    ASSERT_EQ(idle.after_turn(i % 100 == 0), 0u);
  }
}

TEST(Idle, PollingNeverSleeps) {
  Idle idle(IdleMode::kPoll);
  for (std::uint32_t i = 0; i < 10 * Idle::kSpinTurns; ++i) ASSERT_EQ(idle.after_turn(false), 0u);
}

TEST(Idle, ItNeverSleepsLongerThanTheMostHoweverLongItIsIdle) {
  Idle idle(IdleMode::kAdaptive);
  for (int i = 0; i < 100'000; ++i) ASSERT_LE(idle.after_turn(false), Idle::kMaxSleepUs);
}

}  // namespace
}  // namespace keepline::worker
