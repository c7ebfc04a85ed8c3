// All sequences of events to a depth, over a reduced alphabet, with the monitor's rules checked
// after each; and from each state reached, silence leads to mastership in bounded time.
#include <gtest/gtest.h>

#include "tests/exhaustive/vrrp_monitor.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr int kDepth = 6;
constexpr int kSettleDepth = 5;  ///< Up to here each state is also left alone.

enum class Symbol {
  kWake,       ///< Time passes to the next timeout.
  kLongPause,  ///< Time passes, nothing runs, then the timer.
  kHearZero,
  kHearLower,
  kHearEqual,  ///< From a higher address.
  kHearHigher,
  kFaultOrNot,  ///< Sets the cause or clears it.
  kStopOrStart,
};
constexpr int kSymbols = 8;

class Explorer {
 public:
  explicit Explorer(const InstanceConfig& config) : config_(config) {
    for (const int priority : {0, config.priority - 1, int{config.priority}, 255}) {
      adverts_.push_back(advert_from(config, "10.9.0.9", static_cast<std::uint8_t>(priority)));
    }
  }

  struct Node {
    Instance instance;
    Monitor monitor;
    std::int64_t now_us = kStart_us;
  };

  void explore() {
    Node root{Instance(config_), Monitor(), kStart_us};
    root.instance.start(root.now_us);
    ASSERT_EQ(root.monitor.after(root.instance, root.now_us), "");
    visit(root, 0);
  }
  std::uint64_t visited() const { return visited_; }
  std::uint64_t masters() const { return masters_; }

 private:
  void visit(const Node& node, int depth) {
    ++visited_;
    if (node.instance.state() == State::kMaster) ++masters_;
    if (depth <= kSettleDepth) settle(node);
    if (depth == kDepth) return;
    for (int symbol = 0; symbol < kSymbols; ++symbol) {
      path_[depth] = symbol;
      Node next = node;
      const std::string broken = play(next, static_cast<Symbol>(symbol));
      ASSERT_EQ(broken, "") << path(depth + 1);
      visit(next, depth + 1);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }

  std::string play(Node& node, Symbol symbol) {
    Instance& i = node.instance;
    switch (symbol) {
      case Symbol::kWake:
        node.now_us = i.next_timeout().value_or(node.now_us + config_.advert_interval_us);
        return time_out(node);
      case Symbol::kLongPause:
        node.now_us += 20 * config_.advert_interval_us;
        return time_out(node);
      case Symbol::kHearZero:
        return hear(node, 0);
      case Symbol::kHearLower:
        return hear(node, 1);
      case Symbol::kHearEqual:
        return hear(node, 2);
      case Symbol::kHearHigher:
        return hear(node, 3);
      case Symbol::kFaultOrNot:
        node.monitor.before(i, node.now_us);
        if (i.faults().empty()) {
          i.handle_fault(FaultCause::kWorkerStalled, node.now_us);
        } else {
          i.handle_fault_cleared(FaultCause::kWorkerStalled, node.now_us);
        }
        return node.monitor.after(i, node.now_us);
      case Symbol::kStopOrStart:
        node.monitor.before(i, node.now_us);
        i.state() == State::kInit ? i.start(node.now_us) : i.stop(node.now_us);
        return node.monitor.after(i, node.now_us);
    }
    return "no such symbol";
  }

  std::string time_out(Node& node) {
    node.monitor.before(node.instance, node.now_us);
    node.instance.handle_timeout(node.now_us);
    return node.monitor.after(node.instance, node.now_us, true);
  }

  std::string hear(Node& node, std::size_t which) {
    node.now_us += config_.advert_interval_us / 3;
    node.monitor.before(node.instance, node.now_us);
    node.instance.handle_advert(adverts_[which], node.now_us);
    return node.monitor.after(node.instance, node.now_us);
  }

  // No fault, nobody else, running normally: master (or asking the group) soon, and for good.
  void settle(Node node) {
    Instance& i = node.instance;
    if (!i.faults().empty() || i.state() == State::kInit) return;
    const TimerBase base{config_.version, config_.advert_interval_us, config_.priority,
                         config_.down_timer_adverts};
    const std::int64_t end_us = node.now_us + 2 * master_down_us(base);
    while (i.state() == State::kBackup && !i.wants_master()) {
      node.now_us = *i.next_timeout();
      ASSERT_LE(node.now_us, end_us) << "stuck in BACKUP " << path(kDepth);
      ASSERT_EQ(time_out(node), "") << path(kDepth);
    }
    for (int n = 0; n < 2 && i.state() == State::kMaster; ++n) {
      node.now_us = *i.next_timeout();
      ASSERT_EQ(time_out(node), "");
      ASSERT_EQ(i.state(), State::kMaster);
    }
  }

  std::string path(int length) const {
    std::string text = "after";
    for (int n = 0; n < length; ++n) text += ' ' + std::to_string(path_[n]);
    return text;
  }

  InstanceConfig config_;
  std::vector<Advert> adverts_;
  int path_[kDepth] = {};
  std::uint64_t visited_ = 0;
  std::uint64_t masters_ = 0;
};

void explore(const InstanceConfig& config) {
  Explorer explorer(config);
  explorer.explore();
  EXPECT_EQ(explorer.visited(), 299'593u);  // (8^7 - 1) / 7
  EXPECT_EQ(explorer.masters() > 0, !config.sync_grouped);
}

TEST(ExhaustiveSequences, Version2) {
  explore(config_of(100));
}
TEST(ExhaustiveSequences, Version3TenMilliseconds) {
  InstanceConfig config = config_of(100, Version::k3, 10 * kMs);
  config.higher_prio_send_advert = true;
  explore(config);
}
TEST(ExhaustiveSequences, Nopreempt) {
  InstanceConfig config = config_of(100);
  config.nopreempt = true;
  explore(config);
}
TEST(ExhaustiveSequences, PreemptDelay) {
  InstanceConfig config = config_of(100, Version::k3, 100 * kMs);
  config.preempt_delay_us = 150 * kMs;
  config.lower_prio_no_advert = true;
  explore(config);
}
TEST(ExhaustiveSequences, WishForMaster) {
  InstanceConfig config = config_of(100);
  config.initial_state = InitialState::kMaster;
  explore(config);
}
TEST(ExhaustiveSequences, Owner) {
  explore(config_of(255));
}
TEST(ExhaustiveSequences, Grouped) {
  InstanceConfig config = config_of(100);
  config.sync_grouped = true;
  explore(config);
}

}  // namespace
}  // namespace keepline::vrrp
