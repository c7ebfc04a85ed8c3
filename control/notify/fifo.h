// A FIFO that tells changes of state, a line each.
//
// Control thread. Made at start with the owner that the configuration names, removed at the end.
// Never waits: a line for which the pipe has no room, because nobody reads, is dropped and counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/config/model.h"

namespace keepline::control {

class Fifo {
 public:
  /// Throws std::runtime_error that says what is wrong.
  explicit Fifo(const config::NotifyFifo& config);
  ~Fifo();
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  const std::string& path() const { return path_; }
  void write(std::string_view line);
  std::uint64_t dropped() const { return dropped_; }

 private:
  void open_for(const config::NotifyFifo& config);
  void remove() const;

  std::string path_;
  int fd_ = -1;
  bool is_made_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace keepline::control
