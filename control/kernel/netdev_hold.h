// One daemon a netdev: the second one refuses and says who was first.
//
// Control thread, at start.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "control/plan/topology.h"

namespace keepline::control {

/// Holds a netdev for this process within its network namespace (an abstract unix socket, so the
/// hold ends with the process). The error names the process that has it.
class NetdevHold {
 public:
  static tl::expected<NetdevHold, std::string> take(const std::string& netdev);
  ~NetdevHold();
  NetdevHold(NetdevHold&& other) noexcept;
  NetdevHold& operator=(NetdevHold&&) = delete;

 private:
  explicit NetdevHold(int socket) : socket_(socket) {}
  int socket_;
};

/// Holds all that are attached through AF_XDP, and takes off them what a dead daemon has left.
/// Throws std::runtime_error: one is somebody else's, or has somebody else's XDP program.
std::vector<NetdevHold> hold_devices(const Topology& topology);

}  // namespace keepline::control
