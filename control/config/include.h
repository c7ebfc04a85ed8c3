// The include family: which files a line names, and what is demanded of them.
//
// PURE. Bound: kMaxBraceAlternatives patterns from one line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keepline::config {

inline constexpr std::size_t kMaxBraceAlternatives = 64;

/// What include, includer, includem, includew, includeb and includea insist on.
struct IncludeDemand {
  bool readable = false;
  bool match = false;
  bool wildcard_match = false;
  bool brace_match = false;
};

struct Include {
  IncludeDemand demand;
  std::string keyword;
  std::string pattern;
};

/// nullopt when the line is no include.
std::optional<Include> parse_include(std::string_view text);

/// `a{b,c}d` into abd and acd, nested and repeated; cut at kMaxBraceAlternatives.
std::vector<std::string> expand_braces(const std::string& pattern);

bool has_wildcard(std::string_view pattern);
/// The folder of a path, "" when it has none.
std::string folder_of(const std::string& path);

}  // namespace keepline::config
