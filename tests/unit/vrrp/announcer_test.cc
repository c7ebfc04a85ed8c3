#include "vrrp/handover/announcer.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using testing::ip;
using testing::kMs;
using testing::kStart_us;

using Sends = std::vector<std::pair<std::int64_t, net::IpAddr>>;  // since kStart_us

// Runs the announcer as a driver does until nothing is due before `until_us` after the start.
Sends run(Announcer& announcer, GarpGap& gap, std::int64_t from_us, std::int64_t until_us) {
  Sends sends;
  std::int64_t now_us = kStart_us + from_us;
  while (sends.size() < 10'000) {
    while (const auto vip = announcer.poll(now_us, gap)) {
      sends.emplace_back(now_us - kStart_us, *vip);
    }
    const auto next_us = announcer.next_timeout(gap);
    if (!next_us || *next_us > kStart_us + until_us) break;
    now_us = std::max(now_us, *next_us);
  }
  return sends;
}

const net::IpAddr kA = ip("10.0.0.1");
const net::IpAddr kB = ip("10.0.0.2");

TEST(Announcer, DefaultsAreTwoBurstsOfFiveRounds) {
  Announcer announcer(GarpSettings{}, {kA, kB});
  GarpGap gap;
  EXPECT_EQ(announcer.next_timeout(gap), std::nullopt);
  EXPECT_EQ(announcer.poll(kStart_us, gap), std::nullopt);
  announcer.start(kStart_us);
  const Sends sends = run(announcer, gap, 0, 100 * kSecond_us);
  ASSERT_EQ(sends.size(), 20u);
  for (std::size_t i = 0; i < sends.size(); ++i) {
    EXPECT_EQ(sends[i].first, i < 10 ? 0 : 5 * kSecond_us) << i;
    EXPECT_EQ(sends[i].second, i % 2 == 0 ? kA : kB) << i;
  }
}

TEST(Announcer, NoDelayNoSecondBurst) {
  GarpSettings settings;
  settings.master_delay_us = 0;
  settings.master_repeat = 1;
  Announcer announcer(settings, {kA});
  GarpGap gap;
  announcer.start(kStart_us);
  EXPECT_EQ(run(announcer, gap, 0, 100 * kSecond_us), (Sends{{0, kA}}));
}

TEST(Announcer, AConfirmationIsOneRoundMore) {
  GarpSettings settings;
  settings.master_delay_us = 0;
  settings.master_repeat = 2;
  Announcer announcer(settings, {kA, kB});
  GarpGap gap;
  announcer.confirm_at(kStart_us + 10 * kMs);
  EXPECT_FALSE(announcer.will_confirm(kStart_us)) << "no master";
  announcer.start(kStart_us);
  announcer.confirm_at(kStart_us + 10 * kMs);
  announcer.confirm_at(kStart_us + 20 * kMs);
  const Sends sends = run(announcer, gap, 0, kSecond_us);
  ASSERT_EQ(sends.size(), 6u);
  EXPECT_EQ(sends[3].first, 0);
  EXPECT_EQ(sends[4], std::make_pair(20 * kMs, kA));
  EXPECT_EQ(sends[5], std::make_pair(20 * kMs, kB));
  announcer.confirm_at(kStart_us + 2 * kSecond_us);
  EXPECT_TRUE(announcer.will_confirm(kStart_us + kSecond_us));
  EXPECT_FALSE(announcer.will_confirm(kStart_us + 2 * kSecond_us)) << "it is due";
  announcer.stop();
  EXPECT_FALSE(announcer.will_confirm(kStart_us + kSecond_us));
}

TEST(Announcer, RefreshStartsAfterDelayPlusPeriod) {
  GarpSettings settings;
  settings.master_repeat = 1;
  settings.refresh_us = 10 * kSecond_us;
  settings.refresh_repeat = 2;
  Announcer announcer(settings, {kA});
  GarpGap gap;
  announcer.start(kStart_us);
  EXPECT_EQ(run(announcer, gap, 0, 30 * kSecond_us), (Sends{{0, kA},
                                                            {5 * kSecond_us, kA},
                                                            {15 * kSecond_us, kA},
                                                            {15 * kSecond_us, kA},
                                                            {25 * kSecond_us, kA},
                                                            {25 * kSecond_us, kA}}));
}

TEST(Announcer, RefreshDoesNotCatchUpAfterAPause) {
  GarpSettings settings;
  settings.master_delay_us = 0;
  settings.master_repeat = 1;
  settings.refresh_us = kSecond_us;
  Announcer announcer(settings, {kA});
  GarpGap gap;
  announcer.start(kStart_us);
  run(announcer, gap, 0, 0);
  EXPECT_EQ(run(announcer, gap, 50 * kSecond_us, 50 * kSecond_us).size(), 1u);
}

TEST(Announcer, LowerPriorityNowAndLater) {
  GarpSettings settings;
  settings.master_repeat = 1;
  settings.master_delay_us = 0;
  settings.lower_prio_delay_us = 2 * kSecond_us;
  settings.lower_prio_repeat = 2;
  Announcer announcer(settings, {kA});
  GarpGap gap;
  announcer.lower_priority_heard(kStart_us);
  EXPECT_EQ(announcer.next_timeout(gap), std::nullopt) << "not master";
  announcer.start(kStart_us);
  run(announcer, gap, 0, 0);
  announcer.lower_priority_heard(kStart_us + kSecond_us);
  EXPECT_EQ(
      run(announcer, gap, kSecond_us, 100 * kSecond_us),
      (Sends{{kSecond_us, kA}, {kSecond_us, kA}, {3 * kSecond_us, kA}, {3 * kSecond_us, kA}}));
}

TEST(Announcer, AStreamOfLowerPriorityNeitherPostponesNorStarves) {
  GarpSettings settings;
  settings.interval_us = 10 * kMs;
  Announcer announcer(settings, {kA, kB});
  GarpGap gap(settings.interval_us);
  announcer.start(kStart_us);
  Sends sends;
  for (std::int64_t ms = 0; ms < 1000; ++ms) {
    announcer.lower_priority_heard(kStart_us + ms * kMs);
    while (const auto vip = announcer.poll(kStart_us + ms * kMs, gap)) sends.emplace_back(ms, *vip);
  }
  EXPECT_EQ(sends.size(), 100u);
  EXPECT_EQ(sends[1].second, kB);
}

TEST(Announcer, TheLaterBurstKeepsItsTime) {
  GarpSettings settings;
  settings.master_repeat = 1;
  settings.master_delay_us = 0;
  settings.lower_prio_delay_us = 2500 * kMs;
  settings.lower_prio_repeat = 1;
  Announcer announcer(settings, {kA});
  GarpGap gap;
  announcer.start(kStart_us);
  run(announcer, gap, 0, 0);
  std::size_t sends = 0;
  for (std::int64_t s = 1; s <= 6; ++s) {
    announcer.lower_priority_heard(kStart_us + s * kSecond_us);
    sends += run(announcer, gap, s * kSecond_us, s * kSecond_us + 999 * kMs).size();
  }
  EXPECT_EQ(sends, 8u) << "six heard, and later ones at 3.5 s and 6.5 s";
}

TEST(Announcer, MergedBurstGivesEveryVipItsRounds) {
  GarpSettings settings;
  settings.master_repeat = 1;
  settings.master_delay_us = 0;
  settings.lower_prio_repeat = 3;
  settings.lower_prio_delay_us = 0;
  Announcer announcer(settings, {kA, kB});
  GarpGap gap;
  announcer.start(kStart_us);
  EXPECT_EQ(announcer.poll(kStart_us, gap), kA);
  announcer.lower_priority_heard(kStart_us);
  int a = 0;
  int b = 0;
  for (const auto& send : run(announcer, gap, 0, 0)) ++(send.second == kA ? a : b);
  EXPECT_EQ(a, 3);
  EXPECT_EQ(b, 4);
}

TEST(Announcer, GapIsSharedOnAnInterface) {
  GarpSettings settings;
  settings.master_repeat = 2;
  settings.master_delay_us = 0;
  settings.interval_us = 10 * kMs;
  Announcer one(settings, {kA});
  Announcer two(settings, {kB});
  GarpGap gap(settings.interval_us);
  one.start(kStart_us);
  two.start(kStart_us);
  EXPECT_EQ(one.poll(kStart_us, gap), kA);
  EXPECT_EQ(one.poll(kStart_us, gap), std::nullopt);
  EXPECT_EQ(two.poll(kStart_us, gap), std::nullopt);
  EXPECT_EQ(two.next_timeout(gap), kStart_us + 10 * kMs);
  EXPECT_EQ(two.poll(kStart_us + 10 * kMs - 1, gap), std::nullopt);
  EXPECT_EQ(two.poll(kStart_us + 10 * kMs, gap), kB);
  EXPECT_EQ(run(one, gap, 10 * kMs, kSecond_us), (Sends{{20 * kMs, kA}}));
}

TEST(Announcer, StopsAtOnce) {
  Announcer announcer(GarpSettings{}, {kA, kB});
  GarpGap gap;
  announcer.start(kStart_us);
  EXPECT_EQ(announcer.poll(kStart_us, gap), kA);
  announcer.stop();
  EXPECT_EQ(announcer.poll(kStart_us + 10 * kSecond_us, gap), std::nullopt);
  EXPECT_EQ(announcer.next_timeout(gap), std::nullopt);
}

TEST(Announcer, NewVips) {
  GarpSettings settings;
  settings.master_repeat = 1;
  settings.master_delay_us = 0;
  Announcer announcer(settings, {});
  GarpGap gap;
  announcer.start(kStart_us);
  EXPECT_EQ(announcer.poll(kStart_us, gap), std::nullopt);
  announcer.configure(settings, {kB, kA});
  EXPECT_EQ(run(announcer, gap, 0, 0), (Sends{{0, kB}, {0, kA}}));
  // The same ones again are no news.
  announcer.configure(settings, {kB, kA});
  EXPECT_EQ(announcer.poll(kStart_us, gap), std::nullopt);
}

}  // namespace
}  // namespace keepline::vrrp
