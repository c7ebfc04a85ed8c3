#include "control/programs.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace keepline::control {

namespace {

constexpr const char* kDefaultUser = "keepalived_script";

std::string group_of(const std::string& user) {
  const passwd* entry = getpwnam(user.c_str());
  return entry == nullptr ? std::string() : std::to_string(entry->pw_gid);
}

// As execvp() looks for it: a bare name along PATH.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + '/' + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return name;
}

std::optional<std::string> who_can_change(const std::string& file) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::canonical(file, error);
  for (; !error; path = path.parent_path()) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) break;
    const bool is_sticky_folder = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    const bool is_open = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !is_sticky_folder;
    if (status.st_uid != 0 || is_open) return path.string();
    if (path == path.parent_path()) break;
  }
  return std::nullopt;
}

}  // namespace

checks::Program program_of(const config::Command& command, const config::GlobalDefs& global) {
  checks::Program program;
  program.arguments = command.arguments;
  if (!command.user.empty()) {
    program.user = command.user;
    program.group = command.group;
  } else if (!global.script_user.empty()) {
    program.user = global.script_user;
    program.group = global.script_group;
  } else if (getpwnam(kDefaultUser) != nullptr) {
    program.user = kDefaultUser;
  }
  if (program.user == "root" && program.group.empty()) program.user.clear();  // as the daemon
  if (!program.user.empty() && program.group.empty()) program.group = group_of(program.user);
  return program;
}

std::optional<std::string> why_not_run(const config::Command& command,
                                       const config::GlobalDefs& global) {
  const std::string file = find_program(command.arguments.front());
  if (access(file.c_str(), X_OK) != 0) return std::strerror(errno);
  if (!global.enable_script_security || !program_of(command, global).user.empty()) {
    return std::nullopt;
  }
  const auto open = who_can_change(file);
  if (!open) return std::nullopt;
  return "it would run as root, and others than root can change " + *open;
}

}  // namespace keepline::control
