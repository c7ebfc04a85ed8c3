// ~SEQ and ~LST: one line becomes many. PURE; bound: max_lines of the caller.
#include <charconv>
#include <cstdint>
#include <cstdio>

#include "control/config/expand.h"
#include "control/config/words.h"

namespace keepline::config {

namespace {

constexpr std::size_t kMaxSequencesPerLine = 8;

// One sequence: the variables, and for each step a value of each variable.
struct Sequence {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> steps;
  std::size_t begin = 0;  // Of the '~'.
  std::size_t end = 0;    // Behind the ')'.
};

// Splits at commas outside braces.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  std::string item;
  int depth = 0;
  for (char c : text) {
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (c == ',' && depth <= 0) {
      items.emplace_back(trim(item));
      item.clear();
    } else {
      item += c;
    }
  }
  items.emplace_back(trim(item));
  return items;
}

// `{a, b}` into its parts; anything else is a tuple of one.
std::vector<std::string> split_tuple(const std::string& item) {
  if (item.size() < 2 || item.front() != '{' || item.back() != '}') return {item};
  return split_list(std::string_view(item).substr(1, item.size() - 2));
}

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool fill_numbers(Sequence& sequence, const std::vector<std::string>& arguments, bool hex,
                  std::size_t max_steps) {
  if (arguments.size() < 2 || arguments.size() > 4) return false;
  std::int64_t numbers[3] = {1, 1, 1};  // start, step, end
  const std::size_t count = arguments.size() - 1;
  const std::size_t slots[3][3] = {{2, 0, 0}, {0, 2, 0}, {0, 1, 2}};
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = to_number(arguments[i + 1]);
    if (!number) return false;
    numbers[slots[count - 1][i]] = *number;
  }
  const auto [start, step, end] = numbers;
  if (step == 0) return false;
  sequence.names = {arguments[0]};
  for (std::int64_t i = start; step > 0 ? i <= end : i >= end; i += step) {
    if (sequence.steps.size() >= max_steps) return false;
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, hex ? "%llx" : "%lld", static_cast<long long>(i));
    sequence.steps.push_back({buffer});
  }
  return true;
}

bool fill_list(Sequence& sequence, const std::vector<std::string>& arguments,
               std::size_t max_steps) {
  if (arguments.size() < 2 || arguments.size() > max_steps) return false;
  sequence.names = split_tuple(arguments[0]);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    sequence.steps.push_back(split_tuple(arguments[i]));
    if (sequence.steps.back().size() != sequence.names.size()) return false;
  }
  return true;
}

enum class Find { kNone, kFound, kMalformed };

Find find_sequence(const std::string& text, std::size_t max_steps, Sequence& sequence) {
  struct Form {
    std::string_view start;
    bool is_list;
    bool hex;
  };
  static constexpr Form kForms[] = {
      {"~SEQ(", false, false}, {"~SEQx(", false, true}, {"~LST(", true, false}};
  std::size_t begin = std::string::npos;
  const Form* form = nullptr;
  for (const Form& candidate : kForms) {
    const std::size_t at = text.find(candidate.start);
    if (at < begin) {
      begin = at;
      form = &candidate;
    }
  }
  if (form == nullptr) return Find::kNone;
  const std::size_t open = begin + form->start.size();
  const std::size_t close = text.find(')', open);
  if (close == std::string::npos) return Find::kMalformed;
  sequence.begin = begin;
  sequence.end = close + 1;
  const auto arguments = split_list(std::string_view(text).substr(open, close - open));
  const bool ok = form->is_list ? fill_list(sequence, arguments, max_steps)
                                : fill_numbers(sequence, arguments, form->hex, max_steps);
  for (const std::string& name : sequence.names) {
    if (name.empty()) return Find::kMalformed;
  }
  return ok ? Find::kFound : Find::kMalformed;
}

// Puts values in place of $name and ${name}. Unlike a definition, a variable of a sequence is
// ended by anything that cannot be part of a name: 10.0.$i.1 is what sequences are for.
std::string put_values(std::string_view text, const std::vector<std::string>& names,
                       const std::vector<std::string>& values) {
  std::string result;
  std::size_t i = 0;
  while (i < text.size()) {
    bool replaced = false;
    for (std::size_t n = 0; text[i] == '$' && n < names.size() && !replaced; ++n) {
      const auto rest = text.substr(i + 1);
      const std::string& name = names[n];
      if (rest.starts_with("{" + name + "}")) {
        i += name.size() + 3;
        replaced = true;
      } else if (rest.starts_with(name) &&
                 (rest.size() == name.size() || !is_name_character(rest[name.size()]))) {
        i += name.size() + 1;
        replaced = true;
      }
      if (replaced) result += values[n];
    }
    if (!replaced) result += text[i++];
  }
  return result;
}

// depth bounds the recursion: each level consumes one sequence of the line.
void expand_into(std::vector<std::string>& out, const std::string& text, std::size_t depth,
                 std::size_t max_lines, std::size_t& bytes_left, bool& complete) {
  Sequence sequence;
  const Find found = find_sequence(text, max_lines, sequence);
  if (found == Find::kNone) {
    if (out.size() >= max_lines || text.size() > bytes_left) {
      complete = false;
      return;
    }
    bytes_left -= text.size();
    out.push_back(text);
    return;
  }
  if (found == Find::kMalformed || depth >= kMaxSequencesPerLine) {
    complete = false;
    return;
  }
  const std::string head = text.substr(0, sequence.begin);
  const std::string tail(trim(std::string_view(text).substr(sequence.end)));
  for (const auto& values : sequence.steps) {
    if (!complete) return;
    std::string next = head + put_values(tail, sequence.names, values);
    if (next.size() > Expander::kMaxExpandedBytes) {
      complete = false;
      return;
    }
    expand_into(out, next, depth + 1, max_lines, bytes_left, complete);
  }
}

}  // namespace

std::vector<std::string> expand_sequences(const std::string& text, std::size_t max_lines,
                                          bool& complete) {
  std::vector<std::string> out;
  std::size_t bytes_left = std::size_t{4} << 20;
  expand_into(out, text, 0, max_lines, bytes_left, complete);
  return out;
}

}  // namespace keepline::config
