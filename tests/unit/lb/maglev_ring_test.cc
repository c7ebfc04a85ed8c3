// The Maglev ring: balance and disruption, and the schedulers that use one.
#include "dataplane/lb/sched/maglev_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "dataplane/net/flow.h"
#include "tests/unit/lb/pools.h"

namespace keepline::lb {
namespace {

using testing::letter;
using testing::with_weights;
using Members = std::vector<MaglevRing::Member>;

Members members(std::size_t count, std::uint64_t first = 1) {
  Members result;
  for (std::size_t i = 0; i < count; ++i) result.push_back({0x0a000000 + first + i, 1});
  return result;
}

std::vector<std::size_t> shares(const MaglevRing& ring, std::size_t count) {
  std::vector<std::size_t> result(count);
  for (const std::uint16_t place : ring.slots()) ++result.at(place);
  return result;
}

TEST(MaglevRing, SizesArePrimeAndAtLeastAHundredSlotsAServer) {
  const std::map<std::size_t, std::size_t> expected = {
      {0, 251}, {1, 251}, {2, 251}, {3, 509}, {40, 4093}, {650, 65537}, {1000, 131071}};
  for (const auto& [count, slots] : expected) {
    EXPECT_EQ(MaglevRing(members(count)).slots().size(), slots) << count;
  }
  EXPECT_EQ(MaglevRing(members(3), 65537).slots().size(), 65537u);
  EXPECT_EQ(MaglevRing(members(3), 65538).slots().size(), 131071u);
  for (std::size_t size = 251; size < MaglevRing::kMaxSlots;) {
    size = MaglevRing({}, static_cast<std::uint32_t>(size + 1)).slots().size();
    for (std::size_t n = 2; n * n <= size; ++n) ASSERT_NE(size % n, 0u) << size;
  }
}

// The paper's figure 11: with turns, no two servers differ by more than a slot.
TEST(MaglevRing, EqualWeightsDifferByOneSlotAtMost) {
  for (const std::size_t count : {1u, 2u, 7u, 100u, 1000u}) {
    const auto share = shares(MaglevRing(members(count), 65537), count);
    const auto [least, most] = std::ranges::minmax(share);
    EXPECT_LE(most - least, 1u) << count;
  }
}

TEST(MaglevRing, SharesFollowWeights) {
  Members some = members(4);
  some[0].weight = 1;
  some[1].weight = 2;
  some[2].weight = 0;
  some[3].weight = 5;
  const MaglevRing ring(some, 65537);
  const auto share = shares(ring, 4);
  EXPECT_NEAR(static_cast<double>(share[0]), 65537 / 8.0, 2);
  EXPECT_NEAR(static_cast<double>(share[1]), 65537 / 4.0, 2);
  EXPECT_EQ(share[2], 0u);
  EXPECT_NEAR(static_cast<double>(share[3]), 65537 * 5 / 8.0, 2);
}

TEST(MaglevRing, HugeAndTinyWeights) {
  Members some = members(3);
  some[0].weight = 0xffffffff;
  some[1].weight = 0xffffffff;
  some[2].weight = 1;
  const auto share = shares(MaglevRing(some), 3);
  EXPECT_EQ(share[0] + share[1] + share[2], 509u);
  EXPECT_LE(share[2], 1u);
}

TEST(MaglevRing, NobodyWhenAllWeightsAreZero) {
  Members some = members(2);
  some[0].weight = some[1].weight = 0;
  EXPECT_EQ(MaglevRing(some).at(12345), MaglevRing::kNobody);
  EXPECT_EQ(MaglevRing({}).at(12345), MaglevRing::kNobody);
}

TEST(MaglevRing, TheOrderInTheFileDoesNotMatter) {
  Members forward = members(20);
  Members backward(forward.rbegin(), forward.rend());
  const MaglevRing a(forward);
  const MaglevRing b(backward);
  for (std::size_t slot = 0; slot < a.slots().size(); ++slot) {
    ASSERT_EQ(forward[a.slots()[slot]].identity, backward[b.slots()[slot]].identity);
  }
}

// When one of 1,000 servers fails, flows of others move as well: the paper's §5.3 says about 2 %
// of the slots at 65,537, and fewer with a larger ring.
TEST(MaglevRing, AFailureMovesFewFlowsOfOthers) {
  const auto moved_percent = [](std::uint32_t slots) {
    const Members all = members(1000);
    Members fewer = all;
    fewer[500].weight = 0;
    const MaglevRing before(all, slots);
    const MaglevRing after(fewer, slots);
    std::size_t moved = 0;
    for (std::size_t i = 0; i < before.slots().size(); ++i) {
      moved += before.slots()[i] != 500 && before.slots()[i] != after.slots()[i] ? 1 : 0;
    }
    return 100.0 * static_cast<double>(moved) / static_cast<double>(before.slots().size());
  };
  const double usual = moved_percent(131071);
  const double large = moved_percent(1'048'573);
  EXPECT_LT(usual, 3.0);
  EXPECT_LT(large, usual);
}

// The paper's pseudocode, with the same numbers for offset and skip: what is computed at the end is
// what walking on would have found.
TEST(MaglevRing, AsThePaperFillsIt) {
  const Members all = members(17);
  const MaglevRing ring(all, 8191);
  std::vector<int> expected(8191, -1);
  std::vector<std::uint64_t> next, skip;
  for (const auto& member : all) {
    const auto first =
        net::detail::fold(member.identity ^ net::detail::kFirst, net::detail::kSecond);
    const auto second = net::detail::fold(first ^ net::detail::kSecond, net::detail::kFirst);
    next.push_back(first % 8191);
    skip.push_back(second % 8190 + 1);
  }
  for (std::size_t filled = 0, i = 0; filled < 8191; ++filled, i = (i + 1) % 17) {
    while (expected[next[i]] >= 0) next[i] = (next[i] + skip[i]) % 8191;
    expected[next[i]] = static_cast<int>(i);
  }
  for (std::size_t slot = 0; slot < 8191; ++slot) ASSERT_EQ(ring.slots()[slot], expected[slot]);
}

TEST(MaglevRing, HashesSpreadEvenlyOverTheSlots) {
  const MaglevRing ring(members(10));
  std::mt19937_64 random(5);
  std::vector<int> hits(10);
  for (int i = 0; i < 100'000; ++i) ++hits[ring.at(random())];
  for (const int each : hits) EXPECT_NEAR(each, 10'000, 600);
}

char by_source(const Service& service, std::uint64_t source_hash) {
  Accounts accounts;
  SchedulerState state;
  return letter(choose(service, {0, source_hash, 0}, accounts.loads(), state));
}

TEST(SourceHash, SameSourceSameServerWhateverThePort) {
  std::mt19937_64 random(6);
  Service web = with_weights(Scheduler::kSourceHash, {1, 1, 1, 1});
  Service tls = web;
  for (RealServer& real : tls.pool) real.endpoint.port = 443;
  tls.build_ring();
  Service maglev = tls;
  maglev.scheduler = Scheduler::kMaglev;
  maglev.build_ring();
  int same = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t hash = random();
    ASSERT_EQ(by_source(web, hash), by_source(tls, hash));
    same += by_source(web, hash) == by_source(maglev, hash) ? 1 : 0;
  }
  EXPECT_LT(same, 500) << "mh tells servers apart by port";
}

TEST(SourceHash, WithoutFallbackAFullServersClientsWait) {
  Service service = with_weights(Scheduler::kSourceHash, {1, 1, 1});
  Accounts accounts;
  SchedulerState state;
  service.pool[1].upper_threshold = 1;
  accounts.loads().set_elsewhere(1, {1, 0});
  std::mt19937_64 random(8);
  std::map<char, int> strict, lenient;
  for (int i = 0; i < 3000; ++i) {
    const NewFlow flow{0, random(), 0};
    service.hash_fallback = false;
    const char one = letter(choose(service, flow, accounts.loads(), state));
    service.hash_fallback = true;
    const char other = letter(choose(service, flow, accounts.loads(), state));
    ASSERT_TRUE(one == '-' || one == other) << "nobody else moves";
    ++strict[one];
    ++lenient[other];
  }
  EXPECT_NEAR(strict['-'], 1000, 120);
  EXPECT_EQ(lenient['-'] + lenient['b'], 0);
  EXPECT_NEAR(lenient['a'], 1500, 150) << "b's clients are shared by both";
}

TEST(DestinationHash, OneServerForTheVip) {
  std::map<char, int> chosen;
  for (std::uint32_t i = 0; i < 200; ++i) {
    Service service = with_weights(Scheduler::kDestinationHash, {1, 1});
    service.vip.address = net::Ip4(0xc0000200 + i);
    const char first = by_source(service, 1);
    ASSERT_EQ(by_source(service, 2), first);
    ++chosen[first];
  }
  EXPECT_GT(chosen['a'], 60);
  EXPECT_GT(chosen['b'], 60);
}

TEST(MaglevRing, InAnOverloadTheRingDecidesToo) {
  const Service service = with_weights(Scheduler::kMaglev, {1, 1, 1});
  std::mt19937_64 random(9);
  for (int i = 0; i < 100; ++i) {
    const NewFlow flow{random(), random(), 0};
    ASSERT_EQ(letter(choose_by_hash(service, flow)), by_source(service, flow.source_hash));
  }
}

}  // namespace
}  // namespace keepline::lb
