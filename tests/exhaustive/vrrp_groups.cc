// Sync groups: every combination of member views, and all sequences of events on groups of two
// and three real instances.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/exhaustive/vrrp_monitor.h"
#include "vrrp/sync_group.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

std::vector<MemberView> all_views() {
  std::vector<MemberView> all;
  const auto faults = [](bool own, bool group) {
    FaultSet set;
    if (own) set.add(FaultCause::kTracker);
    if (group) set.add(FaultCause::kSyncGroup);
    return set;
  };
  for (const bool own : {false, true}) {
    for (const bool group : {false, true}) {
      all.push_back({State::kInit, false, faults(own, group)});
      if (own || group) all.push_back({State::kFault, false, faults(own, group)});
    }
  }
  all.push_back({State::kBackup, false, {}});
  all.push_back({State::kBackup, true, {}});
  all.push_back({State::kMaster, false, {}});
  return all;
}

// What Instance::handle_group does, as far as a group can see it.
void carry_out(MemberView& m, GroupCommand command) {
  switch (command) {
    case GroupCommand::kBecomeMaster:
      if (m.wants_master) m = {State::kMaster, false, m.faults};
      return;
    case GroupCommand::kBecomeBackup:
      if (m.state == State::kMaster) m.state = State::kBackup;
      return;
    case GroupCommand::kFault:
      m.faults.add(FaultCause::kSyncGroup);
      m.wants_master = false;
      if (m.state != State::kInit) m.state = State::kFault;
      return;
    case GroupCommand::kFaultCleared:
      m.faults.remove(FaultCause::kSyncGroup);
      if (m.state == State::kFault && m.faults.empty()) m.state = State::kBackup;
      return;
  }
}

template <typename Views>
void expect_at_rest(const Views& views) {
  std::size_t masters = 0;
  std::size_t own = 0;
  for (const MemberView& m : views) {
    masters += m.state == State::kMaster ? 1 : 0;
    own += m.faults.own() ? 1 : 0;
  }
  ASSERT_TRUE(masters == 0 || masters == views.size()) << "together or not at all";
  for (const MemberView& m : views) {
    const std::size_t others = own - (m.faults.own() ? 1 : 0);
    ASSERT_EQ(m.faults.has(FaultCause::kSyncGroup), others > 0);
    if (own > 0) {
      ASSERT_TRUE(m.state == State::kFault || m.state == State::kInit);
    }
  }
  const bool agreed =
      std::all_of(views.begin(), views.end(), [](const MemberView& m) { return m.wants_master; });
  ASSERT_FALSE(agreed && !views.empty()) << "all want, none is";
}

void settle_and_check(std::vector<MemberView> views) {
  for (std::size_t round = 0;; ++round) {
    ASSERT_LE(round, kGroupRounds);
    const auto commands = evaluate_group(views);
    if (commands.empty()) break;
    const std::vector<MemberView> before = views;
    for (const auto& c : commands) carry_out(views[c.member], c.command);
    for (const auto& c : commands) {
      ASSERT_FALSE(before[c.member].state == views[c.member].state &&
                   before[c.member].faults == views[c.member].faults)
          << "a command without effect";
    }
  }
  expect_at_rest(views);
}

TEST(ExhaustiveGroups, EveryCombinationOfViewsComesToRest) {
  const auto views = all_views();
  for (const MemberView& a : views) {
    settle_and_check({a});
    for (const MemberView& b : views) {
      settle_and_check({a, b});
      for (const MemberView& c : views) settle_and_check({a, b, c});
    }
  }
}

class Explorer {
 public:
  explicit Explorer(std::size_t members, int depth) : members_(members), depth_(depth) {}

  struct Node {
    std::vector<Instance> instances;
    std::vector<Monitor> monitors;
    std::int64_t now_us = kStart_us;
  };

  void explore() {
    Node root;
    for (std::size_t i = 0; i < members_; ++i) {
      InstanceConfig config = config_of(100);
      config.vrid = static_cast<std::uint8_t>(i + 1);
      config.sync_grouped = true;
      root.instances.emplace_back(config);
      root.monitors.emplace_back();
      higher_.push_back(advert_from(config, "10.9.0.9", 200));
      lower_.push_back(advert_from(config, "10.9.0.9", 50));
      root.instances[i].start(root.now_us);
    }
    settle(root);
    visit(root, 0);
  }
  std::uint64_t all_masters() const { return all_masters_; }

 private:
  void visit(const Node& node, int depth) {
    if (node.instances[0].state() == State::kMaster) ++all_masters_;
    if (depth == depth_) return;
    const std::size_t symbols = 2 + 3 * members_;
    for (std::size_t symbol = 0; symbol < symbols; ++symbol) {
      Node next = node;
      play(next, symbol);
      settle(next);
      if (::testing::Test::HasFatalFailure()) return;
      visit(next, depth + 1);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }

  void play(Node& node, std::size_t symbol) {
    if (symbol < 2) {
      node.now_us += symbol == 0 ? kSecond_us : 20 * kSecond_us;
      // A second at a time with every member woken; the long one is a pause of the process.
      for (Instance& i : node.instances) i.handle_timeout(node.now_us);
      if (symbol == 0) {
        for (int n = 0; n < 3; ++n) {
          settle(node);
          node.now_us += kSecond_us;
          for (Instance& i : node.instances) i.handle_timeout(node.now_us);
        }
      }
      return;
    }
    const std::size_t member = (symbol - 2) / 3;
    Instance& i = node.instances[member];
    if ((symbol - 2) % 3 == 0) {
      i.handle_advert(higher_[member], node.now_us);
    } else if ((symbol - 2) % 3 == 1) {
      i.handle_advert(lower_[member], node.now_us);
    } else if (i.faults().has(FaultCause::kTracker)) {
      i.handle_fault_cleared(FaultCause::kTracker, node.now_us);
    } else {
      i.handle_fault(FaultCause::kTracker, node.now_us);
    }
  }

  void settle(Node& node) {
    std::vector<MemberView> views;
    for (std::size_t round = 0;; ++round) {
      ASSERT_LE(round, kGroupRounds);
      views.clear();
      for (std::size_t m = 0; m < members_; ++m) {
        ASSERT_EQ(node.monitors[m].after(node.instances[m], node.now_us), "");
        views.push_back(view_of(node.instances[m]));
      }
      const auto commands = evaluate_group(views);
      if (commands.empty()) break;
      for (const auto& c : commands) {
        node.instances[c.member].handle_group(c.command, node.now_us);
      }
    }
    expect_at_rest(views);
  }

  std::size_t members_;
  int depth_;
  std::vector<Advert> higher_;
  std::vector<Advert> lower_;
  std::uint64_t all_masters_ = 0;
};

TEST(ExhaustiveGroups, TwoMembersAllSequences) {
  Explorer explorer(2, 5);
  explorer.explore();
  EXPECT_GT(explorer.all_masters(), 100u);
}

TEST(ExhaustiveGroups, ThreeMembersAllSequences) {
  Explorer explorer(3, 4);
  explorer.explore();
  EXPECT_GT(explorer.all_masters(), 100u);
}

}  // namespace
}  // namespace keepline::vrrp
