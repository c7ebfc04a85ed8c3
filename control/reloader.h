// Reads the configuration anew beside the one that runs, in a thread of its own.
//
// Control thread; one reading at a time. Nothing that runs is touched: what came of it is handed to
// the control thread, which may throw it away.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/config/diagnostic.h"
#include "control/options.h"
#include "control/running.h"

namespace keepline::control {

class Reloader {
 public:
  struct Loaded {
    Running wanted;
    config::Diagnostics diagnostics;    ///< Says whether it may run.
    std::vector<std::string> messages;  ///< The same, a line each.
  };

  explicit Reloader(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  ~Reloader() { reader_.join(); }
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// `then` is called on the executor.
  void load(const Options& options, const Running& running, std::shared_ptr<const KernelView> view,
            std::function<void(std::shared_ptr<Loaded>)> then);
  /// Frees what may be large where that holds nobody up.
  void discard(std::shared_ptr<void> old);

 private:
  boost::asio::any_io_executor executor_;
  boost::asio::thread_pool reader_{1};
};

}  // namespace keepline::control
