#include "control/notify/fifo.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace keepline::control {

namespace {

constexpr mode_t kMode = 0644;

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw std::runtime_error("notify_fifo " + path + ": " + reason);
}

void give_to(int fd, const config::NotifyFifo& config) {
  if (config.user.empty() && config.group.empty()) return;
  const passwd* owner = config.user.empty() ? nullptr : getpwnam(config.user.c_str());
  const ::group* members = config.group.empty() ? nullptr : getgrnam(config.group.c_str());
  if (!config.user.empty() && owner == nullptr) fail(config.path, "no user " + config.user);
  if (!config.group.empty() && members == nullptr) fail(config.path, "no group " + config.group);
  const uid_t uid = owner == nullptr ? static_cast<uid_t>(-1) : owner->pw_uid;
  const gid_t of_user = owner == nullptr ? static_cast<gid_t>(-1) : owner->pw_gid;
  const gid_t gid = members == nullptr ? of_user : members->gr_gid;
  if (fchown(fd, uid, gid) != 0) fail(config.path, std::strerror(errno));
}

}  // namespace

Fifo::Fifo(const config::NotifyFifo& config) : path_(config.path) {
  is_made_ = mkfifo(path_.c_str(), kMode) == 0;
  if (!is_made_ && errno != EEXIST) fail(path_, std::strerror(errno));
  try {
    open_for(config);
  } catch (...) {
    remove();
    throw;
  }
}

// For reading, too: so it opens although nobody reads yet, and a reader may come and go. What
// somebody else has put there, a link above all, is not touched.
void Fifo::open_for(const config::NotifyFifo& config) {
  fd_ = open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (fd_ < 0) fail(path_, std::strerror(errno));
  struct stat status {};
  if (fstat(fd_, &status) != 0 || !S_ISFIFO(status.st_mode)) {
    fail(path_, "is there already, and is no FIFO");
  }
  give_to(fd_, config);
}

void Fifo::remove() const {
  if (fd_ >= 0) close(fd_);
  if (is_made_) unlink(path_.c_str());
}

Fifo::~Fifo() {
  remove();
}

void Fifo::write(std::string_view line) {
  if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ++dropped_;
}

}  // namespace keepline::control
