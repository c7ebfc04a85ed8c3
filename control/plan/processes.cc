#include "control/plan/processes.h"

#include <algorithm>
#include <span>

namespace keepline::control {

namespace {

bool match_parameters(const config::TrackProcess& wanted, std::span<const std::string> given) {
  using config::ParamMatch;
  const std::vector<std::string>& written = wanted.parameters;
  if (wanted.param_match == ParamMatch::kIgnored) return true;
  if (wanted.param_match == ParamMatch::kExact) return std::ranges::equal(written, given);
  if (written.empty()) return true;
  if (given.size() < written.size()) return false;
  const std::size_t last = written.size() - 1;
  if (!std::equal(written.begin(), written.end() - 1, given.begin())) return false;
  return wanted.param_match == ParamMatch::kPartial ? given[last].starts_with(written[last])
                                                    : given[last] == written[last];
}

}  // namespace

bool are_alike(const config::TrackProcess& a, config::TrackProcess b) {
  b.weight = a.weight;
  b.is_reversed = a.is_reversed;
  b.position = a.position;
  return a == b;
}

bool matches(const config::TrackProcess& wanted, const ProcessInfo& process) {
  if (!wanted.full_command) {
    return process.name == std::string_view(wanted.process).substr(0, ProcessInfo::kMaxName);
  }
  if (process.arguments.empty() || process.arguments.front() != wanted.process) return false;
  return match_parameters(wanted, std::span(process.arguments).subspan(1));
}

bool ProcessQuorum::note(std::uint32_t count, std::int64_t now_us) {
  const bool is_growing = count > count_;
  count_ = count;
  const vrrp::Outcome wish = is_enough() ? vrrp::Outcome::kGood : vrrp::Outcome::kBad;
  if (wish == outcome_) {
    wait_ = Wait::kNone;
    return false;
  }
  if (outcome_ != vrrp::Outcome::kUnknown) {
    if (wait_ == Wait::kNone) {
      wait_ = is_growing ? Wait::kFork : Wait::kTermination;
      due_us_ = now_us + static_cast<std::int64_t>(is_growing ? config_.fork_delay_us
                                                              : config_.terminate_delay_us);
    }
    if (now_us < due_us_) return false;
  }
  wait_ = Wait::kNone;
  outcome_ = wish;
  return true;
}

}  // namespace keepline::control
