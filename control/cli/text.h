// Building blocks of the texts: columns, names, numbers.
//
// PURE.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/status.h"

namespace keepline::cli {

/// Appends a cell of at least `width` columns, the text at its left.
void pad(std::string& text, std::size_t width, std::string_view cell);

template <std::integral Number>
void pad(std::string& text, std::size_t width, Number number) {
  pad(text, width, std::string_view(std::to_string(number)));
}

/// Rows of cells, each column as wide as its longest cell; the first row is the head.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "10.0.0.1:80", "[2001:db8::1]:80".
std::string endpoint(const std::string& address, std::uint16_t port);
std::string or_dash(const std::string& text);
std::string one_decimal(double number);
std::string whole(double number);  ///< Rounded.
/// "name=count name=count", without the zeros.
std::string non_zero(const api::Counters& counters);

}  // namespace keepline::cli
