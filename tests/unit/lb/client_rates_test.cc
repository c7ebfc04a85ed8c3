#include "dataplane/lb/conn/client_rates.h"

#include <gtest/gtest.h>

#include <memory>

namespace keepline::lb {
namespace {

constexpr std::uint32_t kNow_s = 1000;

int taken(ClientRates& rates, std::uint64_t client, const ClientRate& rate, std::uint32_t now_s,
          int tries = 1000) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += rates.take(client, rate, now_s);
  return count;
}

TEST(ClientRates, ABurstAndThenSoManyASecond) {
  ClientRates rates;
  const ClientRate rate{10, 30};
  EXPECT_EQ(taken(rates, 7, rate, kNow_s), 30);
  EXPECT_EQ(taken(rates, 7, rate, kNow_s), 0);
  EXPECT_EQ(taken(rates, 7, rate, kNow_s + 1), 10);
  EXPECT_EQ(taken(rates, 7, rate, kNow_s + 3), 20);
  EXPECT_EQ(taken(rates, 7, rate, kNow_s + 100), 30) << "no more than a burst after a rest";
  EXPECT_EQ(taken(rates, 7, rate, kNow_s + 4'000'000'000u), 30);
}

TEST(ClientRates, ClientsDoNotShare) {
  ClientRates rates;
  EXPECT_EQ(taken(rates, 7, {5, 5}, kNow_s), 5);
  EXPECT_EQ(taken(rates, 8, {5, 5}, kNow_s), 5);
  EXPECT_EQ(taken(rates, 7, {5, 5}, kNow_s), 0);
}

TEST(ClientRates, BeyondFourOfASetTheOneOfLongestAgoIsForgotten) {
  ClientRates rates;
  constexpr std::uint64_t kSets = ClientRates::kClients / ClientRates::kWays;
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(taken(rates, 1 + i * kSets, {1, 1}, kNow_s + static_cast<std::uint32_t>(i)), 1);
  }
  const std::uint32_t now_s = kNow_s + 4;
  EXPECT_EQ(taken(rates, 1 + 4 * kSets, {1, 1}, now_s), 0) << "the newest is known";
  EXPECT_EQ(taken(rates, 1, {1, 1}, now_s), 1) << "the oldest begins anew";
}

}  // namespace
}  // namespace keepline::lb
