#include "control/load_file.h"

#include <unistd.h>

#include <cstdlib>

#include "control/file_loader.h"
#include "control/log.h"

namespace keepline::control {

namespace {

std::string config_id_of(const Options& options) {
  if (!options.config_id.empty()) return options.config_id;
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  const std::string host = name;
  return host.substr(0, host.find('.'));
}

}  // namespace

config::LoadResult load_file(const Options& options) {
  FileLoader loader;
  config::LoadOptions load_options;
  load_options.config_id = config_id_of(options);
  load_options.env = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  return config::load(options.config_file, loader, load_options);
}

void log_diagnostics(const config::Diagnostics& diagnostics) {
  for (const config::Diagnostic& each : diagnostics.items()) {
    if (each.severity == config::Severity::kError) {
      log::error("{}", config::to_string(each));
    } else {
      log::warn("{}", config::to_string(each));
    }
  }
}

}  // namespace keepline::control
