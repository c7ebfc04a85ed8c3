// One daemon a netdev: the second one refuses and says who was first.
//
// Control thread, at start.
#pragma once

#include <string>

#include <tl/expected.hpp>

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

}  // namespace keepline::control
