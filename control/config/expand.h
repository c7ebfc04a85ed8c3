// Definitions ($NAME=value), their use, and the sequences ~SEQ and ~LST.
//
// PURE. Owns the definitions of one load and the generator behind ${_RANDOM}. Bounds: see the
// constants; whatever exceeds one is reported and left unexpanded or cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/diagnostic.h"

namespace keepline::config {

class Expander {
 public:
  static constexpr unsigned kMaxDepth = 16;                    ///< Definitions within definitions.
  static constexpr std::size_t kMaxExpandedBytes = 64 * 1024;  ///< Of one line.
  static constexpr std::size_t kMaxSequenceLines = 10'000;     ///< From one line.
  static constexpr std::size_t kMaxDefinitions = 4096;

  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  Expander(std::string config_id, Environment env, std::uint64_t random_seed);

  void seed(std::uint64_t random_seed) { random_state_ = random_seed; }
  /// A value with line ends expands to several lines. False when there are too many.
  bool define(const std::string& name, std::string value);
  /// All lines that one line of text becomes. folder is the value of ${_PWD}.
  std::vector<std::string> expand(std::string_view text, const std::string& folder,
                                  const Position& position, Diagnostics& diagnostics);

 private:
  struct Budget {
    std::size_t bytes_left = kMaxExpandedBytes;
    std::size_t uses_left = 4096;
    bool exhausted = false;
  };
  std::string substitute(std::string_view text, const std::string& folder, unsigned depth,
                         Budget& budget);
  std::optional<std::string> value_of(std::string_view name, const std::string& folder);
  std::string random(std::string_view arguments);

  std::string config_id_;
  Environment env_;
  std::uint64_t random_state_;
  std::map<std::string, std::string, std::less<>> definitions_;
};

/// Expands every ~SEQ and ~LST of a line; `complete` turns false when the limit cut the list or
/// a sequence is malformed.
std::vector<std::string> expand_sequences(const std::string& text, std::size_t max_lines,
                                          bool& complete);

/// `$NAME=value` at the start of a line: the name, and where the value starts.
std::optional<std::pair<std::string, std::size_t>> parse_definition(std::string_view text);

bool is_name_character(char c);

}  // namespace keepline::config
