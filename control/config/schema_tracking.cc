// The keyword tables of what instances track: vrrp_script, track_file, vrrp_track_process.
//
// PURE. One row a keyword; bound: the tables.
#include <cstdlib>

#include "control/config/named_blocks.h"
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

constexpr std::uint64_t kMaxDelayUs = 86'400 * kSecondUs;

void read_script_weight(Args& a, VrrpScript& s) {
  const auto weight = parse_signed(a.word());
  if (!weight || std::abs(*weight) > 253) {
    a.error("'" + a.word() + "' is not a weight in -253..253: ignored");
    return;
  }
  s.weight = static_cast<int>(*weight);
  s.is_reversed = a.word(2) == "reverse";
}

void read_script_owner(Args& a, VrrpScript& s) {
  const std::string& word = a.word();
  const std::size_t colon = word.find(':');
  s.command.user = word.substr(0, colon);
  s.command.group = colon == std::string::npos ? a.word(2) : word.substr(colon + 1);
}

constexpr Row<VrrpScript> kScriptRows[] = {
    {"script", kCommandShape, kA, kActive,
     [](Args& a, VrrpScript& s) {
       const Command owner = s.command;
       a.command_to(s.command);
       if (s.command.user.empty()) s.command.user = owner.user;
       if (s.command.group.empty()) s.command.group = owner.group;
     }},
    {"interval", kOneWord, kA, kActive,
     [](Args& a, VrrpScript& s) {
       a.seconds_to(s.interval_us, 0, kMaxDelayUs);
       if (s.interval_us == 0) s.interval_us = kSecondUs;
     }},
    {"timeout", kOneWord, kA, kActive,
     [](Args& a, VrrpScript& s) { a.seconds_to(s.timeout_us, 1, kMaxDelayUs); }},
    {"weight", {1, 2}, kA, kActive, read_script_weight},
    {"rise", kOneWord, kA, kActive,
     [](Args& a, VrrpScript& s) { a.number_to(s.rise, 1, 1'000'000); }},
    {"fall", kOneWord, kA, kActive,
     [](Args& a, VrrpScript& s) { a.number_to(s.fall, 1, 1'000'000); }},
    {"user", {1, 2}, kA, kActive, read_script_owner},
    {"init_fail", kBareShape, kB, kActive, [](Args&, VrrpScript& s) { s.init_fail = true; }},
};

// Of a file or a kind of process.
template <typename Tracked>
void read_tracked_weight(Args& a, Tracked& tracked) {
  const auto weight = parse_signed(a.word());
  if (!weight || std::abs(*weight) > 254) {
    a.error("'" + a.word() + "' is not a weight in -254..254: ignored");
    return;
  }
  tracked.weight = static_cast<int>(*weight);
  tracked.is_reversed = a.word(2) == "reverse";
}

// `init_file [VALUE] [overwrite]`
void read_init_file(Args& a, TrackFile& f) {
  f.init = 0;
  for (std::size_t i = 1; i <= a.count(); ++i) {
    if (a.word(i) == "overwrite") {
      f.is_overwritten = true;
    } else if (const auto value = parse_signed(a.word(i)); value && std::abs(*value) < 1 << 30) {
      f.init = static_cast<int>(*value);
    } else {
      a.error("'" + a.word(i) + "' is no number: ignored", "init_file [VALUE] [overwrite]", i);
    }
  }
}

constexpr Row<TrackFile> kFileRows[] = {
    {"file", kOneWord, kB, kActive, [](Args& a, TrackFile& f) { f.path = a.word(); }},
    {"weight", {1, 2}, kB, kActive, read_tracked_weight<TrackFile>},
    {"init_file", kAnyWords, kC, kActive, read_init_file},
};

// `process NAME [PARAMETER...]`
void read_process(Args& a, TrackProcess& p) {
  p.process = a.word();
  p.parameters.clear();
  for (std::size_t i = 2; i <= a.count(); ++i) p.parameters.push_back(a.word(i));
  if (p.parameters.empty()) return;
  p.full_command = true;
  if (p.param_match == ParamMatch::kIgnored) p.param_match = ParamMatch::kExact;
}

void read_param_match(Args& a, TrackProcess& p) {
  if (a.count() == 0) {
    p.param_match = ParamMatch::kExact;
  } else if (a.word() == "initial") {
    p.param_match = ParamMatch::kInitial;
  } else if (a.word() == "partial") {
    p.param_match = ParamMatch::kPartial;
  } else {
    a.error("unknown param_match '" + a.word() + "': ignored", "initial or partial");
    return;
  }
  p.full_command = true;
}

constexpr std::uint64_t kMaxProcessDelayUs = 3600 * kSecondUs;
constexpr std::uint64_t kMaxProcesses = 65'535;

constexpr Row<TrackProcess> kProcessRows[] = {
    {"process", kCommandShape, kB, kActive, read_process},
    {"param_match", {0, 1}, kC, kActive, read_param_match},
    {"weight", {1, 2}, kB, kActive, read_tracked_weight<TrackProcess>},
    {"quorum", kOneWord, kB, kActive,
     [](Args& a, TrackProcess& p) { a.number_to(p.quorum, 1, kMaxProcesses); }},
    {"quorum_max", kOneWord, kB, kActive,
     [](Args& a, TrackProcess& p) {
       if (const auto most = a.number(1, kMaxProcesses)) {
         p.quorum_max = static_cast<std::uint32_t>(*most);
       }
     }},
    {"delay", kOneWord, kC, kActive,
     [](Args& a, TrackProcess& p) {
       a.seconds_to(p.fork_delay_us, 0, kMaxProcessDelayUs);
       a.seconds_to(p.terminate_delay_us, 0, kMaxProcessDelayUs);
     }},
    {"fork_delay", kOneWord, kC, kActive,
     [](Args& a, TrackProcess& p) { a.seconds_to(p.fork_delay_us, 0, kMaxProcessDelayUs); }},
    {"terminate_delay", kOneWord, kC, kActive,
     [](Args& a, TrackProcess& p) { a.seconds_to(p.terminate_delay_us, 0, kMaxProcessDelayUs); }},
    {"full_command", kBareShape, kC, kActive,
     [](Args&, TrackProcess& p) { p.full_command = true; }},
};

}  // namespace

void read_vrrp_script(Args& a, Draft& draft) {
  VrrpScript script;
  script.name = a.word();
  script.position = a.position();
  run_table(kScriptRows, "vrrp_script", a.statement().children, script, a.diagnostics());
  if (script.command.empty()) {
    a.error("vrrp_script '" + a.word() + "' without script: skipped");
  } else if (has_name(draft.config.vrrp_scripts, script.name)) {
    a.error("a second vrrp_script '" + a.word() + "': skipped");
  } else if (has_room(a, draft.config.vrrp_scripts)) {
    script.timeout_us.set_default(script.interval_us);
    draft.config.vrrp_scripts.push_back(std::move(script));
  }
}

void read_track_file(Args& a, Draft& draft) {
  TrackFile file;
  file.name = a.word();
  file.position = a.position();
  run_table(kFileRows, "track_file", a.statement().children, file, a.diagnostics());
  if (file.path.empty()) {
    a.error("track_file '" + a.word() + "' without file: skipped");
  } else if (has_name(draft.config.track_files, file.name)) {
    a.error("a second track_file '" + a.word() + "': skipped");
  } else if (has_room(a, draft.config.track_files)) {
    draft.config.track_files.push_back(std::move(file));
  }
}

void read_track_process(Args& a, Draft& draft) {
  TrackProcess process;
  process.name = a.word();
  process.position = a.position();
  run_table(kProcessRows, "vrrp_track_process", a.statement().children, process, a.diagnostics());
  if (process.quorum_max && *process.quorum_max < process.quorum) {
    a.error("vrrp_track_process '" + a.word() + "': quorum_max is below quorum: ignored");
    process.quorum_max.reset();
  }
  if (process.process.empty()) {
    a.error("vrrp_track_process '" + a.word() + "' without process: skipped");
  } else if (has_name(draft.config.track_processes, process.name)) {
    a.error("a second vrrp_track_process '" + a.word() + "': skipped");
  } else if (has_room(a, draft.config.track_processes)) {
    draft.config.track_processes.push_back(std::move(process));
  }
}

}  // namespace keepline::config
