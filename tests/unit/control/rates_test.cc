// The estimator against kernel LVS's arithmetic.
#include "control/rates.h"

#include <gtest/gtest.h>

#include <cmath>

namespace keepline::control {
namespace {

constexpr std::int64_t kPeriodUs = 2'000'000;
using Rates = RateEstimator<2>;

/// Samples every 2 s, with `step` more of the first counter each time.
struct Source {
  Rates rates;
  std::uint64_t total = 0;
  std::int64_t now_us = 0;

  double next(std::uint64_t step) {
    total += step;
    now_us += kPeriodUs;
    rates.sample(1, {total, 7}, now_us);
    return rates.per_second(1)[0];
  }
};

TEST(Rates, AQuarterOfTheDifferenceWithEachSample) {
  Source source;
  EXPECT_EQ(source.next(1'000'000), 0) << "what was before the first sample is no rate";
  EXPECT_DOUBLE_EQ(source.next(2000), 250);
  EXPECT_DOUBLE_EQ(source.next(2000), 437.5);
  EXPECT_DOUBLE_EQ(source.next(0), 328.125);
  EXPECT_EQ(source.rates.per_second(1)[1], 0) << "the other counter stands still";
}

TEST(Rates, ComeToTheTrueRateAndBackToZero) {
  Source source;
  for (int i = 0; i < 60; ++i) source.next(20'000);
  EXPECT_NEAR(source.rates.per_second(1)[0], 10'000, 0.1);
  int samples = 0;
  while (source.rates.per_second(1)[0] != 0 && samples < 1000) {
    source.next(0);
    ++samples;
  }
  EXPECT_LT(samples, 60) << "exactly zero within two minutes";
}

// kernel: net/netfilter/ipvs/ip_vs_est.c before 6.2, rates scaled by 1024.
TEST(Rates, AgreesWithTheKernelsFixedPoint) {
  Source source;
  source.next(0);
  std::int64_t kernel = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::uint64_t step = i % 50 < 25 ? 37 * i + 11 : 0;
    kernel += (static_cast<std::int64_t>(step << 9) - kernel) >> 2;
    const double rate = source.next(step);
    EXPECT_NEAR(rate, static_cast<double>(kernel) / 1024, 0.01) << i;
  }
}

TEST(Rates, ALateSampleCountsForTheTimeItTook) {
  Source source;
  source.next(0);
  source.rates.sample(1, {8000, 7}, source.now_us + 4 * kPeriodUs);
  EXPECT_DOUBLE_EQ(source.rates.per_second(1)[0], 250);
}

TEST(Rates, SamplesTooCloseTogetherAreOne) {
  Source source;
  source.next(0);
  source.rates.sample(1, {100, 7}, source.now_us + 1000);
  EXPECT_EQ(source.rates.per_second(1)[0], 0);
  EXPECT_DOUBLE_EQ(source.next(2000), 250) << "nothing is lost, nothing counted twice";
}

TEST(Rates, AnotherGenerationStartsAnew) {
  Source source;
  for (int i = 0; i < 10; ++i) source.next(2000);
  EXPECT_GT(source.rates.per_second(1)[0], 900);
  EXPECT_EQ(source.rates.per_second(2)[0], 0) << "not yet sampled";
  source.rates.sample(2, {50, 0}, source.now_us + kPeriodUs);
  EXPECT_EQ(source.rates.per_second(2)[0], 0);
  EXPECT_EQ(source.rates.per_second(1)[0], 0);
  source.rates.sample(2, {2050, 0}, source.now_us + 2 * kPeriodUs);
  EXPECT_DOUBLE_EQ(source.rates.per_second(2)[0], 250);
}

TEST(Rates, ACounterThatGoesBackIsNoHugeRate) {
  Source source;
  source.next(5000);
  source.rates.sample(1, {10, 7}, source.now_us + kPeriodUs);
  EXPECT_EQ(source.rates.per_second(1)[0], 0);
}

}  // namespace
}  // namespace keepline::control
