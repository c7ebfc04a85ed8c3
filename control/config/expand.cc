// Definitions and their use: see expand.h. PURE.
#include "control/config/expand.h"

#include <charconv>
#include <iterator>
#include <utility>

#include "control/config/words.h"

namespace keepline::config {

namespace {

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) return lines;
    begin = end + 1;
  }
}

// What a `$` at text[at] names, and where the text goes on behind it.
struct Use {
  std::string_view name;
  std::size_t end;
};

std::optional<Use> parse_use(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return std::nullopt;
  if (text[at + 1] == '{') {
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) return std::nullopt;
    return Use{text.substr(at + 2, end - at - 2), end + 1};
  }
  std::size_t end = at + 1;
  while (end < text.size() && is_name_character(text[end])) ++end;
  // A bare name must be ended by a blank, a comma or the end; `$VIP/24` is not a use.
  if (end == at + 1) return std::nullopt;
  if (end < text.size() && !is_blank(text[end]) && text[end] != ',') return std::nullopt;
  return Use{text.substr(at + 1, end - at - 1), end};
}

}  // namespace

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::optional<std::pair<std::string, std::size_t>> parse_definition(std::string_view text) {
  if (text.empty() || text.front() != '$') return std::nullopt;
  std::size_t end = 1;
  while (end < text.size() && is_name_character(text[end])) ++end;
  if (end == 1 || end >= text.size() || text[end] != '=') return std::nullopt;
  return std::pair{std::string(text.substr(1, end - 1)), end + 1};
}

Expander::Expander(std::string config_id, Environment env, std::uint64_t random_seed)
    : config_id_(std::move(config_id)), env_(std::move(env)), random_state_(random_seed) {}

bool Expander::define(const std::string& name, std::string value) {
  if (definitions_.size() >= kMaxDefinitions && !definitions_.contains(name)) return false;
  definitions_[name] = std::move(value);
  return true;
}

std::vector<std::string> Expander::expand(std::string_view text, const std::string& folder,
                                          const Position& position, Diagnostics& diagnostics) {
  Budget budget;
  std::vector<std::string> result;
  for (const std::string& line : split_lines(substitute(text, folder, 0, budget))) {
    if (line.find('~') == std::string::npos) {
      result.push_back(line);
      continue;
    }
    bool complete = true;
    auto sequence = expand_sequences(line, kMaxSequenceLines, complete);
    if (!complete) {
      diagnostics.error(position, "", "malformed or too long ~SEQ or ~LST",
                        "at most " + std::to_string(kMaxSequenceLines) + " lines");
    }
    // A sequence may have completed a name, as in ${HOST$i}.
    for (const std::string& item : sequence) {
      Budget item_budget;
      auto more = split_lines(substitute(item, folder, 0, item_budget));
      budget.exhausted = budget.exhausted || item_budget.exhausted;
      std::move(more.begin(), more.end(), std::back_inserter(result));
      if (result.size() > kMaxSequenceLines) break;
    }
  }
  if (budget.exhausted) {
    diagnostics.error(position, "", "a definition expands without end: left as it is",
                      "does it use itself?");
  }
  return result;
}

std::string Expander::substitute(std::string_view text, const std::string& folder, unsigned depth,
                                 Budget& budget) {
  std::string result;
  std::size_t i = 0;
  while (i < text.size()) {
    const auto use = text[i] == '$' ? parse_use(text, i) : std::nullopt;
    auto value = use ? value_of(use->name, folder) : std::nullopt;
    if (value &&
        (depth >= kMaxDepth || budget.uses_left == 0 || value->size() > budget.bytes_left)) {
      budget.exhausted = true;
      value.reset();
    }
    if (!value) {
      result += text[i++];
      continue;
    }
    --budget.uses_left;
    budget.bytes_left -= value->size();
    // Values are evaluated when they are used, with the definitions of that moment.
    result += substitute(*value, folder, depth + 1, budget);
    i = use->end;
  }
  return result;
}

std::optional<std::string> Expander::value_of(std::string_view name, const std::string& folder) {
  if (const auto found = definitions_.find(name); found != definitions_.end()) {
    return found->second;
  }
  if (name == "_PWD") return folder;
  if (name == "_INSTANCE") return config_id_;
  if (name == "_HASH") return "#";
  if (name == "_BANG") return "!";
  constexpr std::string_view kEnv = "_ENV ";
  constexpr std::string_view kRandom = "_RANDOM";
  if (name.starts_with(kEnv) && env_) return env_(std::string(trim(name.substr(kEnv.size()))));
  if (name.starts_with(kRandom)) {
    const auto rest = name.substr(kRandom.size());
    if (rest.empty() || is_blank(rest.front())) return random(rest);
  }
  return std::nullopt;
}

std::string Expander::random(std::string_view arguments) {
  std::uint64_t low = 0;
  std::uint64_t high = 32767;
  std::uint64_t* const bounds[] = {&low, &high};
  for (std::uint64_t* bound : bounds) {
    arguments = trim(arguments);
    std::uint64_t number = 0;
    const auto [end, error] =
        std::from_chars(arguments.data(), arguments.data() + arguments.size(), number);
    if (error != std::errc()) break;
    *bound = number & 0xffffffff;
    arguments.remove_prefix(static_cast<std::size_t>(end - arguments.data()));
  }
  if (high < low) high = low;
  // splitmix64: small, and the same everywhere for the same seed.
  random_state_ += 0x9e3779b97f4a7c15;
  std::uint64_t z = random_state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  return std::to_string(low + z % (high - low + 1));
}

}  // namespace keepline::config
