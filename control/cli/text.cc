#include "control/cli/text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace keepline::cli {

namespace {

constexpr std::size_t kColumnGap = 2;

}  // namespace

void pad(std::string& text, std::size_t width, std::string_view cell) {
  text.append(cell);
  if (cell.size() < width) text.append(width - cell.size(), ' ');
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string result;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) pad(result, widths[i] + kColumnGap, row[i]);
    result += row.back() + '\n';
  }
  return result;
}

std::string endpoint(const std::string& address, std::uint16_t port) {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? '[' + address + ']' : address) + ':' + std::to_string(port);
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string one_decimal(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

std::string whole(double number) {
  return std::to_string(std::llround(number));
}

std::string non_zero(const api::Counters& counters) {
  std::string result;
  for (const auto& [name, count] : counters) {
    if (count == 0) continue;
    result.append(result.empty() ? "" : " ").append(name).append("=").append(std::to_string(count));
  }
  return result;
}

}  // namespace keepline::cli
