#include "control/dump/paths.h"

namespace keepline::control::dump {

namespace {

// In front of the extension of the file's name, else at the end.
std::string with_suffix(const std::string& path, std::string_view suffix) {
  const std::size_t slash = path.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = path.rfind('.');
  // A dot in front is no extension.
  const bool has_extension = dot != std::string::npos && dot > name;
  std::string result = path;
  return result.insert(has_extension ? dot : path.size(), suffix);
}

}  // namespace

Paths paths_of(const config::DumpOptions& options, std::string_view folder,
               std::string_view instance) {
  const std::string start = std::string(folder) + "/keepalived";
  const std::string name =
      options.use_instance && !instance.empty() ? '.' + std::string(instance) : "";
  Paths paths{start + name + ".data",
              start + "_check" + name + ".data",
              start + "_bfd" + name + ".data",
              start + "_parent" + name + ".data",
              start + ".stats",
              start + ".json"};
  if (!options.state_file.empty()) {
    paths.data = with_suffix(options.state_file, name);
    paths.check_data = with_suffix(options.state_file, "_check" + name);
    paths.bfd_data = with_suffix(options.state_file, "_bfd" + name);
    paths.parent_data = with_suffix(options.state_file, "_parent" + name);
  }
  if (!options.stats_file.empty()) paths.stats = options.stats_file;
  if (!options.json_file.empty()) paths.json = options.json_file;
  return paths;
}

}  // namespace keepline::control::dump
