#include "control/process_tracker.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "control/clock.h"
#include "control/log.h"
#include "control/process_list.h"

namespace keepline::control {

namespace asio = boost::asio;

ProcessTracker::ProcessTracker(asio::any_io_executor executor, const config::Config& config,
                               std::function<void()> on_change)
    : executor_(executor), on_change_(std::move(on_change)), timer_(executor) {
  std::vector<config::TrackProcess> processes;
  for (const config::TrackProcess& process : config.track_processes) {
    if (is_tracked(config, &config::VrrpInstance::track_process, process.name)) {
      processes.push_back(process);
    }
  }
  processes_ = std::make_shared<const std::vector<config::TrackProcess>>(std::move(processes));
  for (const config::TrackProcess& process : *processes_) quorums_.emplace_back(process);
}

ProcessTracker::~ProcessTracker() {
  *alive_ = false;
  reader_.join();
}

void ProcessTracker::start() {
  if (!processes_->empty()) look();
}

void ProcessTracker::stop() {
  stopped_ = true;
  timer_.cancel();
}

ProcessStates ProcessTracker::states() const {
  ProcessStates states;
  for (std::size_t i = 0; i < quorums_.size(); ++i) {
    const ProcessQuorum& quorum = quorums_[i];
    states[(*processes_)[i].name] = {quorum.outcome(), quorum.count(), quorum.wait()};
  }
  return states;
}

void ProcessTracker::look() {
  asio::post(reader_, [this, processes = processes_, alive = alive_, executor = executor_] {
    Counts counts = count_processes(*processes);
    asio::post(executor, [this, alive, counts = std::move(counts)] {
      if (*alive && !stopped_) take(counts);
    });
  });
}

void ProcessTracker::take(const Counts& counts) {
  timer_.expires_after(kPeriod);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) look();
  });
  const bool was_blind = std::exchange(is_blind_, !counts);
  if (is_blind_ && !was_blind) log::error("/proc cannot be read: track_process stays as it is");
  if (was_blind && !is_blind_) log::info("/proc can be read again");
  bool is_change = false;
  for (std::size_t i = 0; counts && i < quorums_.size(); ++i) {
    if (!quorums_[i].note((*counts)[i], now_us())) continue;
    is_change = true;
    const std::string& name = (*processes_)[i].name;
    outcomes_[name] = quorums_[i].outcome();
    log::info("process {}: {} running: {}", name, (*counts)[i],
              quorums_[i].outcome() == vrrp::Outcome::kGood ? "enough" : "not as many as wanted");
  }
  if (is_change) on_change_();
}

}  // namespace keepline::control
