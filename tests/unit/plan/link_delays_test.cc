// interface_up_down_delays over time.
#include "control/plan/link_delays.h"

#include <gtest/gtest.h>

namespace keepline::control {
namespace {

constexpr std::int64_t kSecond_us = 1'000'000;

class LinkDelaysTest : public ::testing::Test {
 protected:
  // Whether eth0 counts as up at this second, being so.
  bool at(double second, bool is_up) {
    link.is_up = is_up;
    now_us = static_cast<std::int64_t>(second * 1e6);
    Link other;
    other.name = "eth1";
    other.ifindex = 9;
    other.is_up = is_up;
    const auto links =
        delays.settle({{"eth0", 2 * kSecond_us, 5 * kSecond_us, {}}}, {link, other}, now_us);
    EXPECT_EQ(links.at(1).is_up, is_up) << "without delays";
    return links.at(0).is_up;
  }
  // Seconds until it wants to look again; -1: never.
  double wait() const {
    const auto next_us = delays.next_us();
    return next_us ? static_cast<double>(*next_us - now_us) / 1e6 : -1;
  }

  LinkDelays delays;
  Link link = [] {
    Link eth0;
    eth0.name = "eth0";
    eth0.ifindex = 2;
    return eth0;
  }();
  std::int64_t now_us = 0;
};

TEST_F(LinkDelaysTest, TheFirstLookCountsAtOnce) {
  EXPECT_FALSE(at(1, false));
  EXPECT_EQ(wait(), -1);
}

TEST_F(LinkDelaysTest, AChangeCountsWhenItHasLasted) {
  EXPECT_TRUE(at(0, true));
  EXPECT_TRUE(at(1, false));
  EXPECT_EQ(wait(), 2);
  EXPECT_TRUE(at(2.9, false)) << "looking does not put it off";
  EXPECT_FALSE(at(3, false));
  EXPECT_EQ(wait(), -1);
  EXPECT_FALSE(at(4, true));
  EXPECT_EQ(wait(), 5);
  EXPECT_TRUE(at(9, true));
}

TEST_F(LinkDelaysTest, AFlapIsForgotten) {
  EXPECT_TRUE(at(0, true));
  EXPECT_TRUE(at(1, false));
  EXPECT_TRUE(at(2, true));
  EXPECT_EQ(wait(), -1);
  EXPECT_TRUE(at(2.5, false)) << "its time begins anew";
  EXPECT_EQ(wait(), 2);
}

TEST_F(LinkDelaysTest, AnotherInterfaceOfThatNameIsAnother) {
  EXPECT_TRUE(at(0, true));
  link.ifindex = 3;
  EXPECT_FALSE(at(1, false));
}

TEST_F(LinkDelaysTest, WhatIsGoneIsGone) {
  EXPECT_TRUE(at(0, true));
  EXPECT_TRUE(at(1, false));
  EXPECT_TRUE(delays.settle({{"eth0", 2 * kSecond_us, 0, {}}}, {}, now_us).empty());
  EXPECT_EQ(wait(), -1);
}

}  // namespace
}  // namespace keepline::control
