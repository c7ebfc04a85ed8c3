// Several nodes on one LAN in virtual time: convergence, failover, pauses, loss.
#include "tests/unit/vrrp/cluster.h"

#include <gtest/gtest.h>

#include <random>
#include <tuple>

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using Only = std::vector<std::size_t>;

struct Timing {
  Version version;
  std::int64_t interval_us;
};

constexpr Timing kTimings[] = {
    {Version::k2, kSecond_us}, {Version::k3, kSecond_us}, {Version::k3, 10 * kMs}};

constexpr const char* kSources[] = {"10.9.0.1", "10.9.0.2", "10.9.0.3"};

InstanceConfig config_for(const Timing& timing, std::uint8_t priority) {
  return config_of(priority, timing.version, timing.interval_us);
}

std::int64_t down_us(const InstanceConfig& config) {
  return master_down_us({config.version, config.advert_interval_us, config.priority, 3});
}

// Node i has priority 200 - 50 * i.
Cluster cluster_of(std::size_t nodes, const Timing& timing, bool nopreempt = false) {
  Cluster cluster;
  for (std::size_t i = 0; i < nodes; ++i) {
    InstanceConfig config = config_for(timing, static_cast<std::uint8_t>(200 - 50 * i));
    config.nopreempt = nopreempt;
    cluster.add(config, kSources[i]);
  }
  return cluster;
}

TEST(ClusterOf, TwoOrThreeConvergeOnTheBest) {
  for (const Timing& timing : kTimings) {
    for (const std::size_t nodes : {2u, 3u}) {
      Cluster cluster = cluster_of(nodes, timing);
      cluster.start_all();
      cluster.run_for(5 * timing.interval_us);
      cluster.run_for(100 * timing.interval_us, [&] { ASSERT_EQ(cluster.serving(), Only{0}); });
      EXPECT_EQ(cluster.node(0).changes.size(), 2u);
      EXPECT_EQ(cluster.node(1).changes.size(), 1u) << "never master";
    }
  }
}

TEST(ClusterOf, EqualPrioritiesConvergeOnTheHigherAddress) {
  for (const Timing& timing : kTimings) {
    Cluster cluster;
    for (const char* source : kSources) cluster.add(config_for(timing, 100), source);
    cluster.start_all();
    cluster.run_for(5 * timing.interval_us);
    cluster.run_for(20 * timing.interval_us, [&] { ASSERT_EQ(cluster.serving(), Only{2}); });
  }
}

TEST(ClusterOf, FailoverAfterACrash) {
  for (const Timing& timing : kTimings) {
    Cluster cluster = cluster_of(3, timing);
    cluster.start_all();
    cluster.run_for(10 * timing.interval_us + 123);
    ASSERT_EQ(cluster.serving(), Only{0});
    cluster.crash(0);
    const std::int64_t crashed_us = cluster.now_us();
    cluster.run_for(6 * timing.interval_us, [&] { ASSERT_LE(cluster.serving().size(), 1u); });
    EXPECT_EQ(cluster.serving(), Only{1});
    const std::int64_t took_us = cluster.node(1).changes.back().first - crashed_us;
    const std::int64_t down = down_us(cluster.node(1).instance.config());
    EXPECT_LE(took_us, down + cluster.delay_us);
    EXPECT_GE(took_us, down - timing.interval_us);
    EXPECT_EQ(cluster.node(2).changes.size(), 1u);
  }
}

TEST(ClusterOf, AnnouncedLeaveTakesOnlyTheSkew) {
  for (const Timing& timing : kTimings) {
    Cluster cluster = cluster_of(3, timing);
    cluster.start_all();
    cluster.run_for(10 * timing.interval_us + 123);
    cluster.stop(0);
    const std::int64_t left_us = cluster.now_us();
    cluster.run_for(3 * timing.interval_us, [&] { ASSERT_LE(cluster.serving().size(), 1u); });
    EXPECT_EQ(cluster.serving(), Only{1});
    const auto& config = cluster.node(1).instance.config();
    EXPECT_EQ(cluster.node(1).changes.back().first - left_us,
              cluster.delay_us + down_us(config) - 3 * timing.interval_us);
    EXPECT_EQ(cluster.node(1).changes.back().second.reason, Reason::kMasterReleased);
  }
}

TEST(ClusterOf, PreemptionGoesBackToTheBest) {
  for (const bool nopreempt : {false, true}) {
    for (const Timing& timing : kTimings) {
      Cluster cluster = cluster_of(2, timing, nopreempt);
      cluster.start(1);
      cluster.run_for(10 * timing.interval_us);
      ASSERT_EQ(cluster.serving(), Only{1});
      cluster.start(0);
      cluster.run_for(50 * timing.interval_us);
      EXPECT_EQ(cluster.serving(), nopreempt ? Only{1} : Only{0});
      EXPECT_EQ(cluster.node(1).changes.size(), nopreempt ? 2u : 3u);
    }
  }
}

TEST(ClusterOf, NoFailBackWithNopreempt) {
  Cluster cluster = cluster_of(2, kTimings[0], true);
  cluster.start_all();
  cluster.run_for(10 * kSecond_us);
  ASSERT_EQ(cluster.serving(), Only{0});
  cluster.stop(0);
  cluster.run_for(5 * kSecond_us);
  ASSERT_EQ(cluster.serving(), Only{1});
  cluster.start(0);
  cluster.run_for(60 * kSecond_us, [&] { ASSERT_EQ(cluster.serving(), Only{1}); });
}

// A master is stopped for any time and continued. Before it may speak again it has listened.
TEST(ClusterOf, PausedMasterDoesNotSpeakBeforeItListened) {
  for (const Timing& timing : kTimings) {
    for (const bool timer_first : {false, true}) {
      for (int tenths = 5; tenths <= 100; tenths += 3) {
        Cluster cluster = cluster_of(2, timing);
        cluster.start_all();
        cluster.run_for(10 * timing.interval_us + 77);
        ASSERT_EQ(cluster.serving(), Only{0});
        cluster.node(0).timer_first = timer_first;
        const std::int64_t lease_end_us = cluster.node(0).lease_until_us;
        cluster.pause(0);
        cluster.run_for(tenths * timing.interval_us / 10, [&] {
          ASSERT_LE(cluster.serving().size(), 1u) << "the dataplane is silent first";
        });
        const std::size_t said = cluster.node(0).adverts_us.size();
        const std::int64_t resumed_us = cluster.now_us();
        cluster.resume(0);
        if (resumed_us < lease_end_us) {
          EXPECT_EQ(cluster.node(0).changes.size(), 2u);
          continue;
        }
        EXPECT_EQ(cluster.node(0).adverts_us.size(), said);
        EXPECT_EQ(cluster.node(0).changes.back().second.reason, Reason::kTimeJump);
        cluster.run_for(20 * timing.interval_us);
        EXPECT_EQ(cluster.serving(), Only{0}) << "preempts in the end";
        EXPECT_GE(cluster.node(0).adverts_us[said] - resumed_us,
                  down_us(cluster.node(0).instance.config()));
      }
    }
  }
}

// The backup is paused while the master lives: whenever it resumes, the master stays alone, even
// if the timer runs before the queue is read and the queue's packets were all lost.
TEST(ClusterOf, PausedBackupNeverDisturbsALivingMaster) {
  for (const Timing& timing : kTimings) {
    for (const bool lost : {false, true}) {
      for (int hundredths = 1; hundredths <= 1000; hundredths += 7) {
        Cluster cluster = cluster_of(2, timing);
        cluster.start_all();
        cluster.run_for(10 * timing.interval_us + hundredths * 31);
        cluster.pause(1);
        cluster.node(1).timer_first = true;
        cluster.run_for(hundredths * timing.interval_us / 100);
        if (lost) cluster.node(1).received.clear();
        cluster.resume(1);
        cluster.run_for(10 * timing.interval_us,
                        [&] { ASSERT_EQ(cluster.serving(), Only{0}) << hundredths; });
        ASSERT_EQ(cluster.node(1).changes.size(), 1u) << hundredths << ' ' << lost;
      }
    }
  }
}

TEST(ClusterOf, PartitionHealsToOneMaster) {
  for (const Timing& timing : kTimings) {
    Cluster cluster = cluster_of(3, timing);
    cluster.start_all();
    cluster.run_for(10 * timing.interval_us);
    cluster.arrives = [](std::size_t from, std::size_t to) { return (from == 0) == (to == 0); };
    cluster.run_for(10 * timing.interval_us);
    EXPECT_EQ(cluster.serving(), (Only{0, 1})) << "unavoidable while cut";
    cluster.arrives = [](auto, auto) { return true; };
    cluster.run_for(timing.interval_us + 2 * cluster.delay_us);
    cluster.run_for(20 * timing.interval_us, [&] { ASSERT_EQ(cluster.serving(), Only{0}); });
  }
}

// Random loss, pauses and crashes, then quiet: exactly one master, and it is the best one alive.
TEST(ClusterOf, AnyStormIsFollowedByOneMaster) {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    const Timing timing = kTimings[seed % 3];
    std::mt19937 random(seed);
    Cluster cluster = cluster_of(3, timing);
    cluster.arrives = [&random](auto, auto) { return random() % 3 != 0; };
    cluster.start_all();
    for (int step = 0; step < 60; ++step) {
      const std::size_t i = random() % 3;
      Cluster::Node& node = cluster.node(i);
      node.timer_first = random() % 2 == 0;
      if (node.paused) {
        const std::size_t said = node.adverts_us.size();
        const bool lapsed =
            node.instance.state() == State::kMaster && cluster.now_us() >= node.lease_until_us;
        cluster.resume(i);
        if (lapsed) {
          ASSERT_EQ(node.adverts_us.size(), said) << seed;
        }
      } else if (random() % 2 == 0) {
        cluster.pause(i);
      } else if (node.running) {
        cluster.stop(i);
      } else {
        cluster.start(i);
      }
      const auto length_us = static_cast<std::int64_t>(random()) % (3 * timing.interval_us);
      cluster.run_for(length_us);
    }
    cluster.arrives = [](auto, auto) { return true; };
    for (std::size_t i = 0; i < 3; ++i) {
      if (cluster.node(i).paused) cluster.resume(i);
      if (!cluster.node(i).running) cluster.start(i);
    }
    cluster.run_for(12 * timing.interval_us);
    cluster.run_for(20 * timing.interval_us,
                    [&] { ASSERT_EQ(cluster.serving(), Only{0}) << "seed " << seed; });
  }
}

}  // namespace
}  // namespace keepline::vrrp
