#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/unit/lb/connections.h"

namespace keepline::lb {
namespace {

using Table = ConnectionTable<net::V4>;
using Entry = Connection<net::V4>;
using Key = FlowKey<net::V4>;

Key forward(std::uint32_t number) {
  return forward_key<net::V4>(number);
}
Key reverse(std::uint32_t number) {
  return reverse_key<net::V4>(number);
}

constexpr std::uint32_t kNow = 5000;
constexpr std::size_t kNoLimit = 1'000'000;

// How many expire() removes.
std::size_t expired(Table& table, std::uint32_t now_s, std::size_t limit = kNoLimit) {
  std::size_t count = 0;
  table.expire(now_s, limit, [&](Entry&) { ++count; });
  return count;
}

TEST(ConnectionTable, FindsBothDirectionsAndNothingElse) {
  Table table(table_config<net::V4>(100), kNow);
  Entry* connection = add(table, 1, kNow + 10);
  ASSERT_NE(connection, nullptr);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.find(hash_of(table, 1), forward(1), Direction::kForward), connection);
  EXPECT_EQ(table.find(hash_of(table, 1), reverse(1), Direction::kReverse), connection);
  EXPECT_EQ(table.find(hash_of(table, 1), forward(1), Direction::kReverse), nullptr);
  EXPECT_EQ(table.find(hash_of(table, 1), reverse(1), Direction::kForward), nullptr);
  EXPECT_EQ(find(table, 2), nullptr);
}

TEST(ConnectionTable, EveryPartOfTheKeyCounts) {
  for (const Direction direction : {Direction::kForward, Direction::kReverse}) {
    Table table(table_config<net::V4>(100), kNow);
    Entry* connection = add(table, 1, kNow + 10);
    const Key key = direction == Direction::kForward ? forward(1) : reverse(1);
    EXPECT_EQ(table.find(hash_of(table, 1), key, direction), connection);
    std::vector<Key> others(5, key);
    others[0].source = net::be32(1);
    others[1].destination = net::be32(1);
    others[2].source_port = net::be16(1);
    others[3].destination_port = net::be16(1);
    others[4].protocol = net::Protocol::kUdp;
    for (const Key& other : others) {
      EXPECT_EQ(table.find(hash_of(table, 1), other, direction), nullptr);
    }
  }
}

TEST(ConnectionTable, ANewEntryIsZeroEvenWhereAnOldOneWas) {
  Table table(table_config<net::V4>(1), kNow);
  Entry* first = add(table, 1, kNow + 10);
  first->replied = true;
  first->state = FlowState::kEstablished;
  first->real_slot = 77;
  table.remove(*first);
  Entry* second = add(table, 2, kNow + 10, FlowState::kNone);
  ASSERT_EQ(second, first);
  EXPECT_FALSE(second->replied);
  EXPECT_EQ(second->state, FlowState::kNone);
  EXPECT_EQ(second->real_slot, 0u);
}

TEST(ConnectionTable, RemovedIsNotFoundAndItsPlaceIsFree) {
  Table table(table_config<net::V4>(3), kNow);
  for (std::uint32_t i = 0; i < 3; ++i) ASSERT_NE(add(table, i, kNow + 10), nullptr);
  table.remove(*find(table, 1));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(find(table, 1), nullptr);
  EXPECT_NE(find(table, 0), nullptr);
  EXPECT_NE(find(table, 2), nullptr);
  EXPECT_NE(add(table, 7, kNow + 10), nullptr);
  EXPECT_EQ(table.high_water(), 3u);
  EXPECT_EQ(expired(table, kNow + 10), 3u);
}

TEST(ConnectionTable, FullItRefusesAndEvictsNobody) {
  for (const std::size_t capacity : {1u, 2u, 7u, 64u, 1000u}) {
    Table table(table_config<net::V4>(capacity), kNow);
    std::uint32_t number = 0;
    std::vector<std::uint32_t> in;
    // A few keys may find both of their buckets full before the entries run out.
    for (; table.size() < capacity && number < 4 * capacity + 10; ++number) {
      if (add(table, number, kNow + 10) != nullptr) in.push_back(number);
    }
    ASSERT_EQ(table.size(), capacity);
    EXPECT_LE(number, capacity + capacity / 50 + 1);
    for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(add(table, number + i, kNow + 10), nullptr);
    EXPECT_EQ(table.size(), capacity);
    for (const std::uint32_t each : in) EXPECT_NE(find(table, each), nullptr);
  }
}

// Established, of flow `number` but filed under the hash of flow 1.
Entry* add_with_hash_of_one(Table& table, std::uint32_t number) {
  Entry* entry = table.take(net::Protocol::kTcp);
  fill(*entry, number);
  entry->state = FlowState::kEstablished;
  return table.file(*entry, hash_of(table, 1), kNow + 10) == Table::File::kDone ? entry : nullptr;
}

TEST(ConnectionTable, OneHashHasABoundedChain) {
  constexpr std::uint32_t kMost = ConnectionIndex::kSlots * ConnectionIndex::kMaxChain;
  Table table(table_config<net::V4>(10'000), kNow);
  std::vector<Entry*> in;
  while (Entry* entry = add_with_hash_of_one(table, static_cast<std::uint32_t>(in.size()))) {
    in.push_back(entry);
    ASSERT_LE(in.size(), kMost);
  }
  ASSERT_EQ(in.size(), kMost);
  EXPECT_EQ(table.size(), kMost);
  const auto at = [&](std::uint32_t i) {
    return table.find(hash_of(table, 1), forward(i), Direction::kForward);
  };
  for (std::uint32_t i = 0; i < kMost; ++i) EXPECT_EQ(at(i), in[i]);
  // The refused one took no entry with it.
  EXPECT_EQ(table.high_water(), kMost + 1);
  EXPECT_NE(add(table, 50'000, kNow + 10), nullptr);
  EXPECT_EQ(table.high_water(), kMost + 1);
}

TEST(ConnectionIndexTest, OverflowBucketsAreGivenBack) {
  // Chains that are filled and emptied again and again would otherwise use up the pool.
  ConnectionIndex index(64);
  constexpr std::uint32_t kMost = ConnectionIndex::kSlots * ConnectionIndex::kMaxChain;
  for (std::uint64_t round = 0; round < 1000; ++round) {
    const std::uint64_t hash = round << 40 | round * 0x9e3779b9;
    for (std::uint32_t i = 0; i < kMost; ++i) {
      ASSERT_EQ(index.insert(hash, i), ConnectionIndex::Insert::kDone) << round << ' ' << i;
    }
    EXPECT_EQ(index.insert(hash, kMost), ConnectionIndex::Insert::kFull);
    for (std::uint32_t i = 0; i < kMost; ++i) index.remove(hash, (i * 7) % kMost);
    EXPECT_EQ(index.find(hash, [](std::uint32_t) { return true; }), ConnectionIndex::kNone);
  }
}

TEST(ConnectionTable, OfTheSameHashTheRightOneIsRemoved) {
  ConnectionIndex index(1000);
  for (std::uint32_t i = 0; i < 20; ++i) index.insert(77, i);
  for (std::uint32_t i = 0; i < 20; i += 2) index.remove(77, i);
  for (std::uint32_t i = 0; i < 20; ++i) {
    const auto found = index.find(77, [i](std::uint32_t entry) { return entry == i; });
    EXPECT_EQ(found, i % 2 == 0 ? ConnectionIndex::kNone : i);
  }
}

TEST(ConnectionTable, ItsMemoryIsWhatTheDesignAllows) {
  for (const std::size_t capacity : {100'000u, 1'000'000u, 10'000'000u}) {
    const ConnectionTable<net::V4> v4(table_config<net::V4>(capacity), kNow);
    const ConnectionTable<net::V6> v6(table_config<net::V6>(capacity), kNow);
    EXPECT_LE(v4.bytes_per_connection(), 96u);
    EXPECT_LE(v6.bytes_per_connection(), 160u);
    EXPECT_GE(v4.index_load_percent(), 50u);
  }
}

TEST(HalfOpen, TheOldestOfTheLongerQueueIsNamed) {
  Table table(table_config<net::V4>(100, 10), kNow);
  for (std::uint32_t i = 0; i < 10; ++i) {
    EXPECT_FALSE(table.half_open_full());
    add(table, i, kNow + 60, FlowState::kSynReceived);
  }
  EXPECT_TRUE(table.half_open_full());
  EXPECT_EQ(table.oldest_half_open(), find(table, 0));
  // One that becomes established does not count any more; one that is heard again is the newest.
  find(table, 0)->state = FlowState::kEstablished;
  table.settle(*find(table, 0), kNow + 900);
  EXPECT_FALSE(table.half_open_full());
  table.settle(*find(table, 1), kNow + 61);
  EXPECT_EQ(table.oldest_half_open(), find(table, 2));
  EXPECT_EQ(expired(table, kNow + 60), 8u);
  EXPECT_EQ(expired(table, kNow + 61), 1u);
  EXPECT_EQ(table.oldest_half_open(), nullptr);
  EXPECT_EQ(expired(table, kNow + 900), 1u);
}

TEST(ConnectionTable, ListsByPosition) {
  Table table(table_config<net::V4>(10), kNow);
  Entry* first = add(table, 1, kNow + 10);
  Entry* second = add(table, 2, kNow + 10);
  EXPECT_EQ(table.at(0), first);
  EXPECT_EQ(table.at(1), second);
  EXPECT_EQ(table.at(2), nullptr);
  EXPECT_EQ(table.at(10), nullptr);
  table.remove(*first);
  EXPECT_EQ(table.at(0), nullptr);
  EXPECT_EQ(table.at(1), second);
}

TEST(ConnectionWheel, ExpiresAtItsSecondAndNotBefore) {
  for (const std::uint32_t after : {1u, 2u, 60u, 900u, 1022u, 1023u, 1024u, 1025u, 4000u}) {
    Table table(table_config<net::V4>(10), kNow);
    add(table, 1, kNow + after);
    for (std::uint32_t now_s = kNow; now_s < kNow + after; ++now_s) {
      ASSERT_EQ(expired(table, now_s), 0u) << after << ' ' << now_s;
    }
    EXPECT_EQ(expired(table, kNow + after), 1u) << after;
    EXPECT_EQ(table.size(), 0u);
  }
}

TEST(ConnectionWheel, ADeadlineThatHasPassedIsSeenInTheNextSecond) {
  Table table(table_config<net::V4>(10), kNow);
  add(table, 1, kNow - 1);
  EXPECT_EQ(expired(table, kNow + 1), 1u);
}

TEST(ConnectionWheel, TheDeadlineMoves) {
  for (const std::uint32_t from : {5u, 100u, 2000u}) {
    for (const std::uint32_t via : {3u, 700u, 5000u}) {
      for (const std::uint32_t to : {4u, 50u, 1500u}) {
        Table table(table_config<net::V4>(10), kNow);
        Entry* connection = add(table, 1, kNow + from);
        table.settle(*connection, kNow + via);
        table.settle(*connection, kNow + to);
        for (std::uint32_t now_s = kNow; now_s < kNow + to; ++now_s) {
          ASSERT_EQ(expired(table, now_s), 0u) << from << ' ' << via << ' ' << to;
        }
        ASSERT_EQ(expired(table, kNow + to), 1u) << from << ' ' << via << ' ' << to;
      }
    }
  }
}

TEST(ConnectionWheel, InUseItLivesForEver) {
  Table table(table_config<net::V4>(10), kNow);
  Entry* connection = add(table, 1, kNow + 60);
  for (std::uint32_t now_s = kNow; now_s < kNow + 5000; ++now_s) {
    table.settle(*connection, now_s + 60);
    ASSERT_EQ(expired(table, now_s), 0u);
  }
  EXPECT_EQ(expired(table, kNow + 4999 + 60), 1u);
}

TEST(ConnectionWheel, ALongPauseExpiresWhatIsDueAndKeepsTheRest) {
  for (const std::uint32_t pause : {1023u, 1024u, 1025u, 2048u, 100'000u, 4'000'000'000u}) {
    Table table(table_config<net::V4>(100), kNow);
    for (std::uint32_t i = 0; i < 50; ++i) add(table, i, kNow + 1 + i);
    add(table, 50, kNow + pause);
    add(table, 51, kNow + pause + 1);
    add(table, 52, kNow + pause + 3000);
    EXPECT_EQ(expired(table, kNow + pause), 51u) << pause;
    EXPECT_EQ(expired(table, kNow + pause), 0u) << pause;
    EXPECT_EQ(expired(table, kNow + pause + 1), 1u) << pause;
    EXPECT_EQ(expired(table, kNow + pause + 2999), 0u) << pause;
    EXPECT_EQ(expired(table, kNow + pause + 3000), 1u) << pause;
    EXPECT_EQ(table.size(), 0u);
  }
}

TEST(ConnectionWheel, TheLimitBoundsACallAndEveryCallMakesProgress) {
  Table table(table_config<net::V4>(1000), kNow);
  for (std::uint32_t i = 0; i < 1000; ++i) add(table, i, kNow + 1 + i % 3);
  std::size_t left = table.size();
  for (std::size_t calls = 0; left > 0; ++calls) {
    ASSERT_LE(calls, 100u);
    const std::size_t now = expired(table, kNow + 10, 32);
    EXPECT_LE(now, 32u);
    EXPECT_GT(now, 0u);
    left -= now;
    EXPECT_EQ(table.size(), left);
  }
}

TEST(ConnectionWheel, TheLimitCountsEntriesThatStayAsWell) {
  Table table(table_config<net::V4>(1000), kNow);
  std::vector<Entry*> in;
  for (std::uint32_t i = 0; i < 100; ++i) in.push_back(add(table, i, kNow + 1));
  for (Entry* connection : in) table.settle(*connection, kNow + 500);
  // Filed in the next second still: 100 looks, none of which removes anything.
  for (int call = 0; call < 10; ++call) EXPECT_EQ(expired(table, kNow + 2, 10), 0u);
  add(table, 100, kNow + 3);
  EXPECT_EQ(expired(table, kNow + 3, 10), 1u);
  EXPECT_EQ(expired(table, kNow + 499), 0u);
  EXPECT_EQ(expired(table, kNow + 500), 100u);
}

TEST(ConnectionWheel, AZeroLimitDoesNothing) {
  Table table(table_config<net::V4>(10), kNow);
  add(table, 1, kNow + 1);
  EXPECT_EQ(expired(table, kNow + 5, 0), 0u);
  EXPECT_EQ(expired(table, kNow + 5, 1), 1u);
}

TEST(ConnectionWheel, AClockThatGoesBackDisturbsNothing) {
  Table table(table_config<net::V4>(10), kNow);
  add(table, 1, kNow + 5);
  EXPECT_EQ(expired(table, kNow + 4), 0u);
  EXPECT_EQ(expired(table, kNow - 1000), 0u);
  EXPECT_EQ(expired(table, kNow + 5), 1u);
}

TEST(ConnectionWheel, AnyMemberOfASecondsListCanBeRemoved) {
  for (std::uint32_t victim = 0; victim < 4; ++victim) {
    Table table(table_config<net::V4>(10), kNow);
    for (std::uint32_t i = 0; i < 4; ++i) add(table, i, kNow + 9);
    table.remove(*find(table, victim));
    std::set<std::uint32_t> seen;
    table.expire(kNow + 9, kNoLimit, [&](Entry& c) { seen.insert(c.client.value() & 0xff); });
    EXPECT_EQ(seen.size(), 3u);
    EXPECT_EQ(seen.count(victim), 0u);
  }
}

}  // namespace
}  // namespace keepline::lb
