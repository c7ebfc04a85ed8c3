// From configured checkers to running checks, and from their verdicts to the health of servers.
//
// Control thread only. A real server is up when all its checks are; one without checks is
// kUnchecked and counts as up.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <vector>

#include "checks/runner.h"
#include "control/plan/pool.h"

namespace keepline::control {

class CheckDriver {
 public:
  /// `on_change` is called after the health of any server has changed.
  CheckDriver(boost::asio::any_io_executor executor, const config::Config& config,
              std::function<void()> on_change);

  void start() { runner_.start(); }
  void stop() { runner_.stop(); }

  /// By virtual server and real server.
  const std::vector<std::vector<Health>>& health() const { return health_; }

 private:
  struct Place {
    std::size_t service;
    std::size_t real;
  };
  void add_checks(std::size_t service, std::size_t real);
  void on_verdict(const checks::VerdictReport& report);
  void on_failure(const checks::FailureReport& report);
  Health health_of(std::size_t service, std::size_t real) const;

  const config::Config& config_;
  std::function<void()> on_change_;
  checks::Runner runner_;
  std::map<checks::CheckId, Place> places_;
  std::map<checks::CheckId, checks::Health> verdicts_;
  std::vector<std::vector<Health>> health_;
};

}  // namespace keepline::control
