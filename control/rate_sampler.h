// Takes the samples that rates are made of: every kPeriod, from each real server's and each
// worker's counters.
//
// Control thread only. A round goes through the real servers in slices with a turn of the loop in
// between; a slice reads at most kReadsPerSlice counters of a real server (each a cache miss at
// worst, so a fraction of a millisecond). Memory: one estimator (100 bytes) per real server.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <vector>

#include "control/plan/planner.h"
#include "control/rates.h"

namespace keepline::control {

/// What is counted of a real server: indices into totals and rates.
struct Traffic {
  enum : std::size_t { kConnections, kPacketsIn, kPacketsOut, kBytesIn, kBytesOut, kCount };
};
using TrafficRates = RateEstimator<Traffic::kCount>;

/// What is counted of a worker, likewise.
struct Work {
  enum : std::size_t { kPackets, kBytes, kCreated, kTurns, kBusyTurns, kCount };
};
using WorkRates = RateEstimator<Work::kCount>;

class RateSampler {
 public:
  static constexpr std::chrono::seconds kPeriod{2};
  static constexpr std::size_t kReadsPerSlice = 4096;

  /// Where the counters are.
  struct Sources {
    std::function<const std::vector<PlannedService>&()> services;
    std::function<TrafficRates::Totals(const PlannedService&, const lb::RealServer&)> traffic;
    unsigned workers = 1;
    std::function<WorkRates::Totals(unsigned worker)> work;
    std::function<std::int64_t()> now_us;
  };
  RateSampler(boost::asio::any_io_executor executor, Sources sources);

  /// Begins the first round at once; the rounds go on for as long as the executor runs.
  void start();

  TrafficRates::Rates traffic_per_second(const lb::RealServer& real) const;
  WorkRates::Rates work_per_second(unsigned worker) const;

 private:
  void begin_round();
  void next_slice();
  void take_slice();
  void sample(const PlannedService& planned, const lb::RealServer& real);

  Sources from_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point round_begin_;
  // Where the round is. A plan published meanwhile may change what is there: then a server is left
  // out or met twice, which its estimator forgives.
  std::size_t service_ = 0;
  std::size_t real_ = 0;
  std::deque<TrafficRates> traffic_;  // by real server slot; growing moves nothing
  std::vector<WorkRates> work_;       // by worker
};

}  // namespace keepline::control
