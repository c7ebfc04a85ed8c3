// Router, action queue, counters, words.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/vrrp/support.h"
#include "vrrp/router.h"

namespace keepline::vrrp {
namespace {

TEST(Router, FindsByPortAndVrid) {
  Router router;
  EXPECT_EQ(router.add(1, 51, false, 0), Router::Add::kAdded);
  EXPECT_EQ(router.add(0, 51, false, 1), Router::Add::kAdded);
  EXPECT_EQ(router.add(1, 50, false, 2), Router::Add::kAdded);
  EXPECT_EQ(router.add(1, 51, false, 3), Router::Add::kDuplicate);
  EXPECT_EQ(router.find(1, 51, false), 0u);
  EXPECT_EQ(router.find(0, 51, false), 1u);
  EXPECT_EQ(router.find(1, 50, false), 2u);
  EXPECT_EQ(router.unknown_vrid(), 0u);
  EXPECT_EQ(router.find(2, 51, false), std::nullopt);
  EXPECT_EQ(router.find(1, 52, false), std::nullopt);
  EXPECT_EQ(router.unknown_vrid(), 2u);
  router.remove(1, 51, false);
  EXPECT_EQ(router.find(1, 51, false), std::nullopt);
  EXPECT_EQ(router.find(0, 51, false), 1u);
}

TEST(Router, TellsFamiliesApart) {
  Router router;
  EXPECT_EQ(router.add(0, 51, false, 0), Router::Add::kAdded);
  EXPECT_EQ(router.add(0, 51, true, 1), Router::Add::kAdded);
  EXPECT_EQ(router.find(0, 51, false), 0u);
  EXPECT_EQ(router.find(0, 51, true), 1u);
}

TEST(Router, IsBounded) {
  Router router;
  for (std::uint32_t i = 0; i < kMaxInstances; ++i) {
    ASSERT_EQ(router.add(static_cast<std::uint16_t>(i / 255), static_cast<std::uint8_t>(i % 255),
                         false, i),
              Router::Add::kAdded);
  }
  EXPECT_EQ(router.add(60000, 1, false, 1), Router::Add::kFull);
  EXPECT_EQ(router.size(), kMaxInstances);
}

TEST(ActionQueue, IsAFifoWithALimit) {
  ActionQueue queue;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < kActionLimit; ++i) {
      EXPECT_EQ(queue.push(SendAdvert{static_cast<std::uint8_t>(i)}), ActionQueue::Push::kQueued);
    }
    EXPECT_EQ(queue.push(RevokeLease{}), ActionQueue::Push::kFull);
    for (std::size_t i = 0; i < kActionLimit; ++i) {
      EXPECT_EQ(std::get<SendAdvert>(*queue.pop()).priority, i);
    }
    EXPECT_FALSE(queue.pop().has_value());
    EXPECT_TRUE(queue.empty());
  }
}

TEST(Statistics, EachRejectHasItsOwnCounter) {
  Statistics statistics;
  for (std::size_t i = 0; i < kRejectCount; ++i) count(statistics, static_cast<Reject>(i));
  for (const std::uint64_t value :
       {statistics.packet_len_err, statistics.advert_interval_err, statistics.ip_ttl_err,
        statistics.invalid_type_rcvd, statistics.invalid_authtype, statistics.authtype_mismatch,
        statistics.auth_failure, statistics.checksum_err, statistics.version_err,
        statistics.vrid_err, statistics.ip_header_err, statistics.destination_err,
        statistics.own_advert, statistics.auth_ext_missing, statistics.auth_ext_malformed,
        statistics.auth_ext_unknown_key, statistics.auth_ext_failure, statistics.auth_ext_stale,
        statistics.auth_ext_replay}) {
    EXPECT_EQ(value, 1u);
  }
}

template <typename T>
void expect_words(std::size_t values) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < values; ++i) {
    const std::string_view text = to_string(static_cast<T>(i));
    EXPECT_NE(text, "?") << i;
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
  EXPECT_EQ(to_string(static_cast<T>(values)), "?");
}

TEST(Text, EveryValueHasItsWord) {
  expect_words<State>(4);
  expect_words<Reason>(kReasonCount);
  expect_words<Reject>(kRejectCount);
  expect_words<NoticeKind>(8);
  expect_words<GarpReason>(3);
  expect_words<GroupCommand>(4);
  expect_words<AdvertResult>(3);
  expect_words<Event>(kEventCount);
  EXPECT_EQ(to_string(State::kMaster), "MASTER");
  EXPECT_EQ(to_string(Reject::kIpTtl), "ip_ttl_err");
  EXPECT_EQ(to_string(FaultCause::kWorkerStalled), "dataplane worker stalled");
}

TEST(Instance, LostActionsAreCounted) {
  testing::Master m(testing::config_of(100));
  for (int i = 1; i <= 10; ++i) m.instance.handle_timeout(m.now_us + i * kSecond_us);
  EXPECT_EQ(m.instance.statistics().action_lost, 20u - kActionLimit);
}

}  // namespace
}  // namespace keepline::vrrp
