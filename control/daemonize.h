// Going to the background, and the pid file.
//
// Called by main before any thread exists.
#pragma once

#include <string>

namespace keepline::control {

/// The background half of a fork whose foreground half waits until this one has started or
/// failed, so that `keeplined && echo up` tells the truth.
class Daemonizer {
 public:
  /// Forks twice and returns in the daemon; the original process exits with what it is told.
  /// Throws std::runtime_error.
  Daemonizer();
  ~Daemonizer();
  Daemonizer(const Daemonizer&) = delete;
  Daemonizer& operator=(const Daemonizer&) = delete;

  /// Releases the waiting foreground process with this exit code.
  void report(int exit_code);

 private:
  int pipe_ = -1;
};

/// Writes the pid file and removes it at the end. Throws std::runtime_error when a living daemon
/// holds it or it cannot be written.
class PidFile {
 public:
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;
  int fd_;
};

/// The pid that a living daemon wrote into the file; 0 when there is none.
int living_pid(const std::string& path);

}  // namespace keepline::control
