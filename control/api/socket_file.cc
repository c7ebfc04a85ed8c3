// See socket_file.h.
#include "control/api/socket_file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keepline::api {

namespace {

constexpr mode_t kSocketMode = 0600;
constexpr mode_t kDirectoryMode = 0755;

int new_socket() {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

enum class Holder : std::uint8_t { kNobody, kDaemon, kOtherFile, kUnknown };

// Who has this name now? A live listener accepts or, with a full backlog, says EAGAIN.
Holder holder_of(const std::string& path, const sockaddr_un& address) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? Holder::kNobody : Holder::kUnknown;
  }
  if (!S_ISSOCK(info.st_mode)) return Holder::kOtherFile;
  const int probe = new_socket();
  if (probe < 0) return Holder::kUnknown;
  const int result = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  close(probe);
  if (result == 0 || error == EAGAIN) return Holder::kDaemon;
  return error == ECONNREFUSED || error == ENOENT ? Holder::kNobody : Holder::kUnknown;
}

SocketFile failure(int fd) {
  const SocketFile result{ListenResult::kFailed, -1, errno};
  if (fd >= 0) close(fd);
  return result;
}

}  // namespace

SocketFile open_socket_file(const std::string& path, int backlog) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return {ListenResult::kPathTooLong, -1, 0};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());

  const auto slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    const std::string directory = path.substr(0, slash);
    if (mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return failure(-1);
  }
  switch (holder_of(path, address)) {
    case Holder::kDaemon:
      return {ListenResult::kInUse, -1, 0};
    case Holder::kOtherFile:
      return {ListenResult::kNotASocket, -1, 0};
    case Holder::kUnknown:
      return failure(-1);
    case Holder::kNobody:
      break;
  }
  unlink(path.c_str());

  const int fd = new_socket();
  if (fd < 0) return failure(fd);
  // The mode of an unbound unix socket is the mode its file is created with (Linux): there is no
  // moment in which others could connect, and the umask of other threads is left alone.
  if (fchmod(fd, kSocketMode) != 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, backlog) != 0) {
    return failure(fd);
  }
  return {ListenResult::kOk, fd, 0};
}

void remove_socket_file(const std::string& path) {
  unlink(path.c_str());
}

}  // namespace keepline::api
