// Rounds over services: everybody is sampled, no slice is long.
#include "control/rate_sampler.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>

namespace keepline::control {
namespace {

class RateSamplerTest : public ::testing::Test {
 protected:
  RateSamplerTest() {
    sources_.services = [this]() -> const auto& {
      return services_;
    };
    sources_.traffic = [this](const PlannedService&, const lb::RealServer& real) {
      ++reads_;
      ++reads_of_[real.slot];
      return TrafficRates::Totals{traffic_ * real.slot, 0, 0, 0, 0};
    };
    sources_.work = [this](unsigned worker) {
      return WorkRates::Totals{traffic_ * (worker + 1), 0, 0, 0, 0};
    };
    sources_.now_us = [this] { return now_us_; };
  }

  void add_services(std::size_t services, std::size_t servers) {
    for (std::size_t i = 0; i < services; ++i) {
      PlannedService planned;
      for (std::size_t j = 0; j < servers; ++j) {
        planned.reals.emplace_back().slot = ++slots_;
        planned.reals.back().generation = 1;
      }
      services_.push_back(planned);
    }
  }

  /// Runs the loop until a round is over; returns the most reads of one handler.
  std::size_t run_round() {
    std::size_t most = reads_;
    for (std::size_t before = reads_; io_.poll_one() > 0; before = reads_) {
      most = std::max(most, reads_ - before);
    }
    return most;
  }

  boost::asio::io_context io_;
  std::vector<PlannedService> services_;
  RateSampler::Sources sources_;
  lb::RealSlot slots_ = 0;
  std::size_t reads_ = 0;
  std::map<lb::RealSlot, int> reads_of_;
  std::uint64_t traffic_ = 0;
  std::int64_t now_us_ = 0;
};

TEST_F(RateSamplerTest, EachServerOncePerRoundInSlices) {
  add_services(300, 200);
  services_[7].sorry.slot = ++slots_;
  services_[8].reals.clear();
  sources_.workers = 4;
  RateSampler sampler(io_.get_executor(), sources_);
  sampler.start();
  EXPECT_LE(run_round(), RateSampler::kReadsPerSlice / 4);
  EXPECT_EQ(reads_, 299 * 200 + 1);
  EXPECT_EQ(reads_of_.size(), reads_);
}

TEST_F(RateSamplerTest, RatesOfServersAndWorkers) {
  add_services(2, 2);
  sources_.workers = 2;
  {
    RateSampler sampler(io_.get_executor(), sources_);
    sampler.start();
    now_us_ = 2'000'000;
    traffic_ = 8;
    io_.run_for(RateSampler::kPeriod + std::chrono::milliseconds(500));
    EXPECT_DOUBLE_EQ(sampler.traffic_per_second(services_[0].reals[0])[Traffic::kConnections], 1);
    EXPECT_DOUBLE_EQ(sampler.traffic_per_second(services_[1].reals[1])[Traffic::kConnections], 4);
    EXPECT_DOUBLE_EQ(sampler.work_per_second(1)[Work::kPackets], 2);
    lb::RealServer unknown;
    unknown.slot = 99;
    EXPECT_EQ(sampler.traffic_per_second(unknown)[Traffic::kConnections], 0);
  }
}

TEST_F(RateSamplerTest, ServicesThatChangeDuringARound) {
  add_services(50, 200);
  RateSampler sampler(io_.get_executor(), sources_);
  sampler.start();
  io_.poll_one();
  services_.resize(3);
  services_[2].reals.clear();
  run_round();
  services_.clear();
  EXPECT_GT(reads_, 0u);
}

}  // namespace
}  // namespace keepline::control
