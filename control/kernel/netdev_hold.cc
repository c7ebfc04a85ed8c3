#include "control/kernel/netdev_hold.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "dataplane/port/steering.h"

namespace keepline::control {

namespace {

struct Name {
  sockaddr_un address{};
  socklen_t length = 0;

  explicit Name(const std::string& netdev) {
    address.sun_family = AF_UNIX;
    // A leading zero byte: the abstract namespace, which is the network namespace's own.
    const std::string name = std::string(1, '\0') + "keepline/netdev/" + netdev;
    std::memcpy(address.sun_path, name.data(), name.size());
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

std::string holder_of(const Name& name) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ucred holder{};
  socklen_t length = sizeof holder;
  const bool known = fd >= 0 && connect(fd, name.get(), name.length) == 0 &&
                     getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &holder, &length) == 0;
  if (fd >= 0) close(fd);
  if (!known) return "another process";
  std::string command = "process";
  std::ifstream comm("/proc/" + std::to_string(holder.pid) + "/comm");
  std::getline(comm, command);
  return command + " with pid " + std::to_string(holder.pid);
}

}  // namespace

tl::expected<NetdevHold, std::string> NetdevHold::take(const std::string& netdev) {
  const Name name(netdev);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return tl::unexpected(std::string("socket: ") + std::strerror(errno));
  if (bind(fd, name.get(), name.length) == 0 && listen(fd, 4) == 0) return NetdevHold(fd);
  const bool in_use = errno == EADDRINUSE;
  const std::string reason = std::strerror(errno);
  close(fd);
  if (in_use) {
    return tl::unexpected("interface " + netdev + " is in use by " + holder_of(name) +
                          ": stop it first");
  }
  return tl::unexpected("interface " + netdev + ": " + reason);
}

NetdevHold::NetdevHold(NetdevHold&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

NetdevHold::~NetdevHold() {
  if (socket_ >= 0) close(socket_);
}

std::vector<NetdevHold> hold_devices(const Topology& topology) {
  std::vector<NetdevHold> holds;
  const auto hold = [&holds](const std::string& netdev) {
    auto taken = NetdevHold::take(netdev);
    if (!taken) throw std::runtime_error(taken.error());
    holds.push_back(std::move(*taken));
  };
  for (const PlacedDevice& device : topology.devices) hold(device.netdev);
  for (const PlacedNic& nic : topology.nics()) {
    const auto is_it = [&](const PlacedDevice& device) { return device.netdev == nic.netdev; };
    if (std::ranges::none_of(topology.devices, is_it)) hold(nic.netdev);
    // Nobody else holds the netdev, so a program of ours on it is a dead daemon's, even if that
    // one's footprint is lost.
    port::detach_xdp(nic.ifindex);
    if (port::xdp_owner(nic.ifindex) == port::XdpOwner::kSomebodyElse) {
      throw std::runtime_error("interface " + nic.netdev +
                               " has another program's XDP program: `ip link show " + nic.netdev +
                               "` names it, `ip link set " + nic.netdev + " xdp off` removes it");
    }
  }
  return holds;
}

}  // namespace keepline::control
