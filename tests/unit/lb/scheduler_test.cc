#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/unit/lb/pools.h"

namespace keepline::lb {
namespace {

using testing::letter;
using testing::with_weights;

// The next `count` choices, a letter each; '-' is nobody.
std::string choices(const Service& service, SchedulerState& state, std::size_t count) {
  Accounts accounts;
  std::string result;
  for (std::size_t i = 0; i < count; ++i) {
    const RealServer* real = choose(service, {}, accounts.loads(), state);
    result += letter(real);
  }
  return result;
}

std::string fresh(Scheduler scheduler, const std::vector<std::uint32_t>& weights,
                  std::size_t count) {
  SchedulerState state;
  return choices(with_weights(scheduler, weights), state, count);
}

TEST(RoundRobin, TakesThemInTurnWhateverTheWeight) {
  EXPECT_EQ(fresh(Scheduler::kRoundRobin, {1, 1, 1}, 7), "abcabca");
  EXPECT_EQ(fresh(Scheduler::kRoundRobin, {5, 1, 3}, 7), "abcabca");
  EXPECT_EQ(fresh(Scheduler::kRoundRobin, {1}, 3), "aaa");
}

TEST(RoundRobin, SkipsWeightZero) {
  EXPECT_EQ(fresh(Scheduler::kRoundRobin, {0, 1, 0, 1, 0}, 6), "bdbdbd");
}

TEST(WeightedRoundRobin, InterleavesByLevels) {
  EXPECT_EQ(fresh(Scheduler::kWeightedRoundRobin, {3, 1}, 8), "aaabaaab");
  EXPECT_EQ(fresh(Scheduler::kWeightedRoundRobin, {1, 3}, 8), "bbabbbab");
  EXPECT_EQ(fresh(Scheduler::kWeightedRoundRobin, {4, 3, 2}, 9), "aababcabc");
  EXPECT_EQ(fresh(Scheduler::kWeightedRoundRobin, {100, 100, 200}, 8), "cabccabc");
  EXPECT_EQ(fresh(Scheduler::kWeightedRoundRobin, {1, 1, 1}, 6), "abcabc");
  EXPECT_EQ(fresh(Scheduler::kWeightedRoundRobin, {7}, 3), "aaa");
}

TEST(WeightedRoundRobin, EveryRoundIsExact) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint32_t> weights(1 + random() % 8);
    for (auto& weight : weights) weight = static_cast<std::uint32_t>(random() % 12);
    const Service service = with_weights(Scheduler::kWeightedRoundRobin, weights);
    const std::uint32_t sum = std::accumulate(weights.begin(), weights.end(), 0u);
    if (sum == 0) continue;
    SchedulerState state;
    Accounts accounts;
    for (int repeat = 0; repeat < 3; ++repeat) {
      std::vector<std::uint32_t> got(weights.size());
      for (std::uint32_t i = 0; i < sum / service.weight_divisor; ++i) {
        const RealServer* real = choose(service, {}, accounts.loads(), state);
        ASSERT_NE(real, nullptr);
        got[real->slot] += service.weight_divisor;
      }
      ASSERT_EQ(got, weights);
    }
  }
}

TEST(Scheduler, NobodyToChoose) {
  for (const Scheduler scheduler : {Scheduler::kRoundRobin, Scheduler::kWeightedRoundRobin}) {
    EXPECT_EQ(fresh(scheduler, {}, 2), "--");
    EXPECT_EQ(fresh(scheduler, {0}, 2), "--");
    EXPECT_EQ(fresh(scheduler, {0, 0, 0}, 2), "--");
  }
}

TEST(Scheduler, AnyStateIsValidForAnyPool) {
  std::mt19937 random(4);
  Accounts accounts;
  for (const Scheduler scheduler : {Scheduler::kRoundRobin, Scheduler::kWeightedRoundRobin}) {
    for (int round = 0; round < 5000; ++round) {
      std::vector<std::uint32_t> weights(random() % 6);
      for (auto& weight : weights) weight = static_cast<std::uint32_t>(random() % 4);
      const Service service = with_weights(scheduler, weights);
      const auto any = [&random] {
        return static_cast<std::uint32_t>(random() % 3 == 0 ? random() : random() % 8);
      };
      SchedulerState state;
      state.cursor = any();
      state.current_weight = any();
      const bool somebody = service.weight_max > 0;
      for (int i = 0; i < 10; ++i) {
        const RealServer* real = choose(service, {}, accounts.loads(), state);
        ASSERT_EQ(real != nullptr, somebody);
        if (real != nullptr) {
          ASSERT_GT(real->weight, 0u);
        }
      }
    }
  }
}

TEST(Scheduler, APoolThatShrinksGoesOnInTurn) {
  SchedulerState state;
  const Service three = with_weights(Scheduler::kRoundRobin, {1, 1, 1});
  EXPECT_EQ(choices(three, state, 3), "abc");
  const Service two = with_weights(Scheduler::kRoundRobin, {1, 1});
  const std::string after = choices(two, state, 4);
  EXPECT_TRUE(after == "abab" || after == "baba") << after;
}

TEST(Scheduler, AfterAChangeOfWeightsTheRoundsAreExactAgain) {
  SchedulerState state;
  choices(with_weights(Scheduler::kWeightedRoundRobin, {5, 2}), state, 3);
  const Service changed = with_weights(Scheduler::kWeightedRoundRobin, {4, 2});
  choices(changed, state, 6);  // whatever is left of the old round
  const std::string later = choices(changed, state, 300);
  EXPECT_EQ(std::count(later.begin(), later.end(), 'a'), 200);
}

TEST(Service, SealFindsDivisorAndMaximum) {
  EXPECT_EQ(with_weights(Scheduler::kRoundRobin, {6, 0, 9}).weight_divisor, 3u);
  EXPECT_EQ(with_weights(Scheduler::kRoundRobin, {6, 0, 9}).weight_max, 9u);
  EXPECT_EQ(with_weights(Scheduler::kRoundRobin, {0}).weight_divisor, 1u);
  EXPECT_EQ(with_weights(Scheduler::kRoundRobin, {0}).weight_max, 0u);
}

// What a node that has just become master may rely on, see the guide on handing over.
TEST(LeadsAlike, WhereNothingButTheFlowDecides) {
  const auto of = [](Scheduler scheduler) { return with_weights(scheduler, {1, 1}); };
  EXPECT_TRUE(of(Scheduler::kMaglev).leads_alike());
  EXPECT_TRUE(of(Scheduler::kSourceHash).leads_alike());
  EXPECT_TRUE(of(Scheduler::kFailover).leads_alike());
  EXPECT_FALSE(of(Scheduler::kRoundRobin).leads_alike());
  EXPECT_TRUE(with_weights(Scheduler::kRoundRobin, {1}).leads_alike());
}

TEST(LeadsAlike, NotWhereSomethingIsRememberedOrFull) {
  Service service = with_weights(Scheduler::kMaglev, {1, 1});
  service.persistence_s = 50;
  EXPECT_FALSE(service.leads_alike());
  service.persistence_s = 0;
  service.pool[0].upper_threshold = 10;
  EXPECT_TRUE(service.leads_alike()) << "who is full refuses";
  service.hash_fallback = true;
  EXPECT_FALSE(service.leads_alike());
  Service failover = with_weights(Scheduler::kFailover, {1, 1});
  failover.pool[0].upper_threshold = 10;
  EXPECT_FALSE(failover.leads_alike());
}

}  // namespace
}  // namespace keepline::lb
