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

void give_to(const std::string& path, const std::string& user, const std::string& group) {
  if (user.empty() && group.empty()) return;
  const passwd* owner = user.empty() ? nullptr : getpwnam(user.c_str());
  const ::group* members = group.empty() ? nullptr : getgrnam(group.c_str());
  if (!user.empty() && owner == nullptr) fail(path, "no user " + user);
  if (!group.empty() && members == nullptr) fail(path, "no group " + group);
  const uid_t uid = owner == nullptr ? static_cast<uid_t>(-1) : owner->pw_uid;
  const gid_t of_user = owner == nullptr ? static_cast<gid_t>(-1) : owner->pw_gid;
  const gid_t gid = members == nullptr ? of_user : members->gr_gid;
  if (chown(path.c_str(), uid, gid) != 0) fail(path, std::strerror(errno));
}

}  // namespace

Fifo::Fifo(const config::NotifyFifo& config) : path_(config.path) {
  is_made_ = mkfifo(path_.c_str(), kMode) == 0;
  if (!is_made_ && errno != EEXIST) fail(path_, std::strerror(errno));
  give_to(path_, config.user, config.group);
  // For reading, too: so it opens although nobody reads yet, and a reader may come and go.
  fd_ = open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd_ < 0) fail(path_, std::strerror(errno));
  struct stat status {};
  if (fstat(fd_, &status) == 0 && S_ISFIFO(status.st_mode)) return;
  close(fd_);
  fail(path_, "is there already, and is no FIFO");
}

Fifo::~Fifo() {
  close(fd_);
  if (is_made_) unlink(path_.c_str());
}

void Fifo::write(std::string_view line) {
  if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ++dropped_;
}

}  // namespace keepline::control
