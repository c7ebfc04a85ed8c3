#include "control/process_tracker.h"

#include <algorithm>
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
  follow(config);
}

ProcessTracker::~ProcessTracker() {
  *alive_ = false;
  reader_.join();
}

void ProcessTracker::start() {
  started_ = true;
  begin();
}

void ProcessTracker::follow(const config::Config& config) {
  const std::vector<ProcessQuorum> before = std::exchange(quorums_, {});
  std::vector<config::TrackProcess> processes;
  outcomes_.clear();
  for (const config::TrackProcess& process : config.track_processes) {
    if (!is_tracked(config, &config::VrrpInstance::track_process, process.name)) continue;
    processes.push_back(process);
    const auto same = std::ranges::find_if(before, [&process](const ProcessQuorum& each) {
      return are_alike(each.config(), process);
    });
    quorums_.push_back(same == before.end() ? ProcessQuorum(process) : *same);
    outcomes_[process.name] = quorums_.back().outcome();
  }
  processes_ = std::make_shared<const std::vector<config::TrackProcess>>(std::move(processes));
  if (started_) begin();
}

void ProcessTracker::stop() {
  stopped_ = true;
  timer_.cancel();
}

ProcessStates ProcessTracker::states() const {
  ProcessStates states;
  for (const ProcessQuorum& quorum : quorums_) {
    states[quorum.config().name] = {quorum.outcome(), quorum.count(), quorum.wait()};
  }
  return states;
}

void ProcessTracker::begin() {
  if (processes_->empty() || std::exchange(is_looking_, true)) return;
  look();
}

void ProcessTracker::look() {
  asio::post(reader_, [this, processes = processes_, alive = alive_, executor = executor_] {
    Counts counts = count_processes(*processes);
    asio::post(executor, [this, alive, processes, counts = std::move(counts)] {
      if (!*alive || stopped_) return;
      timer_.expires_after(processes == processes_ ? kPeriod : std::chrono::milliseconds(0));
      timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || stopped_) return;
        is_looking_ = false;
        begin();
      });
      if (processes == processes_) take(counts);  // else a reload came: they are of others
    });
  });
}

void ProcessTracker::take(const Counts& counts) {
  const bool was_blind = std::exchange(is_blind_, !counts);
  if (is_blind_ && !was_blind) log::error("/proc cannot be read: track_process stays as it is");
  if (was_blind && !is_blind_) log::info("/proc can be read again");
  if (counts) note(*counts);
}

void ProcessTracker::note(const std::vector<std::uint32_t>& counts) {
  bool is_change = false;
  for (std::size_t i = 0; i < quorums_.size(); ++i) {
    if (!quorums_[i].note(counts[i], now_us())) continue;
    is_change = true;
    const std::string& name = quorums_[i].config().name;
    outcomes_[name] = quorums_[i].outcome();
    log::info("process {}: {} running: {}", name, counts[i],
              quorums_[i].outcome() == vrrp::Outcome::kGood ? "enough" : "not as many as wanted");
  }
  if (is_change) on_change_();
}

}  // namespace keepline::control
