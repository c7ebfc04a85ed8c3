#include "control/dump/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace keepline::control::dump {

namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string replace_file(const std::string& path, std::string_view text) {
  std::string aside = path + ".XXXXXX";
  // Opens with O_EXCL, which follows no symbolic link.
  const int fd = mkostemp(aside.data(), O_CLOEXEC);
  if (fd < 0) return path + ": " + std::strerror(errno);
  int error = write_all(fd, text) ? 0 : errno;
  if (close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(aside.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return "";
  unlink(aside.c_str());
  return path + ": " + std::strerror(error);
}

}  // namespace keepline::control::dump
