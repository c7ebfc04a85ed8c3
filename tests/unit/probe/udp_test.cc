// Probe and far end over the loopback device, the far end in a process of its own.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include "control/cli/probe/probe.h"

namespace keepline::cli::probe {
namespace {

// Of this run alone, and below those that the system gives away.
const auto kPort = static_cast<std::uint16_t>(20'000 + getpid() % 5'000);
const auto kNobodysPort = static_cast<std::uint16_t>(kPort + 5'000);

// An echo in a child process: it ends by a signal, as it does for its users.
class EchoProcess {
 public:
  EchoProcess() {
    pid_ = fork();
    if (pid_ != 0) return;
    catch_signals();
    _exit(echo(kPort, "far") ? 0 : 1);
  }
  ~EchoProcess() {
    if (pid_ > 0) kill(pid_, SIGKILL);
  }
  int stop() {
    kill(pid_, SIGTERM);
    int status = -1;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

Task task_for(const std::string& target) {
  Task task;
  task.target = parse_endpoint(target).value();
  task.rate = 1000;
  task.seconds = 0.3;
  task.wait_s = 0.5;
  return task;
}

bool wait_echo(const Task& task) {
  Task one = task;
  one.seconds = 0.001;
  for (int tries = 0; tries < 100; ++tries) {
    if (ask_by_tcp(one)->statistics.answered == 1) return true;
    sleep_until(now_ns() + 20'000'000);
  }
  return false;
}

TEST(Probe, CountsWhatTheFarEndAnswers) {
  EchoProcess far;
  for (const std::string address : {"127.0.0.1", "[::1]"}) {
    Task task = task_for(address + ":" + std::to_string(kPort));
    task.servers.push_back(task.target);
    ASSERT_TRUE(wait_echo(task)) << address;
    const auto udp = ask_by_udp(task);
    ASSERT_TRUE(udp) << udp.error();
    EXPECT_EQ(udp->statistics.sent + udp->statistics.not_sent, 300u);
    EXPECT_EQ(udp->statistics.answered, udp->statistics.sent);
    EXPECT_EQ(udp->statistics.servers.at("far"), udp->statistics.answered);
    EXPECT_EQ(udp->unasked, 0u);
    const auto tcp = ask_by_tcp(task);
    ASSERT_TRUE(tcp) << tcp.error();
    EXPECT_EQ(tcp->statistics.answered, tcp->statistics.sent);
    EXPECT_EQ(tcp->statistics.servers.at("far"), tcp->statistics.answered);
  }
  EXPECT_EQ(far.stop(), 0);
}

TEST(Probe, NobodyThere) {
  Task task = task_for("127.0.0.1:" + std::to_string(kNobodysPort));
  task.servers.push_back(task.target);
  const auto udp = ask_by_udp(task);
  ASSERT_TRUE(udp) << udp.error();
  EXPECT_EQ(udp->statistics.lost.unknown, udp->statistics.sent);
  EXPECT_EQ(udp->unasked, 1u);
  EXPECT_EQ(udp->last_error, "Connection refused");
  const auto tcp = ask_by_tcp(task);
  ASSERT_TRUE(tcp) << tcp.error();
  EXPECT_EQ(tcp->statistics.refused, tcp->statistics.sent);
  EXPECT_GT(tcp->statistics.sent, 0u);
}

}  // namespace
}  // namespace keepline::cli::probe
