// Runs the tracking scripts that instances have, each at its own interval, never twice at a time.
//
// Control thread. A run that is still going when the next is due leaves that one out; one that
// takes longer than its timeout is ended and has failed.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "checks/exec/children.h"
#include "control/config/model.h"
#include "control/plan/tracking.h"
#include "control/programs.h"

namespace keepline::control {

class ScriptTracker {
 public:
  /// `on_change`: some outcome is another one.
  ScriptTracker(boost::asio::any_io_executor executor, const config::Config& config,
                checks::Children& children, std::function<void()> on_change);

  void start();
  /// After a reload: what is run in the same way as before goes on, with all that it knows.
  void follow(const config::Config& config);
  void stop();
  const Outcomes& outcomes() const { return outcomes_; }
  /// The names of those that run right now.
  std::set<std::string> running() const;

 private:
  struct Script {
    config::VrrpScript config;
    checks::Program program;
    vrrp::ScriptStatus status;
    boost::asio::steady_timer timer;
    bool is_running = false;
  };
  void add(const config::VrrpScript& script, Programs& programs);
  void run(const std::shared_ptr<Script>& script);
  void ended(Script& script, const checks::Ending& ending);

  boost::asio::any_io_executor executor_;
  checks::Children& children_;
  std::function<void()> on_change_;
  std::vector<std::shared_ptr<Script>> scripts_;
  Outcomes outcomes_;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace keepline::control
