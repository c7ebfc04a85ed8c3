// Statements to text: see writer.h. PURE.
#include "control/config/writer.h"

#include <algorithm>
#include <cstdio>

#include "control/config/names.h"
#include "control/config/words.h"

namespace keepline::config {

std::string quote_word(std::string_view text) {
  // At the start of a line these would be a condition, a definition or an include.
  const bool is_special =
      text.empty() || text.front() == '@' || text.front() == '$' || text.starts_with("include");
  const bool is_plain = std::ranges::none_of(text, [](char c) {
    return is_blank(c) || c == '{' || c == '}' || c == '#' || c == '!' || c == '\\' || c == '"';
  });
  if (!is_special && is_plain) return std::string(text);
  std::string result = "\"";
  result += text;
  result += '"';
  return result;
}

std::string quote_escaped(std::string_view text) {
  constexpr std::string_view kEscaped = "\\\"$~";
  std::string result = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && kEscaped.find(c) == std::string_view::npos) {
      result += c;
      continue;
    }
    // Octal always, because the line's own scanner looks for quotes behind backslashes.
    char buffer[8];
    std::snprintf(buffer, sizeof buffer, "\\%03o", byte);
    result += buffer;
  }
  return result + "\"";
}

void Writer::line(std::string_view keyword, std::string_view rest) {
  indent();
  out_ += keyword;
  if (!rest.empty()) out_ += ' ';
  out_ += rest;
  out_ += '\n';
}

void Writer::seconds(std::string_view keyword, std::uint64_t us) {
  line(keyword, seconds_text(us));
}

void Writer::command(std::string_view keyword, const Command& command, bool with_owner) {
  if (command.empty()) return;
  std::string joined;
  for (const std::string& argument : command.arguments) {
    if (!joined.empty()) joined += ' ';
    const bool is_plain = !argument.empty() && std::ranges::none_of(argument, is_blank);
    joined += is_plain ? argument : "'" + argument + "'";
  }
  std::string rest = quote_escaped(joined);
  if (with_owner && (!command.user.empty() || !command.group.empty())) {
    rest += ' ' + quote_escaped(command.user);
  }
  if (with_owner && !command.group.empty()) rest += ' ' + quote_escaped(command.group);
  line(keyword, rest);
}

void Writer::open(std::string_view keyword, std::string_view rest) {
  line(keyword, std::string(rest) + (rest.empty() ? "{" : " {"));
  ++depth_;
}

void Writer::close() {
  --depth_;
  line("}");
}

}  // namespace keepline::config
