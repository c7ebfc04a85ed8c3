#include "control/plan/pool.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

constexpr auto kSorry = PoolMember::kSorry;
constexpr auto kUp = Health::kUp;
constexpr auto kDown = Health::kDown;

config::VirtualServer service(const std::string& more,
                              const std::vector<std::string>& reals = {"10.0.0.2 80", "10.0.0.3 80",
                                                                       "10.0.0.4 80"}) {
  return config_of(server("192.0.2.100 80", reals, more)).virtual_servers.at(0);
}

// "0*1 2*0 sorry*1": index and weight.
std::string members(const Pool& pool) {
  std::string result;
  for (const PoolMember& member : pool.members) {
    result += (result.empty() ? "" : " ") +
              (member.real == kSorry ? std::string("sorry") : std::to_string(member.real)) + '*' +
              std::to_string(member.weight);
  }
  return result;
}

std::string members(const config::VirtualServer& server, const std::vector<Health>& health,
                    bool had_quorum = true) {
  return members(make_pool(server, health, had_quorum));
}

TEST(Pool, AllThatAreNotDownInTheOrderOfTheFile) {
  const auto plain = service("", {"10.0.0.2 80 { weight 5 }", "10.0.0.3 80", "10.0.0.4 80"});
  EXPECT_EQ(members(plain, {kUp, kUp, kUp}), "0*5 1*1 2*1");
  EXPECT_EQ(members(plain, {kUp, Health::kUnchecked, kDown}), "0*5 1*1");
  EXPECT_EQ(members(plain, {kDown, kUp, kUp}), "1*1 2*1");
  EXPECT_EQ(members(plain, {kDown, kDown, kDown}), "");
}

TEST(Pool, AnInhibitedServerStaysWithWeightZero) {
  const auto inhibited =
      service("", {"10.0.0.2 80 { inhibit_on_failure\n weight 5 }", "10.0.0.3 80"});
  EXPECT_EQ(members(inhibited, {kDown, kUp}), "0*0 1*1");
  EXPECT_EQ(members(inhibited, {kUp, kUp}), "0*5 1*1");
  EXPECT_EQ(members(inhibited, {kDown, kDown}), "0*0");
}

TEST(Pool, TheQuorumIsAWeight) {
  const auto three = service("quorum 3", {"10.0.0.2 80 { weight 2 }", "10.0.0.3 80"});
  EXPECT_TRUE(make_pool(three, {kUp, kUp}, true).has_quorum);
  EXPECT_FALSE(make_pool(three, {kUp, kDown}, true).has_quorum);
  EXPECT_FALSE(make_pool(three, {kDown, kUp}, true).has_quorum);
  // Without a sorry server those that are left serve all the same.
  EXPECT_EQ(members(three, {kDown, kUp}), "1*1");
}

TEST(Pool, HysteresisOnBothSides) {
  // Lost below 3 - 1, gained from 3 + 1 on.
  const auto server = service("quorum 3\nhysteresis 1",
                              {"10.0.0.2 80", "10.0.0.3 80", "10.0.0.4 80", "10.0.0.5 80"});
  const auto up = [](unsigned count) {
    std::vector<Health> health(4, kDown);
    std::fill_n(health.begin(), count, kUp);
    return health;
  };
  const bool had[] = {false, false, true, true, true};
  const bool had_not[] = {false, false, false, false, true};
  for (unsigned count = 0; count <= 4; ++count) {
    EXPECT_EQ(make_pool(server, up(count), true).has_quorum, had[count]) << count;
    EXPECT_EQ(make_pool(server, up(count), false).has_quorum, had_not[count]) << count;
    EXPECT_EQ(initial_quorum(server, up(count)), had_not[count]) << count;
  }
}

TEST(Pool, AHysteresisAsLargeAsTheQuorumStillNeedsSomebody) {
  auto server = service("quorum 2\nhysteresis 1");
  server.hysteresis = 2;
  EXPECT_FALSE(make_pool(server, {kDown, kDown, kDown}, true).has_quorum);
  EXPECT_TRUE(make_pool(server, {kUp, kDown, kDown}, true).has_quorum);
}

TEST(Pool, TheSorryServerTakesThePlaceOfAll) {
  const auto server = service("quorum 2\nsorry_server 10.0.0.9 80");
  EXPECT_EQ(members(server, {kUp, kUp, kDown}), "0*1 1*1");
  EXPECT_EQ(members(server, {kUp, kDown, kDown}), "sorry*1");
  EXPECT_EQ(members(server, {kDown, kDown, kDown}), "sorry*1");
}

TEST(Pool, WithTheSorryServerInhibitedServersStayWithWeightZero) {
  const auto server = service("quorum 2\nsorry_server 10.0.0.9 80\ninhibit_on_failure");
  // The one that is up but may not serve, as well.
  EXPECT_EQ(members(server, {kUp, kDown, kDown}), "0*0 1*0 2*0 sorry*1");
}

TEST(Pool, AnInhibitedSorryServerServesWhenItIsNeededAndKeepsItsConnectionsAfterwards) {
  const auto server = service("sorry_server 10.0.0.9 80\nsorry_server_inhibit");
  EXPECT_EQ(members(server, {kDown, kDown, kDown}), "sorry*1");
  EXPECT_EQ(members(server, {kUp, kDown, kDown}, false), "0*1 sorry*0");
}

TEST(Pool, ServersOfWeightZeroAloneAreNoQuorum) {
  const auto server = service("sorry_server 10.0.0.9 80", {"10.0.0.2 80 { weight 0 }"});
  EXPECT_EQ(members(server, {kUp}), "sorry*1");
  EXPECT_FALSE(initial_quorum(server, {kUp}));
}

}  // namespace
}  // namespace keepline::control
