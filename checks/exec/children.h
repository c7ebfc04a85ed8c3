// Runs programs for a configuration: tracking scripts, notify scripts, MISC_CHECK.
//
// Control thread. A child is spawned without copying the daemon (posix_spawn), gets no descriptor
// of it and no terminal, is a process group of its own, and is waited for by its pidfd. Bound:
// kMaxChildren at a time, more are not started. A child may outlive the daemon.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keepline::checks {

/// What to run: no shell. A bare name is looked up in PATH.
struct Program {
  std::vector<std::string> arguments;
  std::string user;   ///< Empty: as the daemon.
  std::string group;  ///< Empty: the user's own.
};

/// How a child came to its end.
struct Ending {
  enum class How : std::uint8_t { kExited, kKilled, kTimedOut, kNotStarted };
  How how = How::kExited;
  int code = 0;        ///< Exit code, or the signal's number.
  std::string reason;  ///< Of kNotStarted.

  bool succeeded() const { return how == How::kExited && code == 0; }
};

std::string to_string(const Ending& ending);

class Children {
 public:
  static constexpr std::size_t kMaxChildren = 256;
  /// After the limit SIGTERM goes to the process group, and so much later SIGKILL.
  static constexpr std::chrono::seconds kGrace{2};

  using Done = std::function<void(const Ending&)>;
  using Limit = std::optional<std::chrono::microseconds>;

  explicit Children(boost::asio::any_io_executor executor);
  /// Forgets all; no callback is made any more.
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// `done` is called once, in a later turn of the loop; it may be empty.
  void run(const Program& program, Limit limit, Done done);
  boost::asio::any_io_executor executor() const;
  /// Asks all to end.
  void terminate();
  std::size_t running() const;

 private:
  struct Core;
  class Child;
  std::shared_ptr<Core> core_;
};

}  // namespace keepline::checks
