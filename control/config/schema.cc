// Running keyword tables: see schema.h. PURE.
#include "control/config/schema.h"

#include "control/config/suggest.h"

namespace keepline::config {

namespace {

bool is_named(const RowHead& head, std::string_view keyword) {
  return keyword == head.name || (head.synonym != nullptr && keyword == head.synonym);
}

std::string status_text(const RowHead& head) {
  if (head.note != nullptr) return head.note;
  switch (head.status) {
    case Status::kNotActedOn:
      return "accepted, not acted on yet";
    case Status::kNotBuilt:
      return "known, but not built yet: has no effect";
    case Status::kKernelOnly:
      return "concerns the kernel's data path only: has no effect";
    case Status::kDeprecated:
      return "deprecated";
    case Status::kActive:
      break;
  }
  return {};
}

}  // namespace

int find_row(const Statement& statement, std::span<const RowHead> heads, std::string_view block,
             Diagnostics& diagnostics) {
  const std::string& keyword = statement.keyword();
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (is_named(heads[i], keyword)) return static_cast<int>(i);
  }
  // Comparing with every name is the dearest step of reading; nobody would see the result.
  if (diagnostics.is_full()) {
    diagnostics.error(statement.position, keyword, "unknown keyword");
    return -1;
  }
  std::vector<std::string_view> names;
  for (const RowHead& head : heads) {
    names.emplace_back(head.name);
    if (head.synonym != nullptr) names.emplace_back(head.synonym);
  }
  const std::string_view guess = nearest(keyword, names);
  std::string message = "unknown keyword '" + keyword + "' in " + std::string(block);
  if (statement.has_block) message += ": its block is skipped";
  diagnostics.error(statement.position, keyword, message,
                    guess.empty() ? "" : "did you mean '" + std::string(guess) + "'?");
  return -1;
}

bool check_row(const Statement& statement, const RowHead& head, Diagnostics& diagnostics) {
  const std::string& keyword = statement.keyword();
  const std::size_t count = statement.words.size() - 1;
  if (head.status != Status::kActive) {
    // A block without content configures nothing, so there is nothing to warn of.
    const bool is_empty_block =
        head.shape.has_block && head.shape.min_words == 0 && statement.children.empty();
    if (!is_empty_block) {
      diagnostics.warning(statement.position, keyword, keyword + ": " + status_text(head));
    }
    if (!head.has_reader) return false;
  }
  if (count < head.shape.min_words) {
    diagnostics.fatal(statement.position, keyword, keyword + " missing parameter", "",
                      Effect::kMissingParameter);
    return false;
  }
  if (head.shape.max_words != Shape::kAny && count > head.shape.max_words) {
    Position position = statement.position;
    position.column = statement.words[head.shape.max_words + 1U].column;
    diagnostics.warning(position, keyword,
                        "extra words after " + keyword + " are ignored, from '" +
                            statement.words[head.shape.max_words + 1U].text + "'",
                        "one statement a line");
  }
  if (head.shape.has_block && !statement.has_block) {
    diagnostics.error(statement.position, keyword, keyword + " misses its '{': ignored");
    return false;
  }
  if (!head.shape.has_block && statement.has_block) {
    diagnostics.error(statement.position, keyword,
                      keyword + " takes no block: the block is skipped");
  }
  return true;
}

void for_each_entry(const Statement& block, Diagnostics& diagnostics,
                    const std::function<void(Args&)>& read) {
  for (const Statement& entry : block.children) {
    if (entry.has_block) {
      diagnostics.error(entry.position, block.keyword(),
                        "unexpected block in " + block.keyword() + ": skipped");
    }
    Args args(entry, diagnostics);
    read(args);
  }
}

std::vector<Word> words_of(const Statement& block) {
  std::vector<Word> words;
  for (const Statement& entry : block.children) {
    words.insert(words.end(), entry.words.begin(), entry.words.end());
  }
  return words;
}

}  // namespace keepline::config
