// What instances track, as keepalived.data has it: see text.h.
#include "control/config/names.h"
#include "control/dump/text.h"
#include "control/dump/words.h"

namespace keepline::control::dump {

namespace {

using List = std::vector<config::Tracker> config::VrrpInstance::*;

std::string weight_text(int weight, bool is_reversed) {
  return std::to_string(weight) + (is_reversed ? " reverse" : "");
}

void add_tracking_instances(const State& state, List list, const std::string& name, Lines& out) {
  out.words("Tracking instances :");
  for (const config::VrrpInstance& instance : state.config->vrrp_instances) {
    for (const config::Tracker& tracker : instance.*list) {
      if (tracker.name != name) continue;
      out.item(instance.name + ", weight " + weight_text(*tracker.weight, tracker.is_reversed));
    }
  }
}

// An exporter knows BAD and GOOD; before the first result it is neither.
std::string_view status_word(vrrp::Outcome outcome) {
  if (outcome == vrrp::Outcome::kUnknown) return "INIT";
  return outcome == vrrp::Outcome::kGood ? "GOOD" : "BAD";
}

void add_script(const State& state, const config::VrrpScript& script, vrrp::Outcome outcome,
                Lines& out) {
  out.head("VRRP Script", script.name);
  out.line("Command", command_text(script.command));
  out.line("Interval", config::seconds_text(script.interval_us) + " sec");
  out.line("Timeout", config::seconds_text(*script.timeout_us) + " sec");
  out.line("Weight", weight_text(script.weight, script.is_reversed));
  out.line("Rise", script.rise);
  out.line("Fall", script.fall);
  out.line("Init state", script.init_fail ? "failed" : "unknown");
  out.line("Status", status_word(outcome));
  add_tracking_instances(state, &config::VrrpInstance::track_script, script.name, out);
  out.line("State", state.running_scripts.contains(script.name) ? "running" : "idle");
}

void add_file(const State& state, const config::TrackFile& file, std::int64_t value, Lines& out) {
  out.head("Track file", file.name);
  out.line("File", file.path);
  out.line("Status", std::to_string(value));
  out.line("Weight", weight_text(file.weight, file.is_reversed));
  add_tracking_instances(state, &config::VrrpInstance::track_file, file.name, out);
}

void add_process(const State& state, const config::TrackProcess& process, const ProcessStatus& now,
                 Lines& out) {
  using Wait = ProcessQuorum::Wait;
  const auto seconds = [](std::uint64_t us) {
    return decimal_seconds(static_cast<std::int64_t>(us)) + 's';
  };
  const auto timer = [&](std::string_view name, Wait wait) {
    out.words(std::string(name) + (now.wait == wait ? " timer running" : " timer not running"));
  };
  out.head("VRRP Track process", process.name);
  out.line("Process", process.process);
  if (!process.parameters.empty()) out.line("Parameters", parameters_text(process));
  if (process.param_match == config::ParamMatch::kExact) out.words("Param match");
  if (process.param_match > config::ParamMatch::kExact) {
    out.line("Param match", match_word(process.param_match));
  }
  out.line("Min processes", process.quorum);
  if (process.quorum_max) out.line("Max processes", *process.quorum_max);
  out.line("Current processes", now.count);
  out.line("Have quorum", true_or_false(now.outcome == vrrp::Outcome::kGood));
  out.line("Weight", weight_text(process.weight, process.is_reversed));
  out.line("Terminate delay", seconds(process.terminate_delay_us));
  out.line("Fork delay", seconds(process.fork_delay_us));
  timer("Fork delay", Wait::kFork);
  timer("Terminate delay", Wait::kTermination);
  out.line("Full command", true_or_false(process.full_command));
  add_tracking_instances(state, &config::VrrpInstance::track_process, process.name, out);
}

void add_session(const State& state, const config::BfdInstance& instance, const BfdState& now,
                 Lines& out) {
  if (!instance.tells_vrrp) return;
  out.head("VRRP Track BFD", instance.name);
  out.line("Weight", weight_text(instance.weight, instance.is_reversed));
  out.words(now.state == bfd::State::kUp ? "Bfd is up" : "Bfd is down");
  add_tracking_instances(state, &config::VrrpInstance::track_bfd, instance.name, out);
}

// Those that are tracked, as keepalived forgets the rest.
template <typename Items, typename Values, typename Add>
void add_section(std::string_view title, const Items& items, const Values& values, Lines& out,
                 const Add& add) {
  if (values.empty()) return;
  out.section(title);
  for (const auto& item : items) {
    if (const auto found = values.find(item.name); found != values.end()) add(item, found->second);
  }
}

}  // namespace

void add_tracking(const State& state, Lines& out) {
  const config::Config& config = *state.config;
  add_section("VRRP Scripts", config.vrrp_scripts, state.scripts, out,
              [&](const config::VrrpScript& script, vrrp::Outcome outcome) {
                add_script(state, script, outcome, out);
              });
  add_section("VRRP Track files", config.track_files, state.files, out,
              [&](const config::TrackFile& file, std::int64_t value) {
                add_file(state, file, value, out);
              });
  add_section("VRRP Track processes", config.track_processes, state.processes, out,
              [&](const config::TrackProcess& process, const ProcessStatus& now) {
                add_process(state, process, now, out);
              });
  add_section("VRRP Track BFDs", config.bfd_instances, state.sessions, out,
              [&](const config::BfdInstance& instance, const BfdState& now) {
                add_session(state, instance, now, out);
              });
}

}  // namespace keepline::control::dump
