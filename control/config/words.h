// One logical line to words: comments, quotes, braces, and the richer rules of command lines.
//
// PURE. Every function is linear in its text and allocates no more than a copy of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/diagnostic.h"

namespace keepline::config {

struct Word {
  std::string text;     ///< Without quotes.
  unsigned column = 0;  ///< From 1.
};

/// A line is split at its braces into texts and braces, in order.
struct Line {
  enum class Kind { kText, kOpen, kClose };
  Kind kind = Kind::kText;
  Position position;
  std::vector<Word> words;  ///< Of a text: at least one.
  std::string rest;         ///< Of a text: everything after the first word, quotes and all.
};

bool is_blank(char c);
std::string_view trim(std::string_view text);

/// Cuts at the first `!` or `#` outside double quotes; `\!` and `\#` become the plain characters.
std::string strip_comment(std::string_view text);

/// Splits at braces outside double quotes and into words. An unmatched quote is an error and
/// loses its word.
std::vector<Line> split_line(std::string_view text, const Position& position,
                             Diagnostics& diagnostics);

/// The words of a script-like keyword: both kinds of quotes and backslash escapes. nullopt when
/// a quote is left open.
std::optional<std::vector<std::string>> scan_escaped(std::string_view text);

/// A command string into arguments: blanks split, single quotes group. nullopt as above.
std::optional<std::vector<std::string>> split_arguments(std::string_view command);

}  // namespace keepline::config
