#include "control/process_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <span>
#include <string_view>

namespace keepline::control {

namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

// The beginning of a file; empty when it is gone.
std::string_view read_start(int folder, const std::string& name, std::span<char> buffer) {
  const int fd = openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t length = read(fd, buffer.data(), buffer.size());
  close(fd);
  return {buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

// `PID (NAME) STATE ...`, where the name may have anything in it; see proc(5).
std::optional<std::string> living_name(std::string_view status) {
  const std::size_t open = status.find('(');
  const std::size_t close = status.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
      close + 2 >= status.size()) {
    return std::nullopt;
  }
  const char state = status[close + 2];
  if (state == 'Z' || state == 'X') return std::nullopt;
  return std::string(status.substr(open + 1, close - open - 1));
}

// Each argument ends with a zero byte.
std::vector<std::string> split_arguments(std::string_view line) {
  std::vector<std::string> arguments;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find('\0'), line.size());
    arguments.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return arguments;
}

bool is_number(const char* name) {
  return std::isdigit(static_cast<unsigned char>(*name)) != 0;
}

}  // namespace

std::optional<std::vector<std::uint32_t>> count_processes(
    const std::vector<config::TrackProcess>& wanted, const std::string& folder) {
  const std::unique_ptr<DIR, CloseFolder> all(opendir(folder.c_str()));
  if (all == nullptr) return std::nullopt;
  const bool needs_arguments = std::ranges::any_of(wanted, &config::TrackProcess::full_command);
  std::vector<std::uint32_t> counts(wanted.size());
  std::array<char, kMaxCommandLine> buffer;
  while (const dirent* entry = readdir(all.get())) {
    if (!is_number(entry->d_name)) continue;
    const std::string pid = entry->d_name;
    const auto name = living_name(read_start(dirfd(all.get()), pid + "/stat", buffer));
    if (!name) continue;
    ProcessInfo process{*name, {}};
    if (needs_arguments) {
      process.arguments = split_arguments(read_start(dirfd(all.get()), pid + "/cmdline", buffer));
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) counts[i] += matches(wanted[i], process);
  }
  return counts;
}

}  // namespace keepline::control
