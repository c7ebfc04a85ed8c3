#include "control/file_tracker.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "control/log.h"

namespace keepline::control {

namespace asio = boost::asio;

namespace {

constexpr std::uint32_t kChanges =
    IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

// Decimal, 0x or 0; what is missing, empty or no number is 0.
std::int64_t read_number(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return 0;
  std::array<char, FileTracker::kMaxBytes + 1> text{};
  const ssize_t length = read(fd, text.data(), FileTracker::kMaxBytes);
  close(fd);
  return length > 0 ? std::strtoll(text.data(), nullptr, 0) : 0;
}

void make(const config::TrackFile& file) {
  if (!file.init) return;
  const int mode = file.is_overwritten ? O_TRUNC : O_EXCL;
  const int fd = open(file.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0644);
  if (fd < 0) {
    if (errno != EEXIST) log::error("track_file {}: {}", file.path, std::strerror(errno));
    return;
  }
  const std::string text = std::to_string(*file.init) + '\n';
  if (write(fd, text.data(), text.size()) < 0) {
    log::error("track_file {}: {}", file.path, std::strerror(errno));
  }
  close(fd);
}

}  // namespace

FileTracker::FileTracker(asio::any_io_executor executor, const config::Config& config,
                         std::function<void()> on_change)
    : executor_(executor), on_change_(std::move(on_change)), changes_(executor) {
  follow(config);
}

void FileTracker::follow(const config::Config& config) {
  changes_.close();
  std::vector<Named> files;
  std::set<std::string> folders;
  for (const config::TrackFile& file : config.track_files) {
    if (!is_tracked(config, &config::VrrpInstance::track_file, file.name)) continue;
    make(file);
    files.push_back({file.name, file.path});
    const auto folder = std::filesystem::path(file.path).parent_path();
    folders.insert(folder.empty() ? "." : folder.string());
  }
  files_ = std::make_shared<const std::vector<Named>>(std::move(files));
  std::erase_if(values_, [this](const auto& each) {
    return std::ranges::find(*files_, each.first, &Named::name) == files_->end();
  });
  if (files_->empty()) return;
  changes_.assign(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  for (const std::string& folder : folders) {
    if (inotify_add_watch(changes_.native_handle(), folder.c_str(), kChanges) < 0) {
      log::error("track_file in {}: {}: changes will not be seen", folder, std::strerror(errno));
    }
  }
  if (started_) start();
}

FileTracker::~FileTracker() {
  *alive_ = false;
  reader_.join();
}

void FileTracker::start() {
  started_ = true;
  if (files_->empty()) return;
  read();
  watch();
}

void FileTracker::stop() {
  stopped_ = true;
  changes_.close();
}

void FileTracker::watch() {
  changes_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) {
                        if (error || stopped_) return;
                        // Which file it was does not matter: there are few.
                        std::array<char, 4096> events;
                        while (::read(changes_.native_handle(), events.data(), events.size()) > 0) {
                        }
                        read();
                        watch();
                      });
}

void FileTracker::read() {
  is_stale_ = is_reading_;
  if (is_reading_) return;
  is_reading_ = true;
  asio::post(reader_, [this, files = files_, alive = alive_, executor = executor_] {
    FileValues values;
    for (const Named& file : *files) values[file.name] = read_number(file.path);
    asio::post(executor, [this, alive, values = std::move(values)] {
      if (*alive) take(values);
    });
  });
}

void FileTracker::take(FileValues values) {
  is_reading_ = false;
  if (stopped_) return;
  if (std::exchange(is_stale_, false)) return read();  // perhaps of other files
  if (values == values_) return;
  for (const auto& [name, value] : values) {
    const auto before = values_.find(name);
    if (before == values_.end() || before->second != value) log::info("file {}: {}", name, value);
  }
  values_ = std::move(values);
  on_change_();
}

}  // namespace keepline::control
