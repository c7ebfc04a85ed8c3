#include "control/plan/tracking.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

// "fault" or "ok" and the priority, with `tracker` on eth1 while it is up or down.
std::string tracked(const std::string& tracker, bool is_up, const std::string& priority = "100") {
  KernelView kernel = usual_kernel();
  kernel.links[2].is_up = is_up;
  const auto config =
      config_of(instance("priority " + priority + "\n track_interface {\n" + tracker + "\n }"));
  const Tracked result = track(config.vrrp_instances.at(0), kernel, {});
  return (result.is_fault ? "fault " : "ok ") + std::to_string(result.priority);
}

TEST(Tracking, WithoutTrackersNothingChanges) {
  const auto config = config_of(instance("priority 120"));
  const Tracked result = track(config.vrrp_instances.at(0), usual_kernel(), {});
  EXPECT_FALSE(result.is_fault);
  EXPECT_EQ(result.priority, 120);
}

TEST(Tracking, WithoutWeightItsFailureIsAFault) {
  EXPECT_EQ(tracked("eth1", true), "ok 100");
  EXPECT_EQ(tracked("eth1", false), "fault 100");
  EXPECT_EQ(tracked("eth1 weight 0 reverse", true), "fault 100");
  EXPECT_EQ(tracked("eth1 weight 0 reverse", false), "ok 100");
}

TEST(Tracking, WeightsChangeThePriority) {
  EXPECT_EQ(tracked("eth1 weight 20", true), "ok 120");
  EXPECT_EQ(tracked("eth1 weight 20", false), "ok 100");
  EXPECT_EQ(tracked("eth1 weight -20", true), "ok 100");
  EXPECT_EQ(tracked("eth1 weight -20", false), "ok 80");
  EXPECT_EQ(tracked("eth1 weight 20 reverse", true), "ok 80");
  EXPECT_EQ(tracked("eth1 weight 20 reverse", false), "ok 100");
  EXPECT_EQ(tracked("eth1 weight -20 reverse", true), "ok 100");
  EXPECT_EQ(tracked("eth1 weight -20 reverse", false), "ok 120");
}

TEST(Tracking, ThePriorityStaysWithinItsBounds) {
  EXPECT_EQ(tracked("eth1 weight 253", true, "200"), "ok 254");
  EXPECT_EQ(tracked("eth1 weight -253", false, "50"), "ok 1");
  EXPECT_EQ(tracked("eth1 weight 1", true, "254"), "ok 254");
}

TEST(Tracking, AnInterfaceThatIsGoneIsDown) {
  KernelView kernel = usual_kernel();
  kernel.links.erase(kernel.links.begin() + 2);
  const auto config = config_of(instance("track_interface {\n eth1\n }"));
  EXPECT_TRUE(track(config.vrrp_instances.at(0), kernel, {}).is_fault);
}

TEST(Tracking, ProcessesCountLikeScriptsAndAreWaitedFor) {
  const auto config =
      config_of("vrrp_track_process p {\n process x\n}\nvrrp_track_process w {\n process y\n}\n" +
                instance("track_process {\n p\n w weight 20\n }"));
  const auto tracked = [&](const Outcomes& processes) {
    return track(config.vrrp_instances.at(0), usual_kernel(), {}, {}, processes);
  };
  using vrrp::Outcome;
  EXPECT_TRUE(tracked({}).is_unknown);
  EXPECT_FALSE(tracked({}).is_fault);
  const Tracked good = tracked({{"p", Outcome::kGood}, {"w", Outcome::kGood}});
  EXPECT_FALSE(good.is_unknown || good.is_fault);
  EXPECT_EQ(good.priority, 120);
  const Tracked bad = tracked({{"p", Outcome::kBad}, {"w", Outcome::kBad}});
  EXPECT_TRUE(bad.is_fault);
  EXPECT_EQ(bad.priority, 100);
}

TEST(Tracking, SeveralAddUp) {
  KernelView kernel = usual_kernel();
  kernel.links[3].is_up = false;
  const auto config = config_of(instance(
      "priority 100\n track_interface {\n eth1 weight 20\n eth0.10 weight -30\n bond0\n }"));
  const Tracked result = track(config.vrrp_instances.at(0), kernel, {});
  EXPECT_FALSE(result.is_fault);
  EXPECT_EQ(result.priority, 90);
}

// What a script with these words does to a priority of 100.
std::string scripted(const std::string& words, vrrp::Outcome outcome) {
  const auto config = config_of("vrrp_script s {\n script /bin/true\n}\n" +
                                instance("track_script {\n s " + words + "\n }"));
  const Tracked result = track(config.vrrp_instances.at(0), usual_kernel(), {{"s", outcome}});
  return (result.is_unknown ? "unknown "
          : result.is_fault ? "fault "
                            : "ok ") +
         std::to_string(result.priority);
}

TEST(Tracking, Scripts) {
  using enum vrrp::Outcome;
  EXPECT_EQ(scripted("", kGood), "ok 100");
  EXPECT_EQ(scripted("", kBad), "fault 100");
  EXPECT_EQ(scripted("", kUnknown), "unknown 100") << "the instance waits";
  EXPECT_EQ(scripted("weight 20", kGood), "ok 120");
  EXPECT_EQ(scripted("weight 20", kUnknown), "ok 100");
  EXPECT_EQ(scripted("weight -20", kUnknown), "ok 100");
  EXPECT_EQ(scripted("weight -20", kBad), "ok 80");
  EXPECT_EQ(scripted("weight -20 reverse", kBad), "ok 120");
}

TEST(Tracking, AScriptThatCannotRunIsNotTracked) {
  const auto config =
      config_of("vrrp_script s {\n script /bin/true\n}\n" + instance("track_script {\n s\n }"));
  const Tracked result = track(config.vrrp_instances.at(0), usual_kernel(), {});
  EXPECT_FALSE(result.is_unknown || result.is_fault);
}

// What a file with this number, attached with these words, does to a priority of 100.
std::string filed(const std::string& words, std::int64_t value) {
  const auto config =
      config_of("track_file f {\n file /f\n}\n" + instance("track_file {\n f " + words + "\n }"));
  const Tracked result = track(config.vrrp_instances.at(0), usual_kernel(), {}, {{"f", value}});
  return (result.is_fault ? "fault " : "ok ") + std::to_string(result.priority);
}

TEST(Tracking, Files) {
  EXPECT_EQ(filed("", 0), "ok 100");
  EXPECT_EQ(filed("", 7), "ok 107") << "a weight of 1, unless it says otherwise";
  EXPECT_EQ(filed("weight 5", 7), "ok 135");
  EXPECT_EQ(filed("weight 5 reverse", 7), "ok 65");
  EXPECT_EQ(filed("weight -5", 7), "ok 65");
  EXPECT_EQ(filed("weight 2", 1000), "ok 254");
  EXPECT_EQ(filed("weight 2", -127), "fault 1");
  EXPECT_EQ(filed("weight 1", -253), "ok 1");
  EXPECT_EQ(filed("weight 0", 0), "ok 100");
  EXPECT_EQ(filed("weight 0", -1), "fault 100");
  EXPECT_EQ(filed("weight 0 reverse", 0), "fault 100");
}

TEST(Tracking, AFileThatWasNotReadYet) {
  const std::string file = "track_file f {\n file /f\n weight 0\n}\n";
  const auto config = config_of(file + instance("track_file {\n f\n }"));
  EXPECT_TRUE(track(config.vrrp_instances.at(0), usual_kernel(), {}).is_unknown);
}

TEST(Tracking, WhatTheGroupTracksEachMemberTracks) {
  const auto config = config_of("vrrp_script s {\n script /bin/true\n}\n" + instance("") +
                                "vrrp_sync_group g {\n group {\n VI_1\n }\n"
                                " track_script {\n s\n }\n}\n");
  EXPECT_TRUE(
      track(config.vrrp_instances.at(0), usual_kernel(), {{"s", vrrp::Outcome::kBad}}).is_fault);
}

TEST(Tracking, SessionsAreDownUntilTheyWereUp) {
  const auto config = config_of(
      "bfd_instance b {\n neighbor_ip 10.0.0.2\n}\n"
      "bfd_instance w {\n neighbor_ip 10.0.0.3\n weight 20\n}\n" +
      instance("track_bfd {\n b\n w\n }"));
  const auto tracked = [&](const Outcomes& sessions) {
    return track(config.vrrp_instances.at(0), usual_kernel(), {}, {}, {}, sessions);
  };
  using vrrp::Outcome;
  EXPECT_TRUE(tracked({}).is_fault);
  EXPECT_FALSE(tracked({}).is_unknown) << "nobody waits for them";
  const Tracked good = tracked({{"b", Outcome::kGood}, {"w", Outcome::kGood}});
  EXPECT_FALSE(good.is_fault);
  EXPECT_EQ(good.priority, 120);
  EXPECT_EQ(tracked({{"b", Outcome::kGood}, {"w", Outcome::kBad}}).priority, 100);
}

}  // namespace
}  // namespace keepline::control
