// bfd_instance and track_bfd: ranges, defaults, what is refused and why, the way back to text.
#include <gtest/gtest.h>

#include "control/config/print.h"
#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

std::string bfd_text(const std::string& more = "", const std::string& name = "b",
                     const std::string& neighbour = "10.0.0.2") {
  return "bfd_instance " + name + " {\n neighbor_ip " + neighbour + "\n" + more + "\n}\n";
}

TEST(Bfd, Defaults) {
  const LoadResult result = load_text(bfd_text());
  ASSERT_TRUE(result.diagnostics.items().empty()) << all(result);
  const BfdInstance& b = result.config.bfd_instances.at(0);
  EXPECT_EQ(net::to_string(b.neighbour), "10.0.0.2");
  EXPECT_FALSE(b.source);
  EXPECT_EQ(b.min_rx_ms, 10u);
  EXPECT_EQ(b.min_tx_ms, 10u);
  EXPECT_EQ(b.idle_tx_ms, 1000u);
  EXPECT_EQ(b.multiplier, 5);
  EXPECT_EQ(b.ttl, 255);
  EXPECT_EQ(b.max_hops, 0);
  EXPECT_FALSE(b.is_passive || b.is_multihop || b.is_reversed);
  EXPECT_TRUE(b.tells_vrrp && b.tells_checkers);
}

TEST(Bfd, EveryKeyword) {
  const LoadResult result = load_text(
      "bfd_instance six {\nneighbour_ip 2001:db8::2\nsource_ip 2001:db8::1\nmin_rx 3\nmin_tx 4\n"
      "idle_tx 2000\nmultiplier 1\npassive\nhoplimit 64\nmax_hops 9\nmultihop\nweight -7 reverse\n"
      "vrrp\n}\n");
  ASSERT_TRUE(result.diagnostics.items().empty()) << all(result);
  const BfdInstance& b = result.config.bfd_instances.at(0);
  EXPECT_EQ(net::to_string(*b.source), "2001:db8::1");
  EXPECT_EQ(b.min_rx_ms, 3u);
  EXPECT_EQ(b.min_tx_ms, 4u);
  EXPECT_EQ(b.idle_tx_ms, 2000u);
  EXPECT_EQ(b.multiplier, 1);
  EXPECT_EQ(b.ttl, 64);
  EXPECT_EQ(b.max_hops, 9);
  EXPECT_EQ(b.weight, -7);
  EXPECT_TRUE(b.is_passive && b.is_multihop && b.is_reversed && b.tells_vrrp);
  EXPECT_FALSE(b.tells_checkers);
}

TEST(Bfd, MultihopAllowsAnyDistanceUnlessWritten) {
  EXPECT_EQ(load_text(bfd_text("multihop")).config.bfd_instances.at(0).max_hops, -1);
  EXPECT_EQ(load_text(bfd_text("multihop\nmax_hops 0")).config.bfd_instances.at(0).max_hops, 0);
}

TEST(Bfd, WhatIsOutOfRangeIsIgnored) {
  for (const char* text :
       {"min_rx 0", "min_tx 4294968", "idle_tx 999", "multiplier 256", "multiplier 0", "ttl 0",
        "max_hops -2", "max_hops 300", "weight 254", "source_ip here"}) {
    const LoadResult result = load_text(bfd_text(text));
    EXPECT_EQ(result.diagnostics.exit_code(), 5) << text << all(result);
    ASSERT_EQ(result.config.bfd_instances.size(), 1u) << text;
    EXPECT_TRUE(result.config.bfd_instances[0] == load_text(bfd_text()).config.bfd_instances[0]);
    EXPECT_EQ(result.diagnostics.items()[0].position.line, 3u) << text;
  }
}

TEST(Bfd, HopsAreAtMostTheTtl) {
  const LoadResult result = load_text(bfd_text("ttl 5\nmax_hops 6"));
  EXPECT_EQ(result.config.bfd_instances.at(0).max_hops, 5);
  EXPECT_NE(find(result, "max_hops is above ttl"), nullptr) << all(result);
}

TEST(Bfd, WhatCannotBeIsSkipped) {
  const std::pair<std::string, const char*> cases[] = {
      {"bfd_instance b {\nmin_rx 5\n}\n", "without neighbor_ip"},
      {bfd_text("", "b", "224.0.0.1"), "nobody's address"},
      {bfd_text("", "b", "fe80::1"), "is on every link"},
      {bfd_text("", "b", "nonsense"), "nonsense"},
      {bfd_text("source_ip ::1"), "another family"},
      {bfd_text("", std::string(32, 'n')), "at most 31"},
  };
  for (const auto& [text, said] : cases) {
    const LoadResult result = load_text(text);
    EXPECT_TRUE(result.config.bfd_instances.empty()) << text;
    EXPECT_NE(find(result, said), nullptr) << text << all(result);
    EXPECT_TRUE(result.diagnostics.can_run());
  }
}

TEST(Bfd, NamesAndNeighboursAreUnique) {
  const LoadResult result =
      load_text(bfd_text() + bfd_text("", "b", "10.0.0.3") + bfd_text("", "c"));
  EXPECT_EQ(result.config.bfd_instances.size(), 1u);
  EXPECT_NE(find(result, "a second bfd_instance 'b'"), nullptr) << all(result);
  EXPECT_NE(find(result, "another one has the neighbour 10.0.0.2"), nullptr) << all(result);
}

TEST(Bfd, InstancesAndGroupsTrackThem) {
  const LoadResult result = load_text(
      bfd_text("weight 4 reverse") + bfd_text("checker", "other", "10.0.0.3") +
      bfd_text("", "shared", "10.0.0.4") +
      instance_text("track_bfd {\nb weight 9\nother\nnobody\n}") +
      "vrrp_sync_group g {\ngroup { VI_1 }\nsync_group_tracking_weight\ntrack_bfd { shared }\n}\n");
  const VrrpInstance& v = result.config.vrrp_instances.at(0);
  ASSERT_EQ(v.track_bfd.size(), 2u) << all(result);
  EXPECT_EQ(v.track_bfd[0].weight.value(), 9);
  EXPECT_TRUE(v.track_bfd[0].is_reversed);
  EXPECT_EQ(v.track_bfd[1].name, "shared");
  EXPECT_EQ(v.track_bfd[1].weight.value(), 0);
  EXPECT_NE(find(result, "'other' names no bfd_instance"), nullptr) << all(result);
  EXPECT_NE(find(result, "'nobody' names no bfd_instance"), nullptr);
}

TEST(Bfd, AWeightMeansNothingToAnOwner) {
  const LoadResult result =
      load_text(bfd_text() + instance_text("priority 255\nstate MASTER\ntrack_bfd { b weight 2 }"));
  EXPECT_TRUE(result.config.vrrp_instances.at(0).track_bfd.empty());
}

TEST(Bfd, RoundTrip) {
  const LoadResult first = load_text(
      bfd_text("min_rx 3\nmin_tx 4\nidle_tx 1500\nmultiplier 7\npassive\nttl 9\nmax_hops 4\n"
               "weight 3 reverse\nsource_ip 10.0.0.1\nchecker",
               "\"a b\"") +
      bfd_text("multihop\nvrrp", "c", "2001:db8::7") + instance_text("track_bfd { c weight 2 }"));
  ASSERT_EQ(first.config.bfd_instances.size(), 2u) << all(first);
  const LoadResult second = load_text(print(first.config));
  EXPECT_TRUE(first.config == second.config) << print(first.config) << print(second.config);
}

}  // namespace
}  // namespace keepline::config
