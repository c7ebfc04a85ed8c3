// The far end of the probe: answers each datagram from the address that was asked, remembers which
// numbers of each run have come, and answers a line over TCP with its name.
//
// One loop over poll(). Bounds: kMaxRuns runs are remembered, kMaxOpen connections open; the oldest
// one goes.
#include <netinet/in.h>
#include <poll.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <utility>

#include "control/cli/probe/probe.h"
#include "control/cli/probe/wire.h"

namespace keepline::cli::probe {

namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kMaxRuns = 16;
constexpr int kBufferBytes = 8 << 20;
constexpr int kBacklog = 1024;
constexpr std::size_t kControlBytes = 128;

struct Run {
  std::uint64_t id = 0;
  Seen seen;
};

// What a datagram came with: whose it is, and the address that it was sent to, which its answer
// leaves from.
struct Envelope {
  sockaddr_storage peer;
  iovec vector;
  std::array<std::byte, kMaxTallyBytes> bytes;
  alignas(cmsghdr) std::array<char, kControlBytes> control;
};

Descriptor make_socket(int family, int type, std::uint16_t port) {
  Descriptor fd(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return fd;
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  sockaddr_storage address{};
  socklen_t length = sizeof(sockaddr_in);
  if (family == AF_INET6) {
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
    v6->sin6_port = htons(port);
    length = sizeof *v6;
  } else {
    reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(port);
  }
  address.ss_family = static_cast<sa_family_t>(family);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) return Descriptor();
  if (type == SOCK_STREAM && listen(fd.get(), kBacklog) != 0) return Descriptor();
  if (type == SOCK_DGRAM) {
    for (const int option : {SO_RCVBUF, SO_SNDBUF, SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
      set_option(fd.get(), SOL_SOCKET, option, kBufferBytes);
    }
    if (family == AF_INET) set_option(fd.get(), IPPROTO_IP, IP_PKTINFO, 1);
    if (family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
  return fd;
}

// An answer leaves from the address that was asked, by whatever device leads to the asker.
void turn_round(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      auto* asked = reinterpret_cast<in_pktinfo*>(CMSG_DATA(part));
      asked->ipi_spec_dst = asked->ipi_addr;
      asked->ipi_ifindex = 0;
    } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      auto* asked = reinterpret_cast<in6_pktinfo*>(CMSG_DATA(part));
      // Only a link-local address needs to know its link.
      if (!IN6_IS_ADDR_LINKLOCAL(&asked->ipi6_addr)) asked->ipi6_ifindex = 0;
    }
  }
}

class Echo {
 public:
  explicit Echo(std::string name) : name_(std::move(name)) {
    for (std::size_t i = 0; i < kBatch; ++i) messages_[i].msg_hdr.msg_iov = &envelopes_[i].vector;
  }

  tl::expected<void, std::string> open(std::uint16_t port);
  tl::expected<void, std::string> serve();

 private:
  Run& run_of(std::uint64_t id);
  bool answer(int fd, Envelope& envelope, mmsghdr& message);
  void datagrams(int fd);
  void accept_all(int listener);
  bool line(int fd);

  std::string name_;
  std::array<Descriptor, 2> udp_, tcp_;
  std::array<Envelope, kBatch> envelopes_;
  std::array<mmsghdr, kBatch> messages_{};
  std::deque<Run> runs_;
  std::deque<Descriptor> open_;
  std::vector<pollfd> polled_;
};

tl::expected<void, std::string> Echo::open(std::uint16_t port) {
  udp_[0] = make_socket(AF_INET, SOCK_DGRAM, port);
  tcp_[0] = udp_[0].valid() ? make_socket(AF_INET, SOCK_STREAM, port) : Descriptor();
  if (!tcp_[0].valid()) return tl::unexpected(failure("socket"));
  // A machine without IPv6 serves IPv4 alone.
  udp_[1] = make_socket(AF_INET6, SOCK_DGRAM, port);
  tcp_[1] = make_socket(AF_INET6, SOCK_STREAM, port);
  return {};
}

Run& Echo::run_of(std::uint64_t id) {
  for (Run& run : runs_) {
    if (run.id == id) return run;
  }
  if (runs_.size() == kMaxRuns) runs_.pop_back();
  runs_.push_front({id, {}});
  return runs_.front();
}

// Makes the answer in place; is there one?
bool Echo::answer(int fd, Envelope& envelope, mmsghdr& message) {
  const auto question = read(std::span(envelope.bytes).first(message.msg_len));
  if (!question) return false;
  if (question->kind == Kind::kTallyQuestion && message.msg_len < kMaxTallyBytes) return false;
  if (question->kind == Kind::kTallyQuestion) {
    Datagram head{Kind::kTally, question->run, question->number, 0, name_};
    std::vector<std::byte> tally = write_tally(head, run_of(question->run).seen.ranges());
    iovec whole{tally.data(), tally.size()};
    msghdr alone = message.msg_hdr;
    alone.msg_iov = &whole;
    turn_round(alone);
    sendmsg(fd, &alone, MSG_DONTWAIT);
    return false;
  }
  if (question->kind != Kind::kQuestion) return false;
  run_of(question->run).seen.add(question->number);
  write({Kind::kAnswer, question->run, question->number, static_cast<std::uint64_t>(wall_ns()),
         name_},
        std::span(envelope.bytes).first<kDatagramBytes>());
  envelope.vector.iov_len = kDatagramBytes;
  turn_round(message.msg_hdr);
  return true;
}

void Echo::datagrams(int fd) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    envelopes_[i].vector = {envelopes_[i].bytes.data(), kMaxTallyBytes};
    messages_[i].msg_hdr = {&envelopes_[i].peer,
                            sizeof envelopes_[i].peer,
                            &envelopes_[i].vector,
                            1,
                            envelopes_[i].control.data(),
                            kControlBytes,
                            0};
  }
  const int count = recvmmsg(fd, messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
  std::size_t answers = 0;
  for (int i = 0; i < count; ++i) {
    auto& message = messages_[static_cast<std::size_t>(i)];
    if (!answer(fd, envelopes_[static_cast<std::size_t>(i)], message)) continue;
    std::swap(messages_[answers++], message);
  }
  for (std::size_t done = 0; done < answers;) {
    const int sent =
        sendmmsg(fd, messages_.data() + done, static_cast<unsigned>(answers - done), MSG_DONTWAIT);
    // One that cannot be sent (the VIP has just gone from here) must not hold up the others.
    done += sent > 0 ? static_cast<std::size_t>(sent) : 1;
  }
}

void Echo::accept_all(int listener) {
  for (;;) {
    Descriptor fd(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    if (open_.size() == kMaxOpen) open_.pop_front();
    open_.push_back(std::move(fd));
  }
}

// Answers what a connection has said; is it to be closed?
bool Echo::line(int fd) {
  std::array<char, 512> said;
  const ssize_t got = recv(fd, said.data(), said.size(), 0);
  if (got < 0 && errno == EAGAIN) return false;
  if (got <= 0) return true;
  const std::string text = name_ + "\n";
  send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  return true;
}

tl::expected<void, std::string> Echo::serve() {
  while (signals() == 0) {
    polled_.clear();
    for (const auto& sockets : {&udp_, &tcp_}) {
      for (const Descriptor& each : *sockets) polled_.push_back({each.get(), POLLIN, 0});
    }
    const std::size_t fixed = polled_.size();
    for (const Descriptor& each : open_) polled_.push_back({each.get(), POLLIN, 0});
    if (poll(polled_.data(), polled_.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return tl::unexpected(failure("poll"));
    }
    for (std::size_t i = polled_.size(); i-- > fixed;) {
      if (polled_[i].revents == 0 || !line(polled_[i].fd)) continue;
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i - fixed));
    }
    for (std::size_t i = 0; i < fixed; ++i) {
      if (polled_[i].revents == 0) continue;
      i < udp_.size() ? datagrams(polled_[i].fd) : accept_all(polled_[i].fd);
    }
  }
  return {};
}

}  // namespace

tl::expected<void, std::string> echo(std::uint16_t port, const std::string& name) {
  const auto served = std::make_unique<Echo>(name);
  if (auto opened = served->open(port); !opened) return opened;
  std::cerr << "answering on port " << port << " as " << name << std::endl;
  return served->serve();
}

}  // namespace keepline::cli::probe
