// Words of one line: see words.h. PURE; one pass over the text each.
#include "control/config/words.h"

#include <utility>

namespace keepline::config {

namespace {

// Steps over the quoted part that begins at text[at]; npos when it never ends.
std::size_t end_of_quote(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '"') {
      ++i;
    } else if (text[i] == '"') {
      return i;
    }
  }
  return std::string_view::npos;
}

struct WordsOfText {
  std::vector<Word> words;
  std::size_t first_end = 0;  // Where the first word ends.
  bool has_open_quote = false;
};

WordsOfText split_words(std::string_view text, unsigned first_column) {
  WordsOfText result;
  std::size_t i = 0;
  while (i < text.size()) {
    if (is_blank(text[i])) {
      ++i;
      continue;
    }
    Word word{{}, first_column + static_cast<unsigned>(i)};
    bool lost = false;
    while (i < text.size() && !is_blank(text[i])) {
      if (text[i] != '"') {
        word.text += text[i++];
        continue;
      }
      const std::size_t end = end_of_quote(text, i);
      if (end == std::string_view::npos) {
        lost = result.has_open_quote = true;
        i = text.size();
        break;
      }
      word.text += text.substr(i + 1, end - i - 1);
      i = end + 1;
    }
    if (lost) break;
    result.words.push_back(std::move(word));
    if (result.words.size() == 1) result.first_end = i;
  }
  return result;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// text[at] is the character after the backslash; returns the next position to read.
std::size_t unescape(std::string_view text, std::size_t at, std::string& out) {
  constexpr std::string_view kLetters = "abEfnrtv";
  constexpr std::string_view kMeanings = "\a\b\x1b\f\n\r\t\v";
  const char c = text[at];
  if (const auto index = kLetters.find(c); index != std::string_view::npos) {
    out += kMeanings[index];
    return at + 1;
  }
  if (c >= '0' && c <= '7') {
    int value = 0;
    std::size_t i = at;
    for (; i < text.size() && i < at + 3 && text[i] >= '0' && text[i] <= '7'; ++i) {
      value = value * 8 + (text[i] - '0');
    }
    out += static_cast<char>(value);
    return i;
  }
  if (c == 'x' && at + 1 < text.size() && hex_value(text[at + 1]) >= 0) {
    int value = 0;
    std::size_t i = at + 1;
    for (; i < text.size() && i < at + 3 && hex_value(text[i]) >= 0; ++i) {
      value = value * 16 + hex_value(text[i]);
    }
    out += static_cast<char>(value);
    return i;
  }
  if (c == 'c' && at + 1 < text.size()) {
    out += static_cast<char>(text[at + 1] & 0x1f);
    return at + 2;
  }
  out += c;
  return at + 1;
}

}  // namespace

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f' || c == '\n' || c == '\r' || c == '\v';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string strip_comment(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\\' && !in_quotes && (next == '#' || next == '!')) {
      result += next;
      ++i;
      continue;
    }
    if (c == '\\' && in_quotes && next == '"') {
      result += "\\\"";
      ++i;
      continue;
    }
    if (c == '"') in_quotes = !in_quotes;
    if (!in_quotes && (c == '#' || c == '!')) break;
    result += c;
  }
  return result;
}

std::vector<Line> split_line(std::string_view text, const Position& position,
                             Diagnostics& diagnostics) {
  std::vector<Line> lines;
  const auto flush = [&](std::size_t begin, std::size_t end) {
    const auto part = text.substr(begin, end - begin);
    auto split = split_words(part, static_cast<unsigned>(begin) + 1);
    if (split.has_open_quote) {
      diagnostics.error(position, "", "unmatched quote: the word is ignored");
    }
    if (split.words.empty()) return;
    Line line;
    line.position = position;
    line.position.column = split.words.front().column;
    line.rest = std::string(trim(part.substr(split.first_end)));
    line.words = std::move(split.words);
    lines.push_back(std::move(line));
  };
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      const std::size_t end = end_of_quote(text, i);
      if (end == std::string_view::npos) break;
      i = end;
    } else if (text[i] == '{' || text[i] == '}') {
      flush(begin, i);
      Line brace;
      brace.kind = text[i] == '{' ? Line::Kind::kOpen : Line::Kind::kClose;
      brace.position = position;
      brace.position.column = static_cast<unsigned>(i) + 1;
      lines.push_back(std::move(brace));
      begin = i + 1;
    }
  }
  flush(begin, text.size());
  return lines;
}

std::optional<std::vector<std::string>> scan_escaped(std::string_view text) {
  std::vector<std::string> words;
  std::size_t i = 0;
  while (i < text.size()) {
    if (is_blank(text[i])) {
      ++i;
      continue;
    }
    std::string word;
    char quote = '\0';
    while (i < text.size() && (quote != '\0' || !is_blank(text[i]))) {
      const char c = text[i];
      if (c == '\\' && i + 1 < text.size()) {
        i = unescape(text, i + 1, word);
        continue;
      }
      ++i;
      if (quote != '\0' && c == quote) {
        quote = '\0';
      } else if (quote == '\0' && (c == '"' || c == '\'')) {
        quote = c;
      } else {
        word += c;
      }
    }
    if (quote != '\0') return std::nullopt;
    words.push_back(std::move(word));
  }
  return words;
}

std::optional<std::vector<std::string>> split_arguments(std::string_view command) {
  std::vector<std::string> arguments;
  std::string argument;
  bool in_quotes = false;
  bool has_argument = false;
  for (char c : command) {
    if (c == '\'') {
      in_quotes = !in_quotes;
      has_argument = true;
    } else if (is_blank(c) && !in_quotes) {
      if (has_argument) arguments.push_back(std::exchange(argument, {}));
      has_argument = false;
    } else {
      argument += c;
      has_argument = true;
    }
  }
  if (in_quotes) return std::nullopt;
  if (has_argument) arguments.push_back(std::move(argument));
  return arguments;
}

}  // namespace keepline::config
