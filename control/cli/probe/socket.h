// What probe and far end share: addresses, clocks, signals, sockets.
//
// The CLI's only thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace keepline::cli::probe {

/// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

struct Endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
  std::string text;  ///< As the user wrote it.

  int family() const { return address.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

/// "192.0.2.1:80", "[2001:db8::1]:80", "www.example.com:80"; the error says what is wrong with it.
tl::expected<Endpoint, std::string> parse_endpoint(const std::string& text);

/// CLOCK_MONOTONIC and CLOCK_REALTIME in ns.
std::int64_t now_ns();
std::int64_t wall_ns();

/// Sleeps until a time of now_ns(); at once when it has passed, early on a signal.
void sleep_until(std::int64_t when_ns);

/// From now on SIGINT, SIGTERM and SIGHUP are counted instead of ending the program.
void catch_signals();
/// How often one of them has come.
int signals();

/// Lets the kernel wake this thread when it is to, not up to 50 us later, and allows it as many
/// descriptors as the system does.
void prepare_thread();

/// Before everybody else who is not real-time; false without the privilege (CAP_SYS_NICE).
bool become_realtime();

/// "call: reason" of errno.
std::string failure(const char* call);

void set_option(int fd, int level, int name, int value);

/// A progress line on standard error, at most 5 a second, on a terminal only.
class Progress {
 public:
  Progress();
  ~Progress();

  /// Is it time for the next one?
  bool due(std::int64_t now) const { return shows_ && now >= next_ns_; }
  void show(const std::string& text);

 private:
  bool shows_;
  std::int64_t next_ns_ = 0;
  std::size_t length_ = 0;
};

}  // namespace keepline::cli::probe
