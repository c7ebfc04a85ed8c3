// Tells the workers of each other's connections, every few milliseconds: schedulers that count
// connections, and thresholds, are about those of all workers.
//
// Control thread only. Looks at the real servers of services that need it, at most kReadsPerTurn
// counters in a turn; a round through very many of them takes as many turns as it takes.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <vector>

#include "control/plan/planner.h"

namespace keepline::control {

class LoadSharer {
 public:
  static constexpr std::chrono::milliseconds kPeriod{5};
  static constexpr std::size_t kReadsPerTurn = 4096;

  struct Sources {
    std::function<const std::vector<PlannedService>&()> services;
    std::function<void(const lb::RealServer&)> share;
    unsigned workers = 1;  ///< One alone has nobody to tell.
  };
  LoadSharer(boost::asio::any_io_executor executor, Sources sources);

  void start();

 private:
  void take_turn();

  Sources from_;
  boost::asio::steady_timer timer_;
  std::size_t service_ = 0;  // where the round is
  std::size_t real_ = 0;
};

}  // namespace keepline::control
