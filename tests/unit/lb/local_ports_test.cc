#include "dataplane/lb/conn/local_ports.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "dataplane/net/family.h"
#include "tests/golden/frames.h"

namespace keepline::lb {
namespace {

using Ports = LocalPorts<net::V4>;
using Ends = std::set<std::pair<std::uint32_t, std::uint16_t>>;

const std::vector<net::IpAddr> kPool = {testing::ip("10.0.0.200"), testing::ip("10.0.0.201")};

std::pair<std::uint32_t, std::uint16_t> key(const Ports::End& end) {
  return {end.address.raw(), end.port.value()};
}
const auto kAny = [](const Ports::End&) { return true; };
const auto kNone = [](const Ports::End&) { return false; };

TEST(LocalPorts, EveryEndOnceBeforeAnyIsUsedAgain) {
  for (const std::uint64_t seed : {0ull, 77ull << 32, 0x12345678ull << 32}) {
    Ports ports(seed);
    Ends seen;
    for (std::uint32_t i = 0; i < 2 * Ports::kCount; ++i) {
      const auto end = ports.choose(kPool, kAny, kAny);
      ASSERT_TRUE(end);
      EXPECT_GE(end->port.value(), Ports::kFirst);
      seen.insert(key(*end));
    }
    EXPECT_EQ(seen.size(), 2 * Ports::kCount) << seed;
  }
}

TEST(LocalPorts, OnlyOursAndOnlyFreeOnes) {
  Ports ports(0);
  const auto is_even = [](const Ports::End& end) { return end.port.value() % 2 == 0; };
  const auto is_third = [](const Ports::End& end) { return end.port.value() % 3 == 0; };
  for (int i = 0; i < 1000; ++i) {
    const auto end = ports.choose(kPool, is_even, is_third);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->port.value() % 6, 0);
  }
}

TEST(LocalPorts, GivesUpAfterABoundedSearch) {
  Ports ports(0);
  int looked_up = 0;
  const auto taken = [&](const Ports::End&) {
    ++looked_up;
    return false;
  };
  EXPECT_FALSE(ports.choose(kPool, kAny, taken));
  EXPECT_EQ(looked_up, Ports::kTries);
  EXPECT_FALSE(ports.choose(kPool, kNone, kAny));
  EXPECT_FALSE(ports.choose({}, kAny, kAny));
}

// What the bound is worth: with so much of the pool in use by chance, so many are refused.
TEST(LocalPorts, FewAreRefusedBeforeThePoolIsFull) {
  std::mt19937 random(1);
  const auto refused = [&](double share) {
    Ports ports(0);
    int count = 0;
    for (int i = 0; i < 10'000; ++i) {
      std::bernoulli_distribution is_free(1 - share);
      count += !ports.choose(kPool, kAny, [&](const Ports::End&) { return is_free(random); });
    }
    return count;
  };
  EXPECT_EQ(refused(0.8), 0);
  EXPECT_LT(refused(0.95), 10'000 / 20);
  EXPECT_GT(refused(0.99), 10'000 / 4);
}

}  // namespace
}  // namespace keepline::lb
