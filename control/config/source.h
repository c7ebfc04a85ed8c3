// Files to logical lines: comments, conditionals, definitions, sequences and includes applied.
//
// PURE: all text comes from the Loader. Bounds: kMaxLineBytes a physical line, kMaxLines lines,
// kMaxFiles files and kMaxIncludeDepth nested includes in one load; what exceeds them is
// reported and left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "control/config/diagnostic.h"
#include "control/config/expand.h"
#include "control/config/loader.h"
#include "control/config/words.h"

namespace keepline::config {

inline constexpr std::size_t kMaxLineBytes = 1024;
inline constexpr std::size_t kMaxLines = 200'000;
inline constexpr std::size_t kMaxFiles = 512;
inline constexpr unsigned kMaxIncludeDepth = 16;

struct SourceOptions {
  std::string config_id;
  Expander::Environment env;
  std::uint64_t random_seed = 1;
};

/// A main file that cannot be read is one fatal diagnostic and no lines.
std::vector<Line> read_source(const std::string& path, Loader& loader, const SourceOptions& options,
                              Diagnostics& diagnostics);

}  // namespace keepline::config
