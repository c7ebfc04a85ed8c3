// The lines of keepalived's text dumps: sections, heads and `Key = value` in their indentation.
//
// PURE. Owns the text that is being written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace keepline::control::dump {

class Lines {
 public:
  /// `------< Title >------`
  void section(std::string_view title) {
    text_.append("------< ").append(title).append(" >------\n");
  }
  /// ` Key = value`: what begins a block, and everything that is not in one.
  void head(std::string_view key, std::string_view value) { pair(" ", key, value); }
  void head(std::string_view key, std::uint64_t value) { head(key, std::to_string(value)); }
  /// `   Key = value`
  void line(std::string_view key, std::string_view value) { pair("   ", key, value); }
  void line(std::string_view key, std::uint64_t value) { line(key, std::to_string(value)); }
  /// `   words`
  void words(std::string_view words) { text_.append("   ").append(words).append("\n"); }
  /// `     words`: one of a list.
  void item(std::string_view words) { text_.append("     ").append(words).append("\n"); }
  /// As it is.
  void raw(std::string_view text) { text_.append(text); }

  std::string take() { return std::move(text_); }

 private:
  void pair(std::string_view indent, std::string_view key, std::string_view value) {
    text_.append(indent).append(key).append(" = ").append(value).append("\n");
  }

  std::string text_;
};

inline std::string_view true_or_false(bool value) {
  return value ? "true" : "false";
}
inline std::string_view yes_or_no(bool value) {
  return value ? "yes" : "no";
}
inline std::string_view enabled_or_disabled(bool value) {
  return value ? "enabled" : "disabled";
}

}  // namespace keepline::control::dump
