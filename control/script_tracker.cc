#include "control/script_tracker.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "control/log.h"

namespace keepline::control {

namespace {

// Weights are what instances make of a result.
bool is_run_alike(const config::VrrpScript& a, config::VrrpScript b) {
  b.weight = a.weight;
  b.is_reversed = a.is_reversed;
  return a == b;
}

}  // namespace

ScriptTracker::ScriptTracker(boost::asio::any_io_executor executor, const config::Config& config,
                             checks::Children& children, std::function<void()> on_change)
    : executor_(std::move(executor)), children_(children), on_change_(std::move(on_change)) {
  follow(config);
}

void ScriptTracker::follow(const config::Config& config) {
  const auto before = std::exchange(scripts_, {});
  const Outcomes known = std::exchange(outcomes_, {});
  Programs programs(config.global);
  for (const config::VrrpScript& script : config.vrrp_scripts) {
    if (!is_tracked(config, &config::VrrpInstance::track_script, script.name)) continue;
    const auto same = std::ranges::find_if(
        before, [&script](const auto& each) { return is_run_alike(each->config, script); });
    if (same == before.end()) {
      add(script, programs);
      continue;
    }
    scripts_.push_back(*same);
    outcomes_[script.name] = known.at(script.name);
  }
  for (const auto& script : before) {
    if (std::ranges::find(scripts_, script) == scripts_.end()) script->timer.cancel();
  }
}

void ScriptTracker::add(const config::VrrpScript& script, Programs& programs) {
  if (const auto reason = programs.prepare(script.command)) {
    log::error("{}:{}: vrrp_script {} is not tracked: {}: {}", script.position.file,
               script.position.line, script.name, script.command.arguments.front(), *reason);
    return;
  }
  const vrrp::ScriptStatus status(script.rise, script.fall, script.init_fail);
  scripts_.push_back(std::make_shared<Script>(
      Script{script, programs.of(script.command), status, boost::asio::steady_timer(executor_)}));
  outcomes_[script.name] = status.outcome();
  if (started_) run(scripts_.back());
}

void ScriptTracker::start() {
  started_ = true;
  for (const auto& script : scripts_) run(script);
}

void ScriptTracker::stop() {
  stopped_ = true;
  for (const auto& script : scripts_) script->timer.cancel();
}

std::set<std::string> ScriptTracker::running() const {
  std::set<std::string> names;
  for (const auto& script : scripts_) {
    if (script->is_running) names.insert(script->config.name);
  }
  return names;
}

// One that a reload has taken away ends with its timer.
void ScriptTracker::run(const std::shared_ptr<Script>& script) {
  using std::chrono::microseconds;
  if (stopped_) return;
  script->timer.expires_after(microseconds(script->config.interval_us));
  script->timer.async_wait([this, script](const boost::system::error_code& error) {
    if (!error && std::ranges::find(scripts_, script) != scripts_.end()) run(script);
  });
  if (script->is_running) return;
  script->is_running = true;
  children_.run(script->program, microseconds(*script->config.timeout_us),
                [this, script](const checks::Ending& ending) { ended(*script, ending); });
}

void ScriptTracker::ended(Script& script, const checks::Ending& ending) {
  script.is_running = false;
  // That is about this node, not about what the script looks at.
  if (ending.how == checks::Ending::How::kNotStarted) {
    log::warn("script {}: {}", script.config.name, checks::to_string(ending));
    return;
  }
  const auto is_it = [&script](const auto& each) { return each.get() == &script; };
  if (stopped_ || std::ranges::none_of(scripts_, is_it)) return;
  if (!script.status.note(ending.succeeded())) return;
  const bool is_good = script.status.outcome() == vrrp::Outcome::kGood;
  log::info("script {} {} ({})", script.config.name, is_good ? "succeeded" : "failed",
            checks::to_string(ending));
  outcomes_[script.config.name] = script.status.outcome();
  on_change_();
}

}  // namespace keepline::control
