#include "control/local_port_watch.h"

#include <gtest/gtest.h>

namespace keepline::control {
namespace {

using Change = LocalPortWatch::Change;

lb::RealServer server(lb::RealSlot slot) {
  lb::RealServer real;
  real.slot = slot;
  real.generation = 1;
  return real;
}

TEST(LocalPortWatch, SaysItOnceAndAgainAfterARelief) {
  LocalPortWatch watch;
  EXPECT_EQ(watch.note(server(1), 799, 1000), Change::kNone);
  EXPECT_EQ(watch.note(server(1), 800, 1000), Change::kScarce);
  EXPECT_EQ(watch.note(server(1), 1000, 1000), Change::kNone);
  EXPECT_EQ(watch.note(server(2), 10, 1000), Change::kNone);
  EXPECT_EQ(watch.note(server(1), 750, 1000), Change::kNone) << "no flapping";
  EXPECT_EQ(watch.note(server(1), 699, 1000), Change::kEnough);
  EXPECT_EQ(watch.note(server(1), 900, 1000), Change::kScarce);
  EXPECT_EQ(watch.note(server(1), 900, 0), Change::kEnough) << "it is not FULLNAT any more";
}

TEST(LocalPortWatch, OthersNeedNone) {
  LocalPortWatch watch;
  EXPECT_EQ(watch.note(server(1), 0, 0), Change::kNone);
  EXPECT_EQ(watch.note(server(1), 1'000'000, 0), Change::kNone);
}

}  // namespace
}  // namespace keepline::control
