// The keyword tables of what instances track: vrrp_script and track_file.
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

void read_file_weight(Args& a, TrackFile& f) {
  const auto weight = parse_signed(a.word());
  if (!weight || std::abs(*weight) > 254) {
    a.error("'" + a.word() + "' is not a weight in -254..254: ignored");
    return;
  }
  f.weight = static_cast<int>(*weight);
  f.is_reversed = a.word(2) == "reverse";
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
    {"weight", {1, 2}, kB, kActive, read_file_weight},
    {"init_file", kAnyWords, kC, kActive, read_init_file},
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

}  // namespace keepline::config
