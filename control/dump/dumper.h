// Answers keepalived's dump signals: SIGUSR1, SIGUSR2, SIGRTMIN+2 and SIGRTMAX-1.
//
// Control thread; formatting and writing happens in a thread of its own, as a disk may hang. One
// dump at a time: what is asked for meanwhile is one more afterwards. Exporters send a signal, wait
// for 10 ms or more and read, so a dump is begun at once.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>

#include "control/dump/collect.h"
#include "control/dump/counters.h"
#include "control/dump/paths.h"

namespace keepline::control::dump {

class Dumper {
 public:
  /// Signals are taken from now on.
  Dumper(boost::asio::any_io_executor executor, Sources from);
  /// Finishes what is being written; the signals are ignored again.
  ~Dumper();
  Dumper(const Dumper&) = delete;
  Dumper& operator=(const Dumper&) = delete;

 private:
  /// What is asked for, by signal.
  struct Wanted {
    bool data = false;
    bool stats = false;
    bool json = false;
    bool clear = false;
    bool any() const { return data || stats || json || clear; }
  };
  void wait();
  void note(int signal);
  void begin();

  boost::asio::any_io_executor executor_;
  boost::asio::signal_set signals_;
  Sources from_;
  std::string folder_;
  Counters counters_;
  Wanted wanted_;
  bool is_writing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  boost::asio::thread_pool writer_{1};
};

}  // namespace keepline::control::dump
