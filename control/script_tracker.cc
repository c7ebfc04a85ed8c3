#include "control/script_tracker.h"

#include <chrono>

#include "control/log.h"
#include "control/programs.h"

namespace keepline::control {

ScriptTracker::ScriptTracker(boost::asio::any_io_executor executor, const config::Config& config,
                             checks::Children& children, std::function<void()> on_change)
    : executor_(std::move(executor)), children_(children), on_change_(std::move(on_change)) {
  Programs programs(config.global);
  for (const config::VrrpScript& script : config.vrrp_scripts) {
    if (!is_tracked(config, &config::VrrpInstance::track_script, script.name)) continue;
    if (const auto reason = programs.prepare(script.command)) {
      log::error("{}:{}: vrrp_script {} is not tracked: {}: {}", script.position.file,
                 script.position.line, script.name, script.command.arguments.front(), *reason);
      continue;
    }
    scripts_.push_back({script, programs.of(script.command),
                        vrrp::ScriptStatus(script.rise, script.fall, script.init_fail),
                        boost::asio::steady_timer(executor_)});
    outcomes_[script.name] = scripts_.back().status.outcome();
  }
}

void ScriptTracker::start() {
  for (Script& script : scripts_) run(script);
}

void ScriptTracker::stop() {
  stopped_ = true;
  for (Script& script : scripts_) script.timer.cancel();
}

std::set<std::string> ScriptTracker::running() const {
  std::set<std::string> names;
  for (const Script& script : scripts_) {
    if (script.is_running) names.insert(script.config.name);
  }
  return names;
}

void ScriptTracker::run(Script& script) {
  using std::chrono::microseconds;
  if (stopped_) return;
  script.timer.expires_after(microseconds(script.config.interval_us));
  script.timer.async_wait([this, &script](const boost::system::error_code& error) {
    if (!error) run(script);
  });
  if (script.is_running) return;
  script.is_running = true;
  children_.run(script.program, microseconds(*script.config.timeout_us),
                [this, &script](const checks::Ending& ending) { ended(script, ending); });
}

void ScriptTracker::ended(Script& script, const checks::Ending& ending) {
  script.is_running = false;
  // That is about this node, not about what the script looks at.
  if (ending.how == checks::Ending::How::kNotStarted) {
    log::warn("script {}: {}", script.config.name, checks::to_string(ending));
    return;
  }
  if (stopped_ || !script.status.note(ending.succeeded())) return;
  const bool is_good = script.status.outcome() == vrrp::Outcome::kGood;
  log::info("script {} {} ({})", script.config.name, is_good ? "succeeded" : "failed",
            checks::to_string(ending));
  outcomes_[script.config.name] = script.status.outcome();
  on_change_();
}

}  // namespace keepline::control
