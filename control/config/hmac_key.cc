#include "control/config/hmac_key.h"

#include <optional>

namespace keepline::config {

namespace {

constexpr std::string_view kHex = "hex:";
constexpr std::string_view kDigits = "0123456789abcdef";

std::optional<unsigned> digit(char c) {
  if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  const std::size_t value = kDigits.find(c);
  return value == std::string_view::npos ? std::nullopt : std::optional(unsigned(value));
}

}  // namespace

tl::expected<std::string, std::string> parse_hmac_key(std::string_view text) {
  std::string bytes(text);
  if (text.starts_with(kHex)) {
    text.remove_prefix(kHex.size());
    bytes.clear();
    if (text.size() % 2 != 0) return tl::unexpected(std::string("has an odd number of hex digits"));
    for (std::size_t i = 0; i < text.size(); i += 2) {
      const auto high = digit(text[i]);
      const auto low = digit(text[i + 1]);
      if (!high || !low) return tl::unexpected(std::string("has a character that is no hex digit"));
      bytes += static_cast<char>(*high << 4 | *low);
    }
  }
  if (bytes.size() < kLeastKeyBytes || bytes.size() > kMostKeyBytes) {
    return tl::unexpected("has " + std::to_string(bytes.size()) + " bytes; " +
                          std::to_string(kLeastKeyBytes) + " to " + std::to_string(kMostKeyBytes) +
                          " are needed");
  }
  return bytes;
}

std::string to_hex_key(std::string_view bytes) {
  std::string text(kHex);
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace keepline::config
