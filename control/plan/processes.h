// Tracked processes: which ones count, and whether they are enough.
//
// PURE; time is an argument. keepalived's words: quorum and quorum_max bound the number, fork_delay
// and terminate_delay put off what a new process or the end of one would change.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/config/model.h"
#include "vrrp/script_status.h"

namespace keepline::control {

/// A process as the kernel tells of it; one that has ended and waits for its parent is none.
struct ProcessInfo {
  static constexpr std::size_t kMaxName = 15;  ///< Bytes that the kernel keeps (TASK_COMM_LEN).
  std::string name;
  std::vector<std::string> arguments;  ///< From argv[0] on; empty: a thread of the kernel.
};

/// Whether they are counted alike: weights are what instances make of the outcome.
bool are_alike(const config::TrackProcess& a, config::TrackProcess b);

bool matches(const config::TrackProcess& wanted, const ProcessInfo& process);

/// Whether the processes of one kind are as many as they have to be.
class ProcessQuorum {
 public:
  explicit ProcessQuorum(config::TrackProcess config) : config_(std::move(config)) {}

  /// So many were counted at `now_us` (monotonic). Whether the outcome is another one now: the
  /// first count decides at once, later ones after their delay unless they turn back before.
  bool note(std::uint32_t count, std::int64_t now_us);

  const config::TrackProcess& config() const { return config_; }
  vrrp::Outcome outcome() const { return outcome_; }
  std::uint32_t count() const { return count_; }
  enum class Wait : std::uint8_t { kNone, kFork, kTermination };
  /// Whose delay is running.
  Wait wait() const { return wait_; }

 private:
  bool is_enough() const {
    return count_ >= config_.quorum && (!config_.quorum_max || count_ <= *config_.quorum_max);
  }

  config::TrackProcess config_;
  vrrp::Outcome outcome_ = vrrp::Outcome::kUnknown;
  std::uint32_t count_ = 0;
  Wait wait_ = Wait::kNone;
  std::int64_t due_us_ = 0;  ///< While it waits.
};

/// For dumps.
struct ProcessStatus {
  vrrp::Outcome outcome = vrrp::Outcome::kUnknown;
  std::uint32_t count = 0;
  ProcessQuorum::Wait wait = ProcessQuorum::Wait::kNone;
};

/// By the name of the vrrp_track_process.
using ProcessStates = std::map<std::string, ProcessStatus>;

}  // namespace keepline::control
