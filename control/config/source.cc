// Reading files into logical lines: see source.h. PURE; the bounds are named there.
#include "control/config/source.h"

#include <charconv>
#include <utility>

#include "control/config/include.h"

namespace keepline::config {

namespace {

class Reader {
 public:
  Reader(Loader& loader, const SourceOptions& options, Diagnostics& diagnostics)
      : loader_(loader),
        config_id_(options.config_id),
        expander_(options.config_id, options.env, options.random_seed),
        diagnostics_(diagnostics) {}

  void read_text(const std::string& path, std::string_view text, unsigned depth);
  std::vector<Line> take_lines() { return std::move(lines_); }

 private:
  struct File {
    std::string path;
    std::string folder;
    unsigned depth = 0;
  };

  void physical_line(const File& file, std::string_view text, const Position& position);
  bool apply_condition(std::string& text) const;
  bool take_definition(const std::string& text, const Position& position);
  void finish_definition(const Position& position);
  void logical_line(const File& file, const std::string& text, const Position& position);
  void include(const File& file, const Include& include, const Position& position);
  void include_pattern(const File& file, const Include& include, const std::string& pattern,
                       const Position& position);
  void include_file(const File& file, const Include& include, const std::string& path,
                    const Position& position);
  void include_failed(const Include& include, const Position& position, std::string message);
  void append(Line line);

  Loader& loader_;
  std::string config_id_;
  Expander expander_;
  Diagnostics& diagnostics_;
  std::vector<Line> lines_;
  std::size_t file_count_ = 0;
  bool is_full_ = false;
  // A definition whose lines still go on.
  std::string open_name_;
  std::string open_value_;
};

void Reader::read_text(const std::string& path, std::string_view text, unsigned depth) {
  const File file{path, folder_of(path), depth};
  Position position{path, 0, 1};
  ++file_count_;
  while (!text.empty() && !is_full_) {
    ++position.line;
    const std::size_t end = text.find('\n');
    physical_line(file, text.substr(0, end), position);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  finish_definition(position);
}

void Reader::physical_line(const File& file, std::string_view text, const Position& position) {
  if (text.size() >= kMaxLineBytes) {
    diagnostics_.error(position, "",
                       "line longer than " + std::to_string(kMaxLineBytes) + " bytes: ignored");
    return;
  }
  if (text.find('\0') != std::string_view::npos) {
    diagnostics_.error(position, "", "line with a NUL byte: ignored");
    return;
  }
  std::string line = strip_comment(text);
  if (trim(line).empty() || !apply_condition(line) || trim(line).empty()) {
    if (!open_name_.empty()) finish_definition(position);
    return;
  }
  if (take_definition(line, position)) return;
  for (const std::string& expanded : expander_.expand(line, file.folder, position, diagnostics_)) {
    logical_line(file, expanded, position);
  }
}

// `@id rest` and `@^id rest`: false drops the line; else the word is blanked, so that columns
// stay those of the file.
bool Reader::apply_condition(std::string& text) const {
  const std::size_t at = text.find_first_not_of(" \t\f\r\v");
  if (at == std::string::npos || text[at] != '@') return true;
  std::size_t end = at;
  while (end < text.size() && !is_blank(text[end])) ++end;
  const bool is_negated = at + 1 < end && text[at + 1] == '^';
  const std::size_t id_begin = at + (is_negated ? 2 : 1);
  const bool is_equal = text.compare(id_begin, end - id_begin, config_id_) == 0;
  if (is_equal == is_negated) return false;
  text.replace(at, end - at, end - at, ' ');
  return true;
}

bool Reader::take_definition(const std::string& line, const Position& position) {
  std::string_view text = trim(line);
  if (open_name_.empty()) {
    const auto definition = parse_definition(text);
    if (!definition) return false;
    open_name_ = definition->first;
    open_value_.clear();
    text.remove_prefix(definition->second);
  } else {
    open_value_ += '\n';
  }
  const bool goes_on = !text.empty() && text.back() == '\\';
  if (goes_on) text.remove_suffix(1);
  if (open_value_.size() + text.size() < Expander::kMaxExpandedBytes) open_value_ += trim(text);
  if (!goes_on) finish_definition(position);
  return true;
}

void Reader::finish_definition(const Position& position) {
  if (open_name_.empty()) return;
  if (!expander_.define(open_name_, std::move(open_value_))) {
    diagnostics_.error(position, "$" + open_name_, "too many definitions: ignored");
  }
  open_name_.clear();
  open_value_.clear();
}

void Reader::logical_line(const File& file, const std::string& text, const Position& position) {
  if (is_full_ || trim(text).empty()) return;
  if (const auto line = parse_include(text)) {
    include(file, *line, position);
    return;
  }
  for (Line& line : split_line(text, position, diagnostics_)) {
    // Text is expanded before it has a meaning, so the seed is noticed here already.
    if (line.words.size() >= 2 && line.words[0].text == "random_seed") {
      const std::string& word = line.words[1].text;
      std::uint64_t seed = 0;
      std::from_chars(word.data(), word.data() + word.size(), seed);
      expander_.seed(seed);
    }
    append(std::move(line));
  }
}

void Reader::include(const File& file, const Include& include, const Position& position) {
  if (include.pattern.empty()) {
    diagnostics_.fatal(position, include.keyword, include.keyword + " missing parameter", "",
                       Effect::kMissingParameter);
    return;
  }
  if (file.depth + 1 > kMaxIncludeDepth) {
    diagnostics_.error(position, include.keyword, "includes are nested too deeply: ignored",
                       "does a file include itself?");
    return;
  }
  bool any = false;
  for (const std::string& pattern : expand_braces(include.pattern)) {
    const auto before = file_count_;
    include_pattern(file, include, pattern, position);
    any = any || file_count_ != before;
  }
  if (any) return;
  if (include.demand.match) {
    include_failed(include, position, "no file matches '" + include.pattern + "'");
  } else if (!include.demand.readable && !include.demand.wildcard_match &&
             !include.demand.brace_match) {
    diagnostics_.warning(position, include.keyword, "no file matches '" + include.pattern + "'");
  }
}

void Reader::include_pattern(const File& file, const Include& include, const std::string& pattern,
                             const Position& position) {
  const auto paths = loader_.glob(pattern, file.folder);
  if (paths.empty()) {
    const bool is_wild = has_wildcard(pattern);
    const bool is_group = include.pattern.find('{') != std::string::npos;
    if ((include.demand.wildcard_match && is_wild) || (include.demand.brace_match && is_group)) {
      include_failed(include, position, "no file matches '" + pattern + "'");
    } else if (include.demand.readable && !include.demand.match && !is_wild) {
      include_failed(include, position, "cannot read '" + pattern + "'");
    }
  }
  for (const std::string& path : paths) include_file(file, include, path, position);
}

void Reader::include_file(const File& file, const Include& include, const std::string& path,
                          const Position& position) {
  if (is_full_) return;
  if (file_count_ >= kMaxFiles) {
    diagnostics_.error(position, include.keyword,
                       "more than " + std::to_string(kMaxFiles) + " files: the rest is ignored",
                       "does a file include itself?");
    is_full_ = true;
    return;
  }
  const auto text = loader_.read(path);
  if (text) {
    read_text(path, *text, file.depth + 1);
  } else if (include.demand.readable) {
    include_failed(include, position, "cannot read '" + path + "': " + text.error());
  } else {
    diagnostics_.warning(position, include.keyword, "cannot read '" + path + "': " + text.error());
  }
}

void Reader::include_failed(const Include& include, const Position& position, std::string message) {
  diagnostics_.fatal(position, include.keyword, std::move(message), "", Effect::kIncludeFailed);
}

void Reader::append(Line line) {
  if (is_full_) return;
  if (lines_.size() >= kMaxLines) {
    diagnostics_.error(
        line.position, "",
        "more than " + std::to_string(kMaxLines) + " lines after expansion: the rest is ignored");
    is_full_ = true;
    return;
  }
  lines_.push_back(std::move(line));
}

}  // namespace

std::vector<Line> read_source(const std::string& path, Loader& loader, const SourceOptions& options,
                              Diagnostics& diagnostics) {
  const auto text = loader.read(path);
  if (!text) {
    diagnostics.fatal(Position{path, 0, 0}, "", "cannot read the configuration: " + text.error());
    return {};
  }
  Reader reader(loader, options, diagnostics);
  reader.read_text(path, *text, 0);
  return reader.take_lines();
}

}  // namespace keepline::config
