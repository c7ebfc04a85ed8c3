// The value of a key of auth_hmac, as it is written behind `key ID` or stands in a file.
//
// PURE. A key is a secret: no message repeats any of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace keepline::config {

inline constexpr std::size_t kLeastKeyBytes = 32;
inline constexpr std::size_t kMostKeyBytes = 64;

/// `hex:` and an even number of digits, or the bytes themselves; kLeastKeyBytes to kMostKeyBytes
/// of them. Else what is wrong, without the value.
tl::expected<std::string, std::string> parse_hmac_key(std::string_view text);

/// A key that reads back as itself, whatever bytes are in it.
std::string to_hex_key(std::string_view bytes);

}  // namespace keepline::config
