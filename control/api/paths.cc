// Names of instances and of their files. See paths.h.
#include "control/api/paths.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

namespace keepline::api {

namespace {

constexpr std::string_view kBaseName = "keepline";
constexpr std::size_t kLongestName = 64;
// The inode of the initial network namespace on kernels that fix it (linux/nsfs.h of 6.18), for
// containers that hide process 1. On others no namespace has this number, and every daemon there
// gets the longer name: unhandy, but no two collide.
constexpr ino_t kInitialNamespace = 0xeffffff9;

std::optional<ino_t> namespace_inode(const char* path) {
  struct stat info;
  if (stat(path, &info) != 0) return std::nullopt;
  return info.st_ino;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

std::string file_of(std::string_view instance, std::string_view suffix) {
  return std::string(kRuntimeDirectory).append("/").append(instance).append(suffix);
}

}  // namespace

std::string default_instance_name() {
  const auto own = namespace_inode("/proc/self/ns/net");
  const auto initial = namespace_inode("/proc/1/ns/net").value_or(kInitialNamespace);
  if (!own || *own == initial) return std::string(kBaseName);
  return std::string(kBaseName) + '-' + std::to_string(*own);
}

bool is_valid_instance_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

std::string control_socket_path(std::string_view instance) {
  return file_of(instance, ".sock");
}

std::string pid_file_path(std::string_view instance) {
  return file_of(instance, ".pid");
}

std::string footprint_path(std::string_view instance) {
  return file_of(instance, ".footprint");
}

}  // namespace keepline::api
