#include "control/daemonize.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace keepline::control {

namespace {

[[noreturn]] void wait_for_report(int pipe) {
  unsigned char code = EXIT_FAILURE;
  // Nothing comes when the daemon dies before it has started: that is a failure.
  [[maybe_unused]] const ssize_t received = read(pipe, &code, 1);
  _exit(code);
}

void detach_standard_streams() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 1; ++fd) dup2(null, fd);
  close(null);
}

}  // namespace

Daemonizer::Daemonizer() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child > 0) {
    close(ends[1]);
    wait_for_report(ends[0]);
  }
  setsid();
  const pid_t grandchild = fork();
  if (grandchild < 0) _exit(EXIT_FAILURE);
  if (grandchild > 0) _exit(EXIT_SUCCESS);
  close(ends[0]);
  pipe_ = ends[1];
  detach_standard_streams();
}

Daemonizer::~Daemonizer() {
  if (pipe_ >= 0) close(pipe_);
}

void Daemonizer::report(int exit_code) {
  if (pipe_ < 0) return;
  const auto code = static_cast<unsigned char>(exit_code);
  [[maybe_unused]] const ssize_t written = write(pipe_, &code, 1);
  close(pipe_);
  pipe_ = -1;
  // Errors of the start have been seen; from now on standard error is nobody's.
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDERR_FILENO);
  close(null);
}

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  const auto folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder);
  fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    throw std::runtime_error("pid file " + path_ + ": " + std::strerror(errno));
  }
  // The lock, not the number in the file, says whether its writer lives.
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    close(fd_);
    throw std::runtime_error("already running: pid " + std::to_string(living_pid(path_)) +
                             " holds " + path_ + " (another daemon needs --instance or -p)");
  }
  const std::string text = std::to_string(getpid()) + '\n';
  if (ftruncate(fd_, 0) != 0 || write(fd_, text.data(), text.size()) < 0) {
    close(fd_);
    throw std::runtime_error("cannot write pid file " + path_);
  }
}

PidFile::~PidFile() {
  unlink(path_.c_str());
  close(fd_);
}

int living_pid(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
  close(fd);
  int pid = 0;
  if (held) std::ifstream(path) >> pid;
  return pid;
}

}  // namespace keepline::control
