// The probe over TCP: a new connection at a fixed rate, each with one question and its answer, or
// nothing but the connection. One loop over epoll.
//
// The connection is closed first by the far end, or reset by us: either way no port of ours stays
// in TIME_WAIT, of which a minute at 500 per second would need more than there are.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <limits>

#include "control/cli/probe/probe.h"

namespace keepline::cli::probe {

namespace {

constexpr std::int64_t kStartDelayNs = 5'000'000;
constexpr std::int64_t kTooLateNs = 50'000'000;
constexpr std::int64_t kSlowNs = 1'000'000'000;  // the first repetition of a SYN
constexpr int kEvents = 256;

class TcpProbe {
 public:
  TcpProbe(const Task& task, Descriptor poller)
      : task_(task), poller_(std::move(poller)), log_(task.interval_ns()) {}

  Outcome run();

 private:
  struct Attempt {
    Descriptor socket;
    std::uint64_t number = 0;
    std::int64_t began_ns = 0;
    bool connected = false;
  };

  std::int64_t due_ns(std::uint64_t number) const {
    return start_ns_ + static_cast<std::int64_t>(number) * task_.interval_ns();
  }
  void begin_due();
  void begin(std::int64_t late_ns);
  void wait_until(std::int64_t when_ns);
  void look_at(Attempt& attempt, std::uint32_t events);
  void look_at_answer(Attempt& attempt);
  void connected(Attempt& attempt);
  void end(Attempt& attempt, int error);
  void succeed(Attempt& attempt, std::string_view server);
  void give_up_before(std::int64_t began_ns);
  std::string request() const;

  const Task& task_;
  Descriptor poller_;
  Log log_;
  std::int64_t start_ns_ = 0;
  std::uint64_t first_ = 0;  // of open_, which has one for each number from there on
  std::deque<Attempt> open_;
  Outcome outcome_;
  Progress progress_;
};

std::string TcpProbe::request() const {
  if (task_.question == TcpQuestion::kEcho) return "?\n";
  return "GET / HTTP/1.0\r\nHost: " + task_.target.text + "\r\nConnection: close\r\n\r\n";
}

void TcpProbe::begin(std::int64_t late_ns) {
  Attempt attempt{{}, log_.questions(), now_ns(), false};
  attempt.socket =
      Descriptor(open_.size() < kMaxOpen
                     ? socket(task_.target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
                     : -1);
  if (!attempt.socket.valid()) {
    outcome_.last_error = open_.size() < kMaxOpen ? std::strerror(errno) : "too many open at once";
    log_.not_sent();
    open_.push_back(std::move(attempt));
    return;
  }
  const int fd = attempt.socket.get();
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const bool began = connect(fd, task_.target.get(), task_.target.length) == 0;
  const int error = began || errno == EINPROGRESS ? 0 : errno;
  // Our own ports have run out: the network has not seen it.
  error == EADDRNOTAVAIL ? log_.not_sent() : log_.sent(late_ns);
  if (error == EADDRNOTAVAIL) {
    outcome_.last_error = std::strerror(error);
    attempt.socket = Descriptor();
  } else if (error != 0) {
    end(attempt, error);
  } else {
    epoll_event wanted{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {}};
    wanted.data.u64 = attempt.number;
    epoll_ctl(poller_.get(), EPOLL_CTL_ADD, fd, &wanted);
  }
  open_.push_back(std::move(attempt));
}

void TcpProbe::begin_due() {
  while (log_.questions() < task_.questions()) {
    const std::int64_t late = now_ns() - due_ns(log_.questions());
    if (late < 0) return;
    if (late <= kTooLateNs) {
      begin(late);
      continue;
    }
    open_.push_back({{}, log_.questions(), 0, false});
    log_.not_sent();
  }
}

void TcpProbe::end(Attempt& attempt, int error) {
  outcome_.last_error = std::strerror(error);
  Fate fate = Fate::kRefused;
  if (error == ETIMEDOUT) fate = Fate::kTimeout;
  if (attempt.connected) fate = Fate::kReset;
  log_.ended(attempt.number, fate);
  attempt.socket = Descriptor();
}

void TcpProbe::succeed(Attempt& attempt, std::string_view server) {
  log_.answered(attempt.number, now_ns() - attempt.began_ns, 0, server);
  attempt.socket = Descriptor();
}

void TcpProbe::connected(Attempt& attempt) {
  attempt.connected = true;
  if (now_ns() - attempt.began_ns >= kSlowNs) log_.slow(attempt.number);
  if (task_.question == TcpQuestion::kConnect) return succeed(attempt, "-");
  const std::string text = request();
  if (send(attempt.socket.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) end(attempt, errno);
}

void TcpProbe::look_at_answer(Attempt& attempt) {
  std::array<char, 256> said;
  const ssize_t got = recv(attempt.socket.get(), said.data(), said.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return end(attempt, got < 0 ? errno : ECONNRESET);
  std::string_view name(said.data(), static_cast<std::size_t>(got));
  name = name.substr(0, std::min(name.find_first_of("\r\n"), std::size_t{32}));
  succeed(attempt, name);
}

void TcpProbe::look_at(Attempt& attempt, std::uint32_t events) {
  if (!attempt.socket.valid()) return;
  if (!attempt.connected) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(attempt.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return end(attempt, error);
    if ((events & EPOLLOUT) == 0) return;
    connected(attempt);
  }
  if (attempt.socket.valid()) look_at_answer(attempt);
}

void TcpProbe::wait_until(std::int64_t when_ns) {
  const std::int64_t left = std::max<std::int64_t>(when_ns - now_ns(), 0);
  const timespec patience{left / 1'000'000'000, left % 1'000'000'000};
  std::array<epoll_event, kEvents> events;
  const int count = epoll_pwait2(poller_.get(), events.data(), kEvents, &patience, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 >= first_) look_at(open_[event.data.u64 - first_], event.events);
  }
}

// Attempts have one patience, so the oldest is always the first to lose it.
void TcpProbe::give_up_before(std::int64_t began_ns) {
  while (!open_.empty()) {
    Attempt& oldest = open_.front();
    if (oldest.socket.valid()) {
      if (oldest.began_ns >= began_ns) return;
      log_.ended(oldest.number, Fate::kTimeout);
    }
    open_.pop_front();
    ++first_;
  }
}

Outcome TcpProbe::run() {
  start_ns_ = now_ns() + kStartDelayNs;
  outcome_.started_unix_ns = start_ns_ + wall_ns() - now_ns();
  const auto patience_ns = static_cast<std::int64_t>(task_.wait_s * 1e9);
  while (log_.questions() < task_.questions() && signals() == 0) {
    wait_until(due_ns(log_.questions()));
    begin_due();
    give_up_before(now_ns() - patience_ns);
    if (!progress_.due(now_ns())) continue;
    const std::uint64_t open = log_.questions() - log_.answers();
    progress_.show(std::to_string(log_.questions()) + " connections, " + std::to_string(open) +
                   " without an answer, " + std::to_string(log_.late()) + " late");
  }
  const int signals_before = signals();
  while (!open_.empty() && signals() == signals_before) {
    wait_until(std::max(open_.front().began_ns + patience_ns, now_ns() + 1'000'000));
    give_up_before(now_ns() - patience_ns);
  }
  give_up_before(std::numeric_limits<std::int64_t>::max());
  outcome_.statistics = log_.statistics({});
  return std::move(outcome_);
}

}  // namespace

tl::expected<Outcome, std::string> ask_by_tcp(const Task& task) {
  Descriptor poller(epoll_create1(EPOLL_CLOEXEC));
  if (!poller.valid()) return tl::unexpected(failure("epoll_create1"));
  TcpProbe probe(task, std::move(poller));
  return probe.run();
}

}  // namespace keepline::cli::probe
