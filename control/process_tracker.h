// Watches over the processes that instances track, by looking for them in /proc.
//
// Control thread, but for the looking itself, which a thread of its own does. One look at a time,
// every kPeriod: that is how late a change may be seen, and how exact the delays are.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "control/config/model.h"
#include "control/plan/processes.h"
#include "control/plan/tracking.h"

namespace keepline::control {

class ProcessTracker {
 public:
  static constexpr std::chrono::milliseconds kPeriod{500};

  /// `on_change`: some outcome is another one.
  ProcessTracker(boost::asio::any_io_executor executor, const config::Config& config,
                 std::function<void()> on_change);
  ~ProcessTracker();
  ProcessTracker(const ProcessTracker&) = delete;
  ProcessTracker& operator=(const ProcessTracker&) = delete;

  void start();
  /// After a reload: those that are counted as before keep their outcome and their delays.
  void follow(const config::Config& config);
  void stop();
  const Outcomes& outcomes() const { return outcomes_; }
  ProcessStates states() const;

 private:
  using Counts = std::optional<std::vector<std::uint32_t>>;
  using Processes = std::shared_ptr<const std::vector<config::TrackProcess>>;
  void begin();
  void look();
  void take(const Counts& counts);
  void note(const std::vector<std::uint32_t>& counts);

  boost::asio::any_io_executor executor_;
  std::function<void()> on_change_;
  Processes processes_;
  std::vector<ProcessQuorum> quorums_;  ///< As processes_.
  Outcomes outcomes_;
  boost::asio::steady_timer timer_;
  boost::asio::thread_pool reader_{1};
  bool started_ = false;
  bool is_looking_ = false;  ///< Now, or when the timer ends.
  bool stopped_ = false;
  bool is_blind_ = false;  ///< /proc cannot be read, and that has been said.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keepline::control
