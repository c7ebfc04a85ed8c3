// Logical lines to a tree of statements and blocks; no meaning yet.
//
// PURE. Bound: blocks nest at most kMaxBlockDepth deep; deeper ones are skipped and reported.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/diagnostic.h"
#include "control/config/words.h"

namespace keepline::config {

inline constexpr unsigned kMaxBlockDepth = 16;

struct Statement {
  Position position;
  std::vector<Word> words;  ///< At least one, except in the root.
  std::string rest;         ///< All after the first word, quotes and all.
  bool has_block = false;
  std::vector<Statement> children;

  const std::string& keyword() const { return words.front().text; }
};

/// The root's children are the top-level statements. Unmatched braces are reported; a block that
/// is not closed ends with the text.
Statement build_tree(std::vector<Line> lines, Diagnostics& diagnostics);

/// Position of the last child with this keyword (or its synonym), else of the block itself: for
/// messages of rules that are checked after reading.
Position position_of(const Statement& block, std::string_view keyword,
                     std::string_view synonym = {});

}  // namespace keepline::config
