#include "control/plan/processes.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

config::TrackProcess process(const std::string& words) {
  const auto config = config_of("vrrp_track_process p {\n" + words + "\n}\n" + instance());
  return config.track_processes.at(0);
}

bool match(const std::string& words, const std::vector<std::string>& arguments,
           const std::string& name = "name") {
  return matches(process(words), {name, arguments});
}

TEST(Processes, AreKnownByTheNameThatTheKernelKeeps) {
  EXPECT_TRUE(match("process nginx", {"nginx: worker"}, "nginx"));
  EXPECT_FALSE(match("process nginx", {"nginx"}, "nginx2"));
  EXPECT_TRUE(match("process a-rather-long-name", {"x"}, "a-rather-long-n"));
  EXPECT_FALSE(match("process a-rather-long-name", {"x"}, "a-rather-long"));
  EXPECT_TRUE(match("process kthreadd", {}, "kthreadd"))
      << "threads of the kernel have no arguments";
}

TEST(Processes, WeightsDoNotChangeHowTheyAreCounted) {
  const config::TrackProcess before = process("process x\nweight 3");
  EXPECT_TRUE(are_alike(before, process("process x\nweight 4 reverse")));
  EXPECT_FALSE(are_alike(before, process("process y\nweight 3")));
  EXPECT_FALSE(are_alike(before, process("process x\nquorum 2")));
}

TEST(Processes, WithFullCommandByWhatWasRun) {
  EXPECT_TRUE(match("process /usr/sbin/x\nfull_command", {"/usr/sbin/x", "-a"}));
  EXPECT_FALSE(match("process x\nfull_command", {"/usr/sbin/x"}, "x"));
  EXPECT_FALSE(match("process x\nfull_command", {}, "x"));
}

TEST(Processes, AndTheirParameters) {
  EXPECT_TRUE(match("process s 60", {"s", "60"}));
  EXPECT_FALSE(match("process s 60", {"s", "60", "1"}));
  EXPECT_FALSE(match("process s 60", {"s", "6"}));
  EXPECT_FALSE(match("process s 60", {"s"}));
  EXPECT_FALSE(match("process s 60", {"t", "60"}));
  EXPECT_TRUE(match("process s\nparam_match", {"s"}));
  EXPECT_FALSE(match("process s\nparam_match", {"s", "1"}));

  EXPECT_TRUE(match("process s a b\nparam_match initial", {"s", "a", "b", "c"}));
  EXPECT_TRUE(match("process s a b\nparam_match initial", {"s", "a", "b"}));
  EXPECT_FALSE(match("process s a b\nparam_match initial", {"s", "a", "bc"}));
  EXPECT_FALSE(match("process s a b\nparam_match initial", {"s", "a"}));
  EXPECT_TRUE(match("process s\nparam_match initial", {"s", "anything"}));

  EXPECT_TRUE(match("process s a b\nparam_match partial", {"s", "a", "bc", "d"}));
  EXPECT_FALSE(match("process s a b\nparam_match partial", {"s", "ab", "b"}));
  EXPECT_FALSE(match("process s a bc\nparam_match partial", {"s", "a", "b"}));
}

using vrrp::Outcome;
using Wait = ProcessQuorum::Wait;

// The outcomes after each count, a second apart: + good, - bad; in capitals W while it waits.
std::string outcomes(const std::string& words, const std::vector<std::uint32_t>& counts) {
  const config::TrackProcess config = process("process x\n" + words);
  ProcessQuorum quorum(config);
  EXPECT_EQ(quorum.outcome(), Outcome::kUnknown);
  std::string result;
  std::int64_t now_us = 0;
  for (const std::uint32_t count : counts) {
    const Outcome before = quorum.outcome();
    const bool is_change = quorum.note(count, now_us += 1'000'000);
    EXPECT_EQ(is_change, quorum.outcome() != before);
    EXPECT_EQ(quorum.count(), count);
    result += quorum.outcome() == Outcome::kGood ? '+' : '-';
    if (quorum.wait() == Wait::kFork) result += 'f';
    if (quorum.wait() == Wait::kTermination) result += 't';
  }
  return result;
}

TEST(ProcessQuorum, AtLeastAndAtMost) {
  EXPECT_EQ(outcomes("", {1, 0, 0, 3}), "+--+");
  EXPECT_EQ(outcomes("quorum 2", {1, 2, 9, 1}), "-++-");
  EXPECT_EQ(outcomes("quorum 2\nquorum_max 3", {1, 2, 3, 4, 3}), "-++-+");
}

TEST(ProcessQuorum, TheFirstCountDecidesAtOnce) {
  EXPECT_EQ(outcomes("delay 9", {0, 0}), "--");
  EXPECT_EQ(outcomes("delay 9", {1, 1}), "++");
}

TEST(ProcessQuorum, AChangeWaitsForItsDelay) {
  EXPECT_EQ(outcomes("terminate_delay 2", {1, 0, 0, 0, 1, 1}), "++t+t-++");
  EXPECT_EQ(outcomes("fork_delay 2", {0, 1, 1, 1, 0, 0}), "--f-f+--");
  EXPECT_EQ(outcomes("fork_delay 2\nquorum_max 1", {1, 2, 2, 2, 1}), "++f+f-+");
}

TEST(ProcessQuorum, WhatTurnsBackInTimeIsNoChange) {
  EXPECT_EQ(outcomes("terminate_delay 2", {1, 0, 1, 0, 0, 1}), "++t++t+t+");
  EXPECT_EQ(outcomes("delay 2\nquorum_max 1", {0, 1, 2, 1, 1, 1}), "--f--t-t+");
}

}  // namespace
}  // namespace keepline::control
