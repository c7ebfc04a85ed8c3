#include "control/file_loader.h"

#include <glob.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace keepline::control {

namespace fs = std::filesystem;

tl::expected<std::string, std::string> FileLoader::read(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return tl::unexpected(std::string(std::strerror(ENOENT)));
  if (!fs::is_regular_file(status)) return tl::unexpected(std::string("not a regular file"));
  if (fs::file_size(path, error) > kMaxFileBytes) return tl::unexpected(std::string("too large"));
  std::ifstream file(path, std::ios::binary);
  if (!file) return tl::unexpected(std::string(std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> FileLoader::glob(const std::string& pattern,
                                          const std::string& relative_to) {
  constexpr auto kExecutable =
      fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  const fs::path whole = fs::path(relative_to) / pattern;  // an absolute pattern wins
  std::vector<std::string> result;
  glob_t found{};
  if (::glob(whole.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      std::error_code error;
      const fs::file_status status = fs::status(found.gl_pathv[i], error);
      if (!fs::is_regular_file(status)) continue;
      if ((status.permissions() & kExecutable) != fs::perms::none) continue;
      result.emplace_back(found.gl_pathv[i]);
    }
  }
  globfree(&found);
  return result;
}

}  // namespace keepline::control
