// Schedulers that weigh connections, against their definitions; thresholds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>

#include "tests/unit/lb/pools.h"

namespace keepline::lb {
namespace {

using testing::letter;
using testing::with_weights;

/// Who is chosen when the servers have these connections.
struct Crowd {
  Crowd(Scheduler scheduler, const std::vector<std::uint32_t>& weights)
      : service(with_weights(scheduler, weights)) {}

  void has(RealSlot slot, std::uint64_t active, std::uint64_t inactive = 0) {
    accounts.loads().set_elsewhere(slot, {active, inactive});
  }
  char next(std::uint32_t now_s = 0) {
    return letter(
        choose(service, {++flows * 0x9e3779b97f4a7c15, 0, now_s}, accounts.loads(), state));
  }

  Service service;
  Accounts accounts;
  SchedulerState state;
  std::uint64_t flows = 0;
};

// Cost of a new connection as the kernel's sources define it; nothing: not to be chosen.
std::optional<long double> cost_of(Scheduler scheduler, std::uint32_t weight, const Load& load) {
  if (weight == 0) return std::nullopt;
  const auto active = static_cast<long double>(load.active);
  const auto inactive = static_cast<long double>(load.inactive);
  switch (scheduler) {
    case Scheduler::kLeastConnections:
      return active * 256 + inactive;
    case Scheduler::kWeightedLeastConnections:
      return (active * 256 + inactive) / weight;
    case Scheduler::kShortestExpectedDelay:
      return (active + 1) / weight;
    case Scheduler::kNeverQueue:
      return load.active == 0 ? 0 : 1 + (active + 1) / weight;
    case Scheduler::kFailover:
      return -static_cast<long double>(weight);
    case Scheduler::kOverflow:
      if (load.active > weight) return std::nullopt;
      return -static_cast<long double>(weight);
    default:
      return std::nullopt;
  }
}

TEST(ByLoad, TheFirstOfTheCheapestByDefinition) {
  std::mt19937 random(7);
  for (const Scheduler scheduler :
       {Scheduler::kLeastConnections, Scheduler::kWeightedLeastConnections,
        Scheduler::kShortestExpectedDelay, Scheduler::kNeverQueue, Scheduler::kFailover,
        Scheduler::kOverflow}) {
    std::map<char, int> chosen;
    for (int round = 0; round < 5000; ++round) {
      std::vector<std::uint32_t> weights(1 + random() % 6);
      for (auto& weight : weights) weight = static_cast<std::uint32_t>(random() % 5);
      Crowd crowd(scheduler, weights);
      char expected = '-';
      long double least = 0;
      for (RealSlot slot = 0; slot < weights.size(); ++slot) {
        const Load load{random() % 6, random() % 700};
        crowd.has(slot, load.active, load.inactive);
        const auto cost = cost_of(scheduler, weights[slot], load);
        if (!cost || (expected != '-' && *cost >= least)) continue;
        expected = static_cast<char>('a' + slot);
        least = *cost;
      }
      ASSERT_EQ(crowd.next(), expected) << to_string(scheduler);
      ++chosen[expected];
    }
    EXPECT_GE(chosen.size(), 5u) << "the test itself has to vary: " << to_string(scheduler);
  }
}

TEST(ByLoad, HugeNumbersDoNotOverflow) {
  Crowd crowd(Scheduler::kWeightedLeastConnections, {0x7fffffff, 0x7ffffffe});
  crowd.has(0, 1u << 31);
  crowd.has(1, (1u << 31) - 1000);
  EXPECT_EQ(crowd.next(), 'b');
}

// Connections come and stay: shares are those of the weights.
TEST(ByLoad, StayingConnectionsAreSharedByWeight) {
  for (const Scheduler scheduler :
       {Scheduler::kWeightedLeastConnections, Scheduler::kShortestExpectedDelay}) {
    Crowd crowd(scheduler, {1, 2, 5});
    std::map<char, std::uint64_t> active;
    for (int i = 0; i < 8000; ++i) {
      const char to = crowd.next();
      crowd.has(static_cast<RealSlot>(to - 'a'), ++active[to]);
    }
    EXPECT_NEAR(static_cast<double>(active['a']), 1000, 3) << to_string(scheduler);
    EXPECT_NEAR(static_cast<double>(active['b']), 2000, 3);
    EXPECT_NEAR(static_cast<double>(active['c']), 5000, 3);
  }
}

TEST(ByLoad, OwnConnectionsCountBesideThoseElsewhere) {
  Crowd crowd(Scheduler::kLeastConnections, {1, 1});
  crowd.has(0, 1);
  EXPECT_EQ(crowd.next(), 'b');
  Connection<net::V4> own{};
  own.protocol = net::Protocol::kUdp;
  own.real_slot = 1;
  own.real_generation = 1;
  for (int i = 0; i < 257; ++i) crowd.accounts.opened(own);
  EXPECT_EQ(crowd.next(), 'a') << "257 inactive ones weigh more than an active one";
  own.real_generation = 2;
  crowd.accounts.opened(own);  // the slot has a new user: the old one's figures are over
  EXPECT_EQ(crowd.next(), 'b');
}

TEST(Failover, TheHeaviestThatTakesConnections) {
  Crowd crowd(Scheduler::kFailover, {1, 9, 5});
  EXPECT_EQ(crowd.next(), 'b');
  crowd.service.pool[1].upper_threshold = 10;
  crowd.has(1, 10);
  EXPECT_EQ(crowd.next(), 'c');
}

TEST(Overflow, GoesOnToTheNextWhenWeightIsExceeded) {
  Crowd crowd(Scheduler::kOverflow, {3, 2});
  crowd.has(0, 3);
  EXPECT_EQ(crowd.next(), 'a') << "as many as its weight are not too many";
  crowd.has(0, 4);
  EXPECT_EQ(crowd.next(), 'b');
  crowd.has(1, 3);
  EXPECT_EQ(crowd.next(), '-');
}

TEST(TwoChoices, ByWeightWhileLoadsAreEqual) {
  Crowd crowd(Scheduler::kTwoChoices, {1, 3, 0, 4});
  std::map<char, int> chosen;
  for (int i = 0; i < 40'000; ++i) ++chosen[crowd.next()];
  EXPECT_NEAR(chosen['a'], 5000, 400);
  EXPECT_NEAR(chosen['b'], 15'000, 600);
  EXPECT_EQ(chosen['c'], 0);
  EXPECT_NEAR(chosen['d'], 20'000, 600);
}

// A server is left out only when both draws hit it: a busy one of two gets a quarter.
TEST(TwoChoices, TheBetterOfTheTwo) {
  Crowd crowd(Scheduler::kTwoChoices, {1, 1});
  crowd.has(0, 100);
  int busy = 0;
  for (int i = 0; i < 40'000; ++i) busy += crowd.next() == 'a' ? 1 : 0;
  EXPECT_NEAR(busy, 10'000, 500);
}

TEST(Locality, StaysUntilTheServerIsBusyAndAnotherIsNot) {
  Crowd crowd(Scheduler::kLocality, {4, 4, 4});
  EXPECT_EQ(crowd.next(), 'a');
  crowd.has(0, 4);
  EXPECT_EQ(crowd.next(), 'a') << "not above its weight";
  crowd.has(0, 5);
  crowd.has(1, 2);
  crowd.has(2, 2);
  EXPECT_EQ(crowd.next(), 'a') << "nobody below half of its weight";
  crowd.has(2, 1);
  EXPECT_EQ(crowd.next(), 'c');
  crowd.has(0, 0);
  EXPECT_EQ(crowd.next(), 'c') << "and stays there";
  crowd.service.pool[2].weight = 0;
  EXPECT_EQ(crowd.next(), 'a');
}

TEST(LocalityReplicated, TheSetGrowsWhenBusyAndShrinksInTime) {
  Crowd crowd(Scheduler::kLocalityReplicated, {2, 2, 2});
  EXPECT_EQ(crowd.next(100), 'a');
  crowd.has(0, 3);
  EXPECT_EQ(crowd.next(100), 'b') << "a is busy, others are idle";
  crowd.has(1, 1);
  EXPECT_EQ(crowd.next(100), 'b') << "the less loaded one of the set";
  crowd.has(0, 0);
  EXPECT_EQ(crowd.next(100), 'a') << "of the set still";
  crowd.has(0, 1);
  EXPECT_EQ(crowd.next(100 + SchedulerState::kSetLife_s + 1), 'a');
  EXPECT_EQ(crowd.state.set_size, 1u) << "the more loaded one has left";
}

TEST(LocalityReplicated, MoreServersThanTheSetHolds) {
  Crowd crowd(Scheduler::kLocalityReplicated, std::vector<std::uint32_t>(12, 1));
  std::map<char, int> chosen;
  for (int i = 0; i < 12; ++i) {
    const char to = crowd.next();
    ++chosen[to];
    crowd.has(static_cast<RealSlot>(to - 'a'), 2);
  }
  EXPECT_EQ(chosen.size(), 12u);
  EXPECT_EQ(crowd.state.set_size, SchedulerState::kSetSize);
}

TEST(Thresholds, AFullServerGetsNothingUntilItIsBelowTheLowerOne) {
  Crowd crowd(Scheduler::kRoundRobin, {1, 1});
  crowd.service.pool[0].upper_threshold = 10;
  crowd.service.pool[0].lower_threshold = 5;
  const auto two = [&crowd] {
    std::string result{crowd.next(), crowd.next()};
    std::ranges::sort(result);
    return result;
  };
  crowd.has(0, 4, 5);
  EXPECT_EQ(two(), "ab");
  crowd.has(0, 4, 6);
  EXPECT_EQ(two(), "bb") << "inactive ones count as well";
  crowd.has(0, 0, 5);
  EXPECT_EQ(two(), "bb");
  crowd.has(0, 0, 4);
  EXPECT_EQ(two(), "ab");
}

TEST(Thresholds, WithoutALowerOneThreeQuartersOfTheUpper) {
  Crowd crowd(Scheduler::kRoundRobin, {1});
  crowd.service.pool[0].upper_threshold = 8;
  crowd.has(0, 8);
  EXPECT_EQ(crowd.next(), '-');
  crowd.has(0, 6);
  EXPECT_EQ(crowd.next(), '-');
  crowd.has(0, 5);
  EXPECT_EQ(crowd.next(), 'a');
}

TEST(Thresholds, NoSchedulerChoosesAFullServerWhileAnotherIsNot) {
  for (std::size_t i = 0; i < kSchedulers; ++i) {
    const auto scheduler = static_cast<Scheduler>(i);
    Crowd crowd(scheduler, {9, 1, 0});
    crowd.service.hash_fallback = true;
    crowd.service.pool[0].upper_threshold = 1;
    crowd.has(0, 1);
    crowd.has(1, 1);
    for (int flow = 0; flow < 50; ++flow) {
      ASSERT_EQ(crowd.next(), 'b') << to_string(scheduler);
    }
    crowd.service.pool[1].upper_threshold = 1;
    ASSERT_EQ(crowd.next(), '-') << to_string(scheduler);
  }
}

}  // namespace
}  // namespace keepline::lb
