// "Did you mean": the nearest of a set of names.
//
// PURE. Bound: words longer than kMaxSuggestBytes get no suggestion.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace keepline::config {

inline constexpr std::size_t kMaxSuggestBytes = 64;

/// Insertions, deletions, replacements and swaps of neighbours between two words.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest name within a third of the word's length (at least 1, at most 3 edits); empty
/// when none is that near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

}  // namespace keepline::config
