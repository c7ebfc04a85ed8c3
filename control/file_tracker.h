// The numbers in tracked files, as somebody else writes them.
//
// Control thread, but for the reading itself, which a thread of its own does: a file may be on a
// disk that hangs. The files' folders are watched by inotify, so that a file may be replaced, or
// come and go. Bound: kMaxBytes of each file are looked at; one reading at a time, further changes
// are one more.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "control/plan/tracking.h"

namespace keepline::control {

class FileTracker {
 public:
  static constexpr std::size_t kMaxBytes = 128;

  /// `on_change`: some number is another one.
  FileTracker(boost::asio::any_io_executor executor, const config::Config& config,
              std::function<void()> on_change);
  ~FileTracker();
  FileTracker(const FileTracker&) = delete;
  FileTracker& operator=(const FileTracker&) = delete;

  void start();
  /// After a reload. What was known of a file holds until it is read again.
  void follow(const config::Config& config);
  void stop();
  const FileValues& values() const { return values_; }

 private:
  struct Named {
    std::string name;
    std::string path;
  };
  void watch();
  void read();
  void take(FileValues values);

  boost::asio::any_io_executor executor_;
  std::function<void()> on_change_;
  std::shared_ptr<const std::vector<Named>> files_;
  boost::asio::posix::stream_descriptor changes_;
  boost::asio::thread_pool reader_{1};
  FileValues values_;
  bool started_ = false;
  bool is_reading_ = false;
  bool is_stale_ = false;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keepline::control
