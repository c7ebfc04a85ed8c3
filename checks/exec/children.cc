#include "checks/exec/children.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstring>
#include <set>
#include <string_view>

namespace keepline::checks {

namespace asio = boost::asio;

namespace {

// Another user's: setpriv, a part of every Debian, changes identity and executes.
std::vector<std::string> command_line(const Program& program) {
  std::vector<std::string> words;
  if (!program.user.empty()) {
    words = {"setpriv", "--reuid=" + program.user, "--clear-groups"};
    words.push_back("--regid=" + (program.group.empty() ? program.user : program.group));
    words.emplace_back("--");
  }
  words.insert(words.end(), program.arguments.begin(), program.arguments.end());
  return words;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

// The daemon's, but for what would change how the child runs.
std::vector<std::string> environment() {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("LD_PRELOAD=") && !text.starts_with("IFS=")) result.emplace_back(text);
  }
  return result;
}

// Owns the two objects of posix_spawn.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, 0, 1);
    posix_spawn_file_actions_adddup2(&files, 0, 2);
    // DPDK's descriptors are not close-on-exec: a script that held a socket of AF_XDP would keep
    // the ports of a dead daemon alive.
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

Ending ending_of(int status) {
  if (WIFSIGNALED(status)) return {Ending::How::kKilled, WTERMSIG(status), {}};
  return {Ending::How::kExited, WEXITSTATUS(status), {}};
}

}  // namespace

std::string to_string(const Ending& ending) {
  switch (ending.how) {
    case Ending::How::kExited:
      return "exit code " + std::to_string(ending.code);
    case Ending::How::kKilled:
      return "killed by signal " + std::to_string(ending.code);
    case Ending::How::kTimedOut:
      return "timed out";
    case Ending::How::kNotStarted:
      break;
  }
  return "not started: " + ending.reason;
}

struct Children::Core {
  asio::any_io_executor executor;
  std::set<std::shared_ptr<Child>> alive;  // never looked through in order
};

class Children::Child : public std::enable_shared_from_this<Child> {
 public:
  Child(const std::shared_ptr<Core>& core, pid_t pid, int pidfd, Done done)
      : core_(core),
        pid_(pid),
        done_(std::move(done)),
        end_(core->executor, pidfd),
        timer_(core->executor) {}

  void watch(Limit limit) {
    end_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [self = shared_from_this()](const boost::system::error_code& error) {
                      if (!error) self->finish();
                    });
    if (limit) arm(*limit, SIGTERM);
  }
  void terminate() const { kill(-pid_, SIGTERM); }
  void forget() {
    done_ = nullptr;
    timer_.cancel();
    end_.close();
  }

 private:
  void arm(std::chrono::microseconds after, int signal) {
    timer_.expires_after(after);
    timer_.async_wait([self = shared_from_this(), signal](const boost::system::error_code& error) {
      if (error || self->ended_) return;
      self->timed_out_ = true;
      kill(-self->pid_, signal);
      if (signal == SIGTERM) self->arm(kGrace, SIGKILL);
    });
  }
  void finish() {
    ended_ = true;
    timer_.cancel();
    // What it has started may not listen to SIGTERM. Its own number is taken until it is reaped.
    if (timed_out_) kill(-pid_, SIGKILL);
    int status = 0;
    Ending ending{Ending::How::kNotStarted, 0, "somebody else has waited for it"};
    if (waitpid(pid_, &status, 0) == pid_) ending = ending_of(status);
    if (timed_out_) ending = {Ending::How::kTimedOut, 0, {}};
    if (const auto core = core_.lock()) core->alive.erase(shared_from_this());
    if (const Done done = std::exchange(done_, nullptr)) done(ending);
  }

  std::weak_ptr<Core> core_;
  pid_t pid_;
  Done done_;
  asio::posix::stream_descriptor end_;
  asio::steady_timer timer_;
  bool timed_out_ = false;
  bool ended_ = false;
};

Children::Children(asio::any_io_executor executor) : core_(std::make_shared<Core>()) {
  core_->executor = std::move(executor);
}

Children::~Children() {
  for (const auto& child : core_->alive) child->forget();
}

asio::any_io_executor Children::executor() const {
  return core_->executor;
}

void Children::terminate() {
  for (const auto& child : core_->alive) child->terminate();
}

std::size_t Children::running() const {
  return core_->alive.size();
}

void Children::run(const Program& program, Limit limit, Done done) {
  const auto refuse = [&](const std::string& reason) {
    asio::post(core_->executor, [done = std::move(done), reason] {
      if (done) done({Ending::How::kNotStarted, 0, reason});
    });
  };
  if (program.arguments.empty()) return refuse("no command");
  if (core_->alive.size() >= kMaxChildren) return refuse("too many programs are running");
  std::vector<std::string> words = command_line(program);
  std::vector<std::string> settings = environment();
  const SpawnSettings spawn;
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, words.front().c_str(), &spawn.files, &spawn.attributes,
                                 pointers(words).data(), pointers(settings).data());
  if (error != 0) return refuse(std::strerror(error));
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const std::string reason = std::strerror(errno);
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return refuse("pidfd_open: " + reason);
  }
  auto child = std::make_shared<Child>(core_, pid, pidfd, std::move(done));
  core_->alive.insert(child);
  child->watch(limit);
}

}  // namespace keepline::checks
