#include "vrrp/script_status.h"

#include <gtest/gtest.h>

#include <string>

namespace keepline::vrrp {
namespace {

// What a string of results (`+` good, `-` bad) makes of it, a letter each: g, b or ?.
std::string outcomes(ScriptStatus status, const std::string& results) {
  std::string all;
  for (const char result : results) {
    const Outcome before = status.outcome();
    const bool changed = status.note(result == '+');
    EXPECT_EQ(changed, status.outcome() != before);
    all += status.outcome() == Outcome::kGood ? 'g' : status.outcome() == Outcome::kBad ? 'b' : '?';
  }
  return all;
}

TEST(ScriptStatus, TheFirstResultDecides) {
  EXPECT_EQ(outcomes({3, 3, false}, "+"), "g");
  EXPECT_EQ(outcomes({3, 3, false}, "-"), "b");
}

TEST(ScriptStatus, FailuresInARowMakeItBad) {
  EXPECT_EQ(outcomes({1, 3, false}, "+--+--+---"), "gggggggggb");
  EXPECT_EQ(outcomes({1, 1, false}, "+-+-"), "gbgb");
}

TEST(ScriptStatus, SuccessesInARowMakeItGood) {
  EXPECT_EQ(outcomes({3, 1, false}, "-++-+++"), "bbbbbbg");
  EXPECT_EQ(outcomes({2, 2, false}, "-++--++"), "bbggbbg");
}

TEST(ScriptStatus, InitFailBeginsBad) {
  EXPECT_EQ(ScriptStatus(2, 1, true).outcome(), Outcome::kBad);
  EXPECT_EQ(outcomes({2, 1, true}, "++"), "bg");
}

}  // namespace
}  // namespace keepline::vrrp
