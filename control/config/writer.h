// Writes indented statements and blocks, quoting what the lexer would otherwise split.
//
// PURE. Owns the text that is being written.
#pragma once

#include <string>
#include <string_view>

#include "control/config/model.h"

namespace keepline::config {

/// A word that reads back as itself.
std::string quote_word(std::string_view text);
/// For the richer scanner of script-like keywords: double quotes and octal escapes.
std::string quote_escaped(std::string_view text);

class Writer {
 public:
  void line(std::string_view keyword, std::string_view rest = {});
  void word(std::string_view keyword, std::string_view value) { line(keyword, quote_word(value)); }
  void number(std::string_view keyword, std::uint64_t value) {
    line(keyword, std::to_string(value));
  }
  void seconds(std::string_view keyword, std::uint64_t us);
  void flag(std::string_view keyword, bool value) { line(keyword, value ? "on" : "off"); }
  /// Only when it is not empty.
  void text(std::string_view keyword, std::string_view value) {
    if (!value.empty()) word(keyword, value);
  }
  /// Only when there is one.
  void command(std::string_view keyword, const Command& command, bool with_owner = true);
  void open(std::string_view keyword, std::string_view rest = {});
  void close();

  std::string take() { return std::move(out_); }

 private:
  void indent() { out_.append(2 * depth_, ' '); }

  std::string out_;
  std::size_t depth_ = 0;
};

void print_services(const Config& config, Writer& out);

}  // namespace keepline::config
