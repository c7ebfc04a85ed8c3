// The probe over UDP: one loop that sends what is due, takes what has come, and sleeps until the
// next one is due. Arrival times are the kernel's, so it does not matter when they are looked at.
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "control/cli/probe/probe.h"
#include "control/cli/probe/wire.h"

namespace keepline::cli::probe {

namespace {

constexpr std::size_t kBatch = 64;
constexpr int kBufferBytes = 8 << 20;
constexpr std::int64_t kStartDelayNs = 5'000'000;
// What is late by more is not sent any more: a burst of it would be lost by its own doing.
constexpr std::int64_t kTooLateNs = 10'000'000;
constexpr std::int64_t kLookNs = 1'000'000;  // while there is nothing left but to wait

// Messages of one system call, in either direction.
struct Batch {
  std::array<Bytes, kBatch> bytes;
  std::array<iovec, kBatch> vectors;
  std::array<mmsghdr, kBatch> messages{};
  std::array<std::array<char, 128>, kBatch> control;

  Batch() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {bytes[i].data(), bytes[i].size()};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void want_control() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      messages[i].msg_hdr.msg_control = control[i].data();
      messages[i].msg_hdr.msg_controllen = control[i].size();
    }
  }
};

struct Arrival {
  std::int64_t wall_ns = 0;  // 0: the kernel has not said
  std::uint32_t overflowed = 0;
};

Arrival arrival_of(msghdr& message) {
  Arrival arrival;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_TIMESTAMPNS) {
      timespec time;
      std::memcpy(&time, CMSG_DATA(part), sizeof time);
      arrival.wall_ns = time.tv_sec * 1'000'000'000ll + time.tv_nsec;
    } else if (part->cmsg_type == SO_RXQ_OVFL) {
      std::memcpy(&arrival.overflowed, CMSG_DATA(part), sizeof arrival.overflowed);
    }
  }
  return arrival;
}

class UdpProbe {
 public:
  UdpProbe(const Task& task, Descriptor socket)
      : task_(task),
        socket_(std::move(socket)),
        log_(task.interval_ns()),
        run_(std::random_device()() * 0x1'0000'0000ull + std::random_device()()) {}

  Outcome run();

 private:
  std::int64_t due_ns(std::uint64_t number) const {
    return start_ns_ + static_cast<std::int64_t>(number) * task_.interval_ns();
  }
  bool asking() const { return log_.questions() < task_.questions() && signals() == 0; }
  void send_due();
  void send(std::size_t count, std::int64_t now);
  void receive();
  void take(std::span<const std::byte> bytes, const Arrival& arrival);
  void show_progress();

  const Task& task_;
  Descriptor socket_;
  Log log_;
  std::uint64_t run_;
  std::int64_t start_ns_ = 0;
  std::int64_t wall_offset_ns_ = 0;  // wall_ns() - now_ns(), renewed with each batch
  Batch out_, in_;
  Outcome outcome_;
  Progress progress_;
};

void UdpProbe::send_due() {
  std::size_t count = 0;
  std::int64_t now = now_ns();
  for (std::uint64_t number = log_.questions(); number < task_.questions(); ++number) {
    const std::int64_t late = now - due_ns(number);
    if (late < 0) break;
    if (late > kTooLateNs) {
      if (count > 0) break;  // those before it are sent first
      log_.not_sent();
      continue;
    }
    write({Kind::kQuestion, run_, number, 0, {}}, out_.bytes[count]);
    if (++count < kBatch) continue;
    send(count, now);
    count = 0;
    now = now_ns();
  }
  if (count > 0) send(count, now);
}

void UdpProbe::send(std::size_t count, std::int64_t now) {
  bool tried = false;
  for (std::size_t done = 0; done < count;) {
    const int sent = sendmmsg(socket_.get(), out_.messages.data() + done,
                              static_cast<unsigned>(count - done), MSG_DONTWAIT);
    if (sent > 0) {
      for (int i = 0; i < sent; ++i) log_.sent(now - due_ns(log_.questions()));
      done += static_cast<std::size_t>(sent);
      tried = false;
      continue;
    }
    if (errno == EINTR) continue;
    // Our own queue is full: the network has not seen it. Anything else (no route, nobody answers
    // ARP) is what an outage looks like, unless it was an ICMP error about an earlier one.
    const bool own = errno == EAGAIN || errno == ENOBUFS;
    outcome_.last_error = std::strerror(errno);
    if (!own && !std::exchange(tried, true)) continue;
    own ? log_.not_sent() : log_.sent(now - due_ns(log_.questions()));
    tried = false;
    ++done;
  }
}

void UdpProbe::take(std::span<const std::byte> bytes, const Arrival& arrival) {
  outcome_.overflowed = std::max<std::uint64_t>(outcome_.overflowed, arrival.overflowed);
  const auto answer = read(bytes);
  if (!answer || answer->kind != Kind::kAnswer || answer->run != run_) return;
  if (answer->number >= log_.questions()) return;
  const std::int64_t at = arrival.wall_ns != 0 ? arrival.wall_ns : wall_ns();
  const std::int64_t sent_at =
      due_ns(answer->number) + log_.late_ns(answer->number) + wall_offset_ns_;
  const auto seen_at = static_cast<std::int64_t>(answer->received_at);
  log_.answered(answer->number, at - sent_at, seen_at - sent_at, answer->name);
}

void UdpProbe::receive() {
  wall_offset_ns_ = wall_ns() - now_ns();
  for (;;) {
    in_.want_control();
    const int count = recvmmsg(socket_.get(), in_.messages.data(), kBatch, MSG_DONTWAIT, nullptr);
    // An ICMP error is reported once, in place of a datagram.
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      outcome_.last_error = std::strerror(errno);
      return;
    }
    if (count <= 0) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      take(std::span(in_.bytes[i]).first(in_.messages[i].msg_len),
           arrival_of(in_.messages[i].msg_hdr));
    }
    if (static_cast<std::size_t>(count) < kBatch) return;
  }
}

void UdpProbe::show_progress() {
  if (!progress_.due(now_ns())) return;
  const std::uint64_t asked = log_.questions();
  progress_.show(std::to_string(asked) + " sent, " + std::to_string(asked - log_.answers()) +
                 " without an answer, " + std::to_string(log_.late()) + " late");
}

Outcome UdpProbe::run() {
  start_ns_ = now_ns() + kStartDelayNs;
  outcome_.started_unix_ns = start_ns_ + wall_ns() - now_ns();
  while (asking()) {
    sleep_until(due_ns(log_.questions()));
    send_due();
    receive();
    show_progress();
  }
  const int signals_before = signals();
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(task_.wait_s * 1e9);
  while (log_.answers() < log_.questions() && now_ns() < end && signals() == signals_before) {
    sleep_until(now_ns() + kLookNs);
    receive();
  }
  const Tallies tallies = ask_tallies(task_.servers, run_, outcome_.unasked);
  outcome_.statistics = log_.statistics(tallies);
  return std::move(outcome_);
}

}  // namespace

tl::expected<Outcome, std::string> ask_by_udp(const Task& task) {
  Descriptor fd(socket(task.target.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return tl::unexpected(failure("socket"));
  // The system's limit first, then more where we may.
  for (const int option : {SO_RCVBUF, SO_SNDBUF, SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    set_option(fd.get(), SOL_SOCKET, option, kBufferBytes);
  }
  set_option(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
  set_option(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (connect(fd.get(), task.target.get(), task.target.length) != 0) {
    return tl::unexpected(task.target.text + ": " + std::strerror(errno));
  }
  UdpProbe probe(task, std::move(fd));
  return probe.run();
}

}  // namespace keepline::cli::probe
