// Writes JSON in the order of the calls, with numbers as keepalived has them: `0.5`, `5`,
// `1.000000`.
//
// PURE. Owns the text that is being written; whoever calls it opens and closes in pairs.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace keepline::control::dump {

class JsonWriter {
 public:
  void open_object() { open('{'); }
  void close_object() { close('}'); }
  void open_array() { open('['); }
  void close_array() { close(']'); }
  void key(std::string_view name) {
    separate();
    quote(name);
    text_ += ':';
    is_first_ = true;  // the value follows without a comma
  }
  void string(std::string_view value) {
    separate();
    quote(value);
  }
  void field(std::string_view name, std::string_view value) {
    key(name);
    string(value);
  }
  template <std::integral Number>
  void field(std::string_view name, Number value) {
    key(name);
    if constexpr (std::same_as<Number, bool>) {
      raw(value ? "true" : "false");
    } else {
      raw(std::to_string(value));
    }
  }
  /// A number that is text already.
  void number(std::string_view name, std::string_view digits) {
    key(name);
    raw(digits);
  }

  std::string take() { return std::move(text_); }

 private:
  void separate() {
    if (!is_first_) text_ += ',';
    is_first_ = false;
  }
  void open(char bracket) {
    separate();
    text_ += bracket;
    is_first_ = true;
  }
  void close(char bracket) {
    text_ += bracket;
    is_first_ = false;
  }
  void raw(std::string_view value) {
    separate();
    text_ += value;
  }
  void quote(std::string_view value);

  std::string text_;
  bool is_first_ = true;
};

}  // namespace keepline::control::dump
