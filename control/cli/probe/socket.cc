#include "control/cli/probe/socket.h"

#include <netdb.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <iostream>
#include <memory>
#include <utility>

namespace keepline::cli::probe {

namespace {

constexpr std::int64_t kNsPerS = 1'000'000'000;
constexpr std::int64_t kProgressNs = 200'000'000;

volatile std::sig_atomic_t caught = 0;

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kNsPerS + now.tv_nsec;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

int Descriptor::release() {
  return std::exchange(fd_, -1);
}

tl::expected<Endpoint, std::string> parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    return tl::unexpected(text + ": ADDRESS:PORT is wanted");
  }
  int port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error_code] = std::from_chars(text.data() + colon + 1, end, port);
  if (error_code != std::errc() || stopped != end || port < 1 || port > 65'535) {
    return tl::unexpected(text + ": a port is 1 to 65535");
  }
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return tl::unexpected(text + ": an IPv6 address is written [ADDRESS]:PORT");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), text.c_str() + colon + 1, &hints, &found);
  if (error != 0) return tl::unexpected(text + ": " + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  Endpoint endpoint;
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  endpoint.length = found->ai_addrlen;
  endpoint.text = text;
  return endpoint;
}

std::int64_t now_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}

std::int64_t wall_ns() {
  return clock_ns(CLOCK_REALTIME);
}

void sleep_until(std::int64_t when_ns) {
  const timespec when{when_ns / kNsPerS, when_ns % kNsPerS};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { caught = caught + 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int signals() {
  return caught;
}

void prepare_thread() {
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

bool become_realtime() {
  const sched_param lowest{sched_get_priority_min(SCHED_FIFO)};
  return sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
}

std::string failure(const char* call) {
  return std::string(call) + ": " + std::strerror(errno);
}

void set_option(int fd, int level, int name, int value) {
  // Without it the figures are less exact, or there are fewer of them: no reason to give up.
  setsockopt(fd, level, name, &value, sizeof value);
}

Progress::Progress() : shows_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (length_ > 0) std::cerr << '\r' << std::string(length_, ' ') << '\r' << std::flush;
}

void Progress::show(const std::string& text) {
  next_ns_ = now_ns() + kProgressNs;
  const std::size_t covered = length_ > text.size() ? length_ - text.size() : 0;
  std::cerr << '\r' << text << std::string(covered, ' ') << std::flush;
  length_ = text.size();
}

}  // namespace keepline::cli::probe
