// From configured checkers to running checks, and from their verdicts to the health of servers.
//
// Control thread only. A real server is up when all its checks are; one without checks is
// kUnchecked and counts as up.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "checks/runner.h"
#include "control/plan/pool.h"

namespace keepline::control {

class CheckDriver {
 public:
  /// `on_change` is called after the health of any server has changed.
  CheckDriver(boost::asio::any_io_executor executor, std::shared_ptr<const config::Config> config,
              std::function<void()> on_change);

  void start() { runner_.start(); }
  void stop() { runner_.stop(); }
  /// A reload: checks that are the same as before run on, with all that they know.
  void follow(std::shared_ptr<const config::Config> config);

  /// By virtual server and real server.
  const std::vector<std::vector<Health>>& health() const { return health_; }

 private:
  struct Place {
    std::size_t service;
    std::size_t real;
  };
  struct Running {
    checks::CheckId id;
    checks::Health verdict;
  };
  /// Virtual server, real server and what is done: what makes a check the same in two
  /// configurations.
  using Key = std::tuple<net::Endpoint, net::Protocol, net::Endpoint, checks::CheckKey>;
  using ByKey = std::multimap<Key, Running>;

  void add_checks(std::size_t service, std::size_t real, ByKey& before);
  std::optional<Running> take_or_add(const Key& key, const checks::CheckSpec& spec, ByKey& before);
  void on_verdict(const checks::VerdictReport& report);
  void on_failure(const checks::FailureReport& report);
  Health health_of(std::size_t service, std::size_t real) const;

  std::shared_ptr<const config::Config> config_;
  std::function<void()> on_change_;
  checks::Runner runner_;
  ByKey running_;
  std::map<checks::CheckId, std::pair<Place, ByKey::iterator>> places_;
  std::vector<std::vector<std::vector<checks::CheckId>>> checks_;  ///< By service and real server.
  std::vector<std::vector<Health>> health_;
};

}  // namespace keepline::control
