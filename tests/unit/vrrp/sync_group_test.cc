#include "vrrp/sync_group.h"

#include <gtest/gtest.h>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

// A group of one node's instances, driven as control does.
struct Group {
  explicit Group(std::size_t members, std::uint8_t priority = 100) {
    for (std::size_t i = 0; i < members; ++i) {
      InstanceConfig config = config_of(priority);
      config.vrid = static_cast<std::uint8_t>(i + 1);
      config.sync_grouped = true;
      all.emplace_back(config);
    }
  }
  void start() {
    for (Instance& member : all) member.start(now_us);
    settle();
  }
  void settle() {
    for (std::size_t round = 0; round < kGroupRounds; ++round) {
      std::vector<MemberView> views;
      for (const Instance& member : all) views.push_back(view_of(member));
      const auto commands = evaluate_group(views);
      if (commands.empty()) return;
      for (const auto& c : commands) all[c.member].handle_group(c.command, now_us);
    }
    ADD_FAILURE() << "not at rest";
  }
  void hear(std::size_t i, std::uint8_t priority) {
    all[i].handle_advert(advert_from(all[i].config(), "10.9.0.9", priority), now_us);
    settle();
  }
  void pass(std::int64_t time_us) {
    const std::int64_t end_us = now_us + time_us;
    for (;;) {
      std::int64_t next_us = end_us + 1;
      for (Instance& member : all) {
        next_us = std::min(next_us, member.next_timeout().value_or(next_us));
      }
      if (next_us > end_us) break;
      now_us = next_us;
      for (Instance& member : all) member.handle_timeout(now_us);
      settle();
    }
    now_us = end_us;
  }
  std::string states() {
    std::string text;
    for (Instance& member : all) {
      drain(member);
      text += to_string(member.state())[0];
    }
    return text;
  }
  std::vector<Instance> all;
  std::int64_t now_us = kStart_us;
};

TEST(SyncGroup, AllTogether) {
  Group group(3);
  group.start();
  EXPECT_EQ(group.states(), "BBB");
  group.pass(4 * kSecond_us);
  EXPECT_EQ(group.states(), "MMM");
}

TEST(SyncGroup, NoneBeforeTheLastOneWants) {
  Group group(2);
  group.start();
  for (int i = 0; i < 8; ++i) {
    group.hear(1, 200);
    group.pass(kSecond_us);
  }
  EXPECT_TRUE(group.all[0].wants_master());
  EXPECT_EQ(group.states(), "BB");
  group.pass(3 * kSecond_us);
  EXPECT_EQ(group.states(), "MM");
  EXPECT_EQ(group.all[0].statistics().become_master, 1u);
}

TEST(SyncGroup, AMasterHeardEndsTheWish) {
  Group group(2);
  group.start();
  for (int i = 0; i < 4; ++i) {
    group.hear(1, 200);
    group.pass(kSecond_us);
  }
  ASSERT_TRUE(group.all[0].wants_master());
  group.hear(0, 200);
  EXPECT_FALSE(group.all[0].wants_master());
  // An agreement that comes too late is refused.
  group.all[0].handle_group(GroupCommand::kBecomeMaster, group.now_us);
  EXPECT_EQ(group.states(), "BB");
}

TEST(SyncGroup, OneToBackupTakesAll) {
  Group group(3);
  group.start();
  group.pass(4 * kSecond_us);
  group.states();
  group.hear(1, 200);
  EXPECT_EQ(did(group.all[0]), "linger2 MASTER>BACKUP") << "no priority 0";
  EXPECT_EQ(group.states(), "BBB");
}

TEST(SyncGroup, OneInFaultTakesAllAndGivesThemBack) {
  Group group(3);
  group.start();
  group.pass(4 * kSecond_us);
  group.states();
  group.all[2].handle_fault(FaultCause::kInterfaceDown, group.now_us);
  group.settle();
  EXPECT_EQ(did(group.all[0]), "revoke release advert:0 MASTER>FAULT");
  EXPECT_EQ(group.states(), "FFF");
  group.all[0].handle_fault(FaultCause::kTracker, group.now_us);
  group.settle();
  group.all[2].handle_fault_cleared(FaultCause::kInterfaceDown, group.now_us);
  group.settle();
  EXPECT_EQ(did(group.all[2]), "") << "no excursion to BACKUP";
  EXPECT_EQ(group.states(), "FFF");
  group.all[0].handle_fault_cleared(FaultCause::kTracker, group.now_us);
  group.settle();
  EXPECT_EQ(group.states(), "BBB");
  group.pass(4 * kSecond_us);
  EXPECT_EQ(group.states(), "MMM");
}

TEST(SyncGroup, OwnersStartAsMastersTogether) {
  Group group(2, 255);
  group.start();
  group.pass(0);
  EXPECT_EQ(group.states(), "MM");
  EXPECT_EQ(group.now_us, kStart_us);
}

TEST(SyncGroup, OneOwnerAloneWaits) {
  Group group(1, 255);
  group.all.emplace_back([] {
    InstanceConfig config = config_of(100);
    config.vrid = 9;
    config.sync_grouped = true;
    return config;
  }());
  group.start();
  group.pass(3 * kSecond_us);
  EXPECT_EQ(group.states(), "BB");
  group.pass(kSecond_us);
  EXPECT_EQ(group.states(), "MM");
}

TEST(SyncGroup, ATimeJumpOfOneTakesAll) {
  Group group(2);
  group.start();
  group.pass(4 * kSecond_us);
  group.now_us += 10 * kSecond_us;
  group.all[0].handle_timeout(group.now_us);
  group.settle();
  EXPECT_EQ(group.states(), "BB");
}

TEST(SyncGroup, APauseEndsTheWish) {
  Group group(2);
  group.start();
  for (int i = 0; i < 4; ++i) {
    group.hear(1, 200);
    group.pass(kSecond_us);
  }
  ASSERT_TRUE(group.all[0].wants_master());
  group.now_us += 20 * kSecond_us;
  group.all[0].handle_timeout(group.now_us);
  EXPECT_FALSE(group.all[0].wants_master()) << "its wish was founded on what it heard before";
}

TEST(SyncGroup, WhoIsTakenAlongWaitsAWholeInterval) {
  for (const std::uint8_t priority : {100, 255}) {
    InstanceConfig config = config_of(priority);
    config.sync_grouped = true;
    config.initial_state = InitialState::kMaster;
    Instance member(config);
    member.start(kStart_us);
    run_until(member, member.deadline_us());
    const std::int64_t now_us = *member.next_timeout();
    member.handle_timeout(now_us);
    member.handle_group(GroupCommand::kBecomeMaster, now_us);
    ASSERT_EQ(member.state(), State::kMaster);
    member.handle_group(GroupCommand::kBecomeBackup, now_us + 1);
    EXPECT_GT(member.deadline_us(), now_us + 3 * kSecond_us);
  }
}

TEST(GroupState, WorstMemberFirst) {
  const auto state_of = [](std::initializer_list<State> states) {
    std::vector<MemberView> views;
    for (State s : states) views.push_back({s, false, {}});
    return group_state(views);
  };
  EXPECT_EQ(state_of({State::kMaster, State::kMaster}), State::kMaster);
  EXPECT_EQ(state_of({State::kMaster, State::kBackup}), State::kBackup);
  EXPECT_EQ(state_of({State::kMaster, State::kFault}), State::kFault);
  EXPECT_EQ(state_of({State::kBackup, State::kInit}), State::kInit);
  EXPECT_EQ(state_of({}), State::kInit);
}

}  // namespace
}  // namespace keepline::vrrp
