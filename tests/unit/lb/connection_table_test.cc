#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/unit/lb/connections.h"

namespace keepline::lb {
namespace {

constexpr std::uint32_t kNow = 5000;
constexpr std::size_t kNoLimit = 1'000'000;

// How many expire() removes.
std::size_t expired(ConnectionTable& table, std::uint32_t now_s, std::size_t limit = kNoLimit) {
  std::size_t count = 0;
  table.expire(now_s, limit, [&](Connection&) { ++count; });
  return count;
}

TEST(ConnectionTable, FindsBothDirectionsAndNothingElse) {
  ConnectionTable table(100, kNow);
  Connection* connection = add(table, 1, kNow + 10);
  ASSERT_NE(connection, nullptr);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.find(hash_of(1), forward_key(1), Direction::kForward), connection);
  EXPECT_EQ(table.find(hash_of(1), reverse_key(1), Direction::kReverse), connection);
  EXPECT_EQ(table.find(hash_of(1), forward_key(1), Direction::kReverse), nullptr);
  EXPECT_EQ(table.find(hash_of(1), reverse_key(1), Direction::kForward), nullptr);
  EXPECT_EQ(find(table, 2), nullptr);
}

TEST(ConnectionTable, EveryPartOfTheKeyCounts) {
  for (const Direction direction : {Direction::kForward, Direction::kReverse}) {
    ConnectionTable table(100, kNow);
    Connection* connection = add(table, 1, kNow + 10);
    const FlowKey key = direction == Direction::kForward ? forward_key(1) : reverse_key(1);
    EXPECT_EQ(table.find(hash_of(1), key, direction), connection);
    std::vector<FlowKey> others(5, key);
    others[0].source = net::be32(1);
    others[1].destination = net::be32(1);
    others[2].source_port = net::be16(1);
    others[3].destination_port = net::be16(1);
    others[4].protocol = net::Protocol::kUdp;
    for (const FlowKey& other : others) {
      EXPECT_EQ(table.find(hash_of(1), other, direction), nullptr);
    }
  }
}

TEST(ConnectionTable, ANewEntryIsZeroEvenWhereAnOldOneWas) {
  ConnectionTable table(1, kNow);
  Connection* first = add(table, 1, kNow + 10);
  first->replied = true;
  first->state = TcpState::kEstablished;
  first->real_slot = 77;
  table.remove(*first);
  Connection* second = table.insert(hash_of(2), kNow + 10);
  ASSERT_EQ(second, first);
  EXPECT_FALSE(second->replied);
  EXPECT_EQ(second->state, TcpState::kNone);
  EXPECT_EQ(second->real_slot, 0u);
}

TEST(ConnectionTable, RemovedIsNotFoundAndItsPlaceIsFree) {
  ConnectionTable table(3, kNow);
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
    ConnectionTable table(capacity, kNow);
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

TEST(ConnectionTable, OneHashHasRoomForSixteen) {
  // All with the same hash: the two buckets of eight that it may choose.
  ConnectionTable table(1000, kNow);
  std::vector<Connection*> in;
  while (Connection* connection = table.insert(hash_of(1), kNow + 10)) {
    fill(*connection, static_cast<std::uint32_t>(in.size()));
    in.push_back(connection);
    ASSERT_LE(in.size(), 16u);
  }
  ASSERT_EQ(in.size(), 16u);
  EXPECT_EQ(table.size(), 16u);
  const auto at = [&](std::uint32_t i) {
    return table.find(hash_of(1), forward_key(i), Direction::kForward);
  };
  for (std::uint32_t i = 0; i < 16; ++i) EXPECT_EQ(at(i), in[i]);
  // The refused one took no entry with it.
  EXPECT_EQ(table.high_water(), 17u);
  table.remove(*in[11]);
  EXPECT_EQ(at(11), nullptr);
  EXPECT_EQ(at(12), in[12]);
  EXPECT_NE(table.insert(hash_of(1), kNow + 10), nullptr);
  EXPECT_NE(add(table, 500, kNow + 10), nullptr);
  EXPECT_EQ(table.high_water(), 17u);
}

TEST(ConnectionTable, OfTheSameHashTheRightOneIsRemoved) {
  ConnectionTable table(1000, kNow);
  std::vector<Connection*> in;
  for (std::uint32_t i = 0; i < 10; ++i) {
    in.push_back(table.insert(hash_of(1), kNow + 10));
    fill(*in.back(), i);
  }
  for (std::uint32_t i = 0; i < 10; i += 2) table.remove(*in[i]);
  for (std::uint32_t i = 0; i < 10; ++i) {
    EXPECT_EQ(table.find(hash_of(1), forward_key(i), Direction::kForward),
              i % 2 == 0 ? nullptr : in[i]);
  }
}

TEST(ConnectionTable, ListsByPosition) {
  ConnectionTable table(10, kNow);
  Connection* first = add(table, 1, kNow + 10);
  Connection* second = add(table, 2, kNow + 10);
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
    ConnectionTable table(10, kNow);
    add(table, 1, kNow + after);
    for (std::uint32_t now_s = kNow; now_s < kNow + after; ++now_s) {
      ASSERT_EQ(expired(table, now_s), 0u) << after << ' ' << now_s;
    }
    EXPECT_EQ(expired(table, kNow + after), 1u) << after;
    EXPECT_EQ(table.size(), 0u);
  }
}

TEST(ConnectionWheel, ADeadlineThatHasPassedIsSeenInTheNextSecond) {
  ConnectionTable table(10, kNow);
  add(table, 1, kNow - 1);
  EXPECT_EQ(expired(table, kNow + 1), 1u);
}

TEST(ConnectionWheel, TheDeadlineMoves) {
  for (const std::uint32_t from : {5u, 100u, 2000u}) {
    for (const std::uint32_t via : {3u, 700u, 5000u}) {
      for (const std::uint32_t to : {4u, 50u, 1500u}) {
        ConnectionTable table(10, kNow);
        Connection* connection = add(table, 1, kNow + from);
        table.set_expiry(*connection, kNow + via);
        table.set_expiry(*connection, kNow + to);
        for (std::uint32_t now_s = kNow; now_s < kNow + to; ++now_s) {
          ASSERT_EQ(expired(table, now_s), 0u) << from << ' ' << via << ' ' << to;
        }
        ASSERT_EQ(expired(table, kNow + to), 1u) << from << ' ' << via << ' ' << to;
      }
    }
  }
}

TEST(ConnectionWheel, InUseItLivesForEver) {
  ConnectionTable table(10, kNow);
  Connection* connection = add(table, 1, kNow + 60);
  for (std::uint32_t now_s = kNow; now_s < kNow + 5000; ++now_s) {
    table.set_expiry(*connection, now_s + 60);
    ASSERT_EQ(expired(table, now_s), 0u);
  }
  EXPECT_EQ(expired(table, kNow + 4999 + 60), 1u);
}

TEST(ConnectionWheel, ALongPauseExpiresWhatIsDueAndKeepsTheRest) {
  for (const std::uint32_t pause : {1023u, 1024u, 1025u, 2048u, 100'000u, 4'000'000'000u}) {
    ConnectionTable table(100, kNow);
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
  ConnectionTable table(1000, kNow);
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
  ConnectionTable table(1000, kNow);
  std::vector<Connection*> in;
  for (std::uint32_t i = 0; i < 100; ++i) in.push_back(add(table, i, kNow + 1));
  for (Connection* connection : in) table.set_expiry(*connection, kNow + 500);
  // Filed in the next second still: 100 looks, none of which removes anything.
  for (int call = 0; call < 10; ++call) EXPECT_EQ(expired(table, kNow + 2, 10), 0u);
  add(table, 100, kNow + 3);
  EXPECT_EQ(expired(table, kNow + 3, 10), 1u);
  EXPECT_EQ(expired(table, kNow + 499), 0u);
  EXPECT_EQ(expired(table, kNow + 500), 100u);
}

TEST(ConnectionWheel, AZeroLimitDoesNothing) {
  ConnectionTable table(10, kNow);
  add(table, 1, kNow + 1);
  EXPECT_EQ(expired(table, kNow + 5, 0), 0u);
  EXPECT_EQ(expired(table, kNow + 5, 1), 1u);
}

TEST(ConnectionWheel, AClockThatGoesBackDisturbsNothing) {
  ConnectionTable table(10, kNow);
  add(table, 1, kNow + 5);
  EXPECT_EQ(expired(table, kNow + 4), 0u);
  EXPECT_EQ(expired(table, kNow - 1000), 0u);
  EXPECT_EQ(expired(table, kNow + 5), 1u);
}

TEST(ConnectionWheel, AnyMemberOfASecondsListCanBeRemoved) {
  for (std::uint32_t victim = 0; victim < 4; ++victim) {
    ConnectionTable table(10, kNow);
    for (std::uint32_t i = 0; i < 4; ++i) add(table, i, kNow + 9);
    table.remove(*find(table, victim));
    std::set<std::uint32_t> seen;
    table.expire(kNow + 9, kNoLimit, [&](Connection& c) { seen.insert(c.client.value() & 0xff); });
    EXPECT_EQ(seen.size(), 3u);
    EXPECT_EQ(seen.count(victim), 0u);
  }
}

}  // namespace
}  // namespace keepline::lb
