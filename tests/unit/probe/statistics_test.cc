// Losses, outages and times out of what became of each question.
#include "control/cli/probe/statistics.h"

#include <gtest/gtest.h>

namespace keepline::cli::probe {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// Questions each millisecond: "a" and "b" are answered by that server, "." is lost, "-" was not
// sent, "s" answered slowly by "a".
Log log_of(std::string_view story) {
  Log log(kMs);
  for (std::uint64_t i = 0; i < story.size(); ++i) {
    const char what = story[i];
    what == '-' ? log.not_sent() : log.sent(0);
    if (what == 's') log.slow(i);
    if (what == 'a' || what == 's') log.answered(i, 40'000, 30'000, "a");
    if (what == 'b') log.answered(i, 40'000, 30'000, "b");
  }
  return log;
}

TEST(ProbeStatistics, NothingLost) {
  const auto all = log_of("aaaabbb").statistics({});
  EXPECT_EQ(all.sent, 7u);
  EXPECT_EQ(all.answered, 7u);
  EXPECT_EQ(all.lost.all(), 0u);
  EXPECT_EQ(all.outage_count, 0u);
  EXPECT_EQ(all.outage_ms, 0);
  const std::map<std::string, std::uint64_t> servers{{"a", 4}, {"b", 3}};
  EXPECT_EQ(all.servers, servers);
}

TEST(ProbeStatistics, AnOutageIsTheGapBeyondTheInterval) {
  const auto all = log_of("aaa....bb").statistics({});
  EXPECT_EQ(all.lost.all(), 4u);
  ASSERT_EQ(all.outages.size(), 1u);
  const Outage& outage = all.outages[0];
  EXPECT_DOUBLE_EQ(outage.start_s, 0.003);
  EXPECT_NEAR(outage.duration_ms, 4, 1e-9);
  EXPECT_EQ(outage.first, 3u);
  EXPECT_EQ(outage.before, "a");
  EXPECT_EQ(outage.after, "b");
  EXPECT_FALSE(outage.stalled);
}

TEST(ProbeStatistics, OutagesAtEitherEnd) {
  const auto all = log_of("..aa...").statistics({});
  ASSERT_EQ(all.outages.size(), 2u);
  EXPECT_NEAR(all.outages[0].duration_ms, 2, 1e-9);
  EXPECT_EQ(all.outages[0].before, "");
  EXPECT_NEAR(all.outages[1].duration_ms, 3, 1e-9);
  EXPECT_EQ(all.outages[1].after, "");
  EXPECT_NEAR(all.outage_ms, 3, 1e-9);
  EXPECT_NEAR(all.outages_sum_ms, 5, 1e-9);
  const auto never = log_of("....").statistics({});
  EXPECT_NEAR(never.outage_ms, 4, 1e-9);
}

TEST(ProbeStatistics, WhatWasNotSentIsNoLoss) {
  const auto quiet = log_of("aa--aa").statistics({});
  EXPECT_EQ(quiet.sent, 4u);
  EXPECT_EQ(quiet.not_sent, 2u);
  EXPECT_EQ(quiet.lost.all(), 0u);
  EXPECT_EQ(quiet.outage_count, 0u);
  // Whether it would have been answered is not known: the outage may be as long as that.
  const auto within = log_of("aa.-.ba").statistics({});
  EXPECT_EQ(within.lost.all(), 2u);
  ASSERT_EQ(within.outages.size(), 1u);
  EXPECT_NEAR(within.outages[0].duration_ms, 3, 1e-9);
  EXPECT_TRUE(within.outages[0].stalled);
}

TEST(ProbeStatistics, TalliesTellTheDirections) {
  const Log log = log_of("aa....bb");
  const Tallies all_asked{{{0, 3}, {6, 7}}, true};
  const auto known = log.statistics(all_asked);
  EXPECT_EQ(known.lost.back, 2u);
  EXPECT_EQ(known.lost.there, 2u);
  EXPECT_EQ(known.lost.unknown, 0u);
  EXPECT_EQ(known.outages[0].lost.back, 2u);
  const auto partly = log.statistics({{{2, 2}, {6, 1'000'000}}, false});
  EXPECT_EQ(partly.lost.back, 1u);
  EXPECT_EQ(partly.lost.there, 0u);
  EXPECT_EQ(partly.lost.unknown, 3u);
}

TEST(ProbeStatistics, SlowAnswersHurtButAreNotLost) {
  const auto all = log_of("aassaa").statistics({});
  EXPECT_EQ(all.answered, 6u);
  EXPECT_EQ(all.slow, 2u);
  EXPECT_EQ(all.lost.all(), 0u);
  EXPECT_NEAR(all.outage_ms, 2, 1e-9);
}

TEST(ProbeStatistics, ChangesOfTheServer) {
  const auto all = log_of("a.abb..a").statistics({});
  ASSERT_EQ(all.changes.size(), 2u);
  EXPECT_DOUBLE_EQ(all.changes[0].at_s, 0.003);
  EXPECT_EQ(all.changes[0].before, "a");
  EXPECT_EQ(all.changes[0].after, "b");
  EXPECT_DOUBLE_EQ(all.changes[1].at_s, 0.007);
  EXPECT_TRUE(log_of("aaa").statistics({}).changes.empty());
}

TEST(ProbeStatistics, EachFateIsCounted) {
  Log log(kMs);
  for (const Fate fate : {Fate::kRefused, Fate::kReset, Fate::kReset, Fate::kTimeout}) {
    log.sent(0);
    log.ended(log.questions() - 1, fate);
  }
  const auto all = log.statistics({});
  EXPECT_EQ(all.refused, 1u);
  EXPECT_EQ(all.reset, 2u);
  EXPECT_EQ(all.timeout, 1u);
  EXPECT_EQ(all.lost.all(), 4u);
}

TEST(ProbeStatistics, DuplicatesCountOnce) {
  Log log = log_of("aa");
  log.answered(1, 90'000, 80'000, "b");
  log.answered(1, 90'000, 80'000, "b");
  log.answered(99, 1, 1, "a");  // never asked
  const auto all = log.statistics({});
  EXPECT_EQ(all.answered, 2u);
  EXPECT_EQ(all.duplicated, 2u);
  EXPECT_EQ(all.servers.size(), 1u);
}

TEST(ProbeStatistics, LatenessIsTheProbesOwn) {
  Log log(kMs);
  log.sent(10'000);
  log.sent(kLateNs + 1'000);
  log.sent(-5);  // the clock's resolution
  for (std::uint64_t i = 0; i < 3; ++i) log.answered(i, 1'000, 500, "a");
  const auto all = log.statistics({});
  EXPECT_EQ(all.late, 1u);
  EXPECT_NEAR(all.worst_late_us, 1'001, 0.1);
  EXPECT_EQ(all.outage_count, 0u);
}

TEST(ProbeStatistics, OneWayTimesNeedClocksInStep) {
  const auto in_step = log_of("aa").statistics({});
  ASSERT_TRUE(in_step.there_us && in_step.back_us);
  EXPECT_NEAR(in_step.there_us->p50, 30, 1e-9);
  EXPECT_NEAR(in_step.back_us->p50, 10, 1e-9);
  Log log = log_of("aa");
  log.sent(0);
  log.answered(2, 40'000, 50'000, "a");  // it came before it was sent back
  EXPECT_FALSE(log.statistics({}).there_us);
  EXPECT_NEAR(log.statistics({}).round_trip_us->max, 40, 1e-9);
}

TEST(ProbeStatistics, Percentiles) {
  std::vector<double> none;
  EXPECT_FALSE(percentiles(none));
  std::vector<double> thousand;
  for (int i = 1000; i > 0; --i) thousand.push_back(i);
  const auto found = percentiles(thousand);
  EXPECT_EQ(found->p50, 501);
  EXPECT_EQ(found->p99, 991);
  EXPECT_EQ(found->p999, 1000);
  EXPECT_EQ(found->max, 1000);
}

TEST(ProbeStatistics, ManyServersAreBounded) {
  Log log(kMs);
  for (std::uint64_t i = 0; i < kMaxServers + 50; ++i) {
    log.sent(0);
    log.answered(i, 1'000, 500, std::to_string(i));
  }
  const auto all = log.statistics({});
  EXPECT_EQ(all.servers.size(), kMaxServers);
  EXPECT_EQ(all.answered, kMaxServers + 50);
}

}  // namespace
}  // namespace keepline::cli::probe
