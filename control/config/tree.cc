// Braces to blocks: see tree.h. PURE; recursion is at most kMaxBlockDepth deep.
#include "control/config/tree.h"

#include <utility>

namespace keepline::config {

namespace {

class Builder {
 public:
  Builder(std::vector<Line> lines, Diagnostics& diagnostics)
      : lines_(std::move(lines)), diagnostics_(diagnostics) {}

  void build(Statement& block, unsigned depth);

 private:
  void open(Statement& block, unsigned depth);
  void skip_block(const Position& position);

  std::vector<Line> lines_;
  std::size_t next_ = 0;
  Diagnostics& diagnostics_;
};

void Builder::build(Statement& block, unsigned depth) {
  while (next_ < lines_.size()) {
    Line& line = lines_[next_++];
    if (line.kind == Line::Kind::kText) {
      Statement statement;
      statement.position = std::move(line.position);
      statement.words = std::move(line.words);
      statement.rest = std::move(line.rest);
      block.children.push_back(std::move(statement));
    } else if (line.kind == Line::Kind::kOpen) {
      --next_;
      open(block, depth);
    } else if (depth > 0) {
      return;
    } else {
      diagnostics_.error(line.position, "}", "extra '}': ignored");
    }
  }
  if (depth > 0) {
    diagnostics_.error(block.position, block.words.empty() ? "" : block.keyword(),
                       "missing '}': the block is closed at the end of the file");
  }
}

// lines_[next_] is the brace; it belongs to the statement before it.
void Builder::open(Statement& block, unsigned depth) {
  const Position position = lines_[next_++].position;
  const bool is_owned = !block.children.empty() && !block.children.back().has_block;
  if (!is_owned) {
    diagnostics_.error(position, "{", "unexpected '{': the block is skipped");
    skip_block(position);
  } else if (depth + 1 > kMaxBlockDepth) {
    diagnostics_.error(position, "{", "blocks are nested too deeply: skipped");
    block.children.back().has_block = true;
    skip_block(position);
  } else {
    Statement& owner = block.children.back();
    owner.has_block = true;
    build(owner, depth + 1);
  }
}

void Builder::skip_block(const Position& position) {
  std::size_t depth = 1;
  for (; next_ < lines_.size(); ++next_) {
    if (lines_[next_].kind == Line::Kind::kOpen) ++depth;
    if (lines_[next_].kind == Line::Kind::kClose && --depth == 0) {
      ++next_;
      return;
    }
  }
  diagnostics_.error(position, "{", "missing '}'");
}

}  // namespace

Statement build_tree(std::vector<Line> lines, Diagnostics& diagnostics) {
  Statement root;
  Builder(std::move(lines), diagnostics).build(root, 0);
  return root;
}

Position position_of(const Statement& block, std::string_view keyword, std::string_view synonym) {
  for (auto it = block.children.rbegin(); it != block.children.rend(); ++it) {
    if (it->keyword() == keyword || (!synonym.empty() && it->keyword() == synonym)) {
      return it->position;
    }
  }
  return block.position;
}

}  // namespace keepline::config
