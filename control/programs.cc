#include "control/programs.h"

#include <grp.h>
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

Programs::Identity Programs::look_up(std::string user, const std::string& group) {
  Identity identity;
  if (user.empty()) {
    if (getpwnam(kDefaultUser) == nullptr) return identity;
    user = kDefaultUser;
  }
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) {
    identity.problem = "no user " + user;
    return identity;
  }
  identity.user = std::to_string(entry->pw_uid);
  identity.group = std::to_string(entry->pw_gid);
  if (!group.empty()) {
    const ::group* members = getgrnam(group.c_str());
    if (members == nullptr) identity.problem = "no group " + group;
    if (members != nullptr) identity.group = std::to_string(members->gr_gid);
  }
  if (identity.user == "0" && identity.group == "0") identity.user.clear();  // as the daemon
  return identity;
}

std::optional<std::string> Programs::prepare(const config::Command& command) {
  const bool is_own = !command.user.empty();
  const auto [identity, is_new] = identities_.try_emplace({command.user, command.group});
  if (is_new) {
    identity->second = look_up(is_own ? command.user : global_.script_user,
                               is_own ? command.group : global_.script_group);
  }
  if (!identity->second.problem.empty()) return identity->second.problem;
  const std::string file = find_program(command.arguments.front());
  if (access(file.c_str(), X_OK) != 0) return std::strerror(errno);
  const bool is_root = identity->second.user.empty() || identity->second.user == "0";
  if (!global_.enable_script_security || !is_root) return std::nullopt;
  const auto open = who_can_change(file);
  if (!open) return std::nullopt;
  return "it would run as root, and others than root can change " + *open;
}

checks::Program Programs::of(const config::Command& command) const {
  const auto found = identities_.find({command.user, command.group});
  checks::Program program;
  program.arguments = command.arguments;
  if (found == identities_.end()) return program;
  program.user = found->second.user;
  program.group = found->second.group;
  return program;
}

}  // namespace keepline::control
