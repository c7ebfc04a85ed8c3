// The one public entry: from a path to a typed configuration and everything to say about it.
//
// PURE. All files come through the injected Loader; nothing here reads a clock, the environment
// or the disk. Bounds: those of source.h (lines, files, nesting) and Diagnostics.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/config/diagnostic.h"
#include "control/config/loader.h"
#include "control/config/model.h"

namespace keepline::config {

struct LoadOptions {
  std::string config_id;  ///< For `@id` lines and ${_INSTANCE}: -i, else the short host name.
  std::function<std::optional<std::string>(const std::string&)> env;  ///< For ${_ENV NAME}.
  std::uint64_t random_seed = 1;  ///< For ${_RANDOM}; a random_seed in the file overrules it.
};

struct LoadResult {
  Config config;  ///< Only meant to be run when diagnostics.can_run().
  Diagnostics diagnostics;
};

/// Never throws; everything that is wrong is in the diagnostics.
LoadResult load(const std::string& path, Loader& loader, const LoadOptions& options);

struct InterfaceMention {
  std::string name;
  Position position;
};

/// Every interface that the configuration names, once each, with its first position.
std::vector<InterfaceMention> mentioned_interfaces(const Config& config);

}  // namespace keepline::config
