// Include lines: see include.h. PURE.
#include "control/config/include.h"

#include <algorithm>
#include <utility>

#include "control/config/words.h"

namespace keepline::config {

std::optional<Include> parse_include(std::string_view text) {
  text = trim(text);
  constexpr std::string_view kInclude = "include";
  if (!text.starts_with(kInclude)) return std::nullopt;
  std::size_t end = 0;
  while (end < text.size() && !is_blank(text[end])) ++end;
  Include include;
  include.keyword = std::string(text.substr(0, end));
  const std::string_view kind = text.substr(kInclude.size(), end - kInclude.size());
  if (kind.size() > 1) return std::nullopt;
  const char c = kind.empty() ? '\0' : kind.front();
  const bool all = c == 'a';
  if (c != '\0' && std::string_view("amrwb").find(c) == std::string_view::npos) {
    return std::nullopt;
  }
  include.demand = {all || c == 'r', all || c == 'm', all || c == 'w', all || c == 'b'};
  std::string_view pattern = trim(text.substr(end));
  if (pattern.size() >= 2 && pattern.front() == '"' && pattern.back() == '"') {
    pattern = pattern.substr(1, pattern.size() - 2);
  }
  include.pattern = std::string(pattern);
  return include;
}

std::vector<std::string> expand_braces(const std::string& pattern) {
  std::vector<std::string> done;
  std::vector<std::string> pending{pattern};
  while (!pending.empty() && done.size() + pending.size() <= kMaxBraceAlternatives) {
    const std::string text = std::move(pending.back());
    pending.pop_back();
    // The innermost group: the last opening brace and the first closing one behind it.
    const std::size_t open = text.rfind('{');
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) {
      done.push_back(text);
      continue;
    }
    std::vector<std::string> alternatives;
    std::size_t begin = open + 1;
    while (begin <= close) {
      const std::size_t end = std::min(text.find(',', begin), close);
      alternatives.push_back(text.substr(0, open) + text.substr(begin, end - begin) +
                             text.substr(close + 1));
      begin = end + 1;
    }
    // The last goes first onto the stack, so that the order of the text is kept.
    for (auto it = alternatives.rbegin(); it != alternatives.rend(); ++it) {
      pending.push_back(std::move(*it));
    }
  }
  return done;
}

bool has_wildcard(std::string_view pattern) {
  return pattern.find_first_of("*?[") != std::string_view::npos;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace keepline::config
