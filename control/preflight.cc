#include "control/preflight.h"

#include <linux/capability.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <utility>

namespace keepline::control {

namespace {

constexpr int kAfXdp = 44;

std::uint64_t effective_capabilities() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapEff:")) return std::stoull(line.substr(7), nullptr, 16);
  }
  return 0;
}

}  // namespace

std::vector<std::string> missing_prerequisites() {
  static constexpr std::array kNeeded = {
      std::pair(CAP_NET_ADMIN, "CAP_NET_ADMIN (addresses, XDP)"),
      std::pair(CAP_NET_RAW, "CAP_NET_RAW (AF_XDP and packet sockets)"),
      std::pair(CAP_SYS_ADMIN, "CAP_SYS_ADMIN (BPF maps by id)"),
      std::pair(CAP_IPC_LOCK, "CAP_IPC_LOCK (packet memory)"),
  };
  std::vector<std::string> missing;
  const std::uint64_t held = effective_capabilities();
  for (const auto& [bit, name] : kNeeded) {
    if ((held >> bit & 1) == 0) {
      missing.push_back(std::string("missing capability ") + name +
                        ": start as root or grant it to the unit");
    }
  }
  if (!missing.empty()) return missing;
  const int fd = socket(kAfXdp, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    missing.emplace_back(
        "this kernel has no AF_XDP sockets: a kernel built with CONFIG_XDP_SOCKETS is needed "
        "(Debian's are, from 11 on)");
  } else {
    close(fd);
  }
  return missing;
}

}  // namespace keepline::control
