// The runner: one coroutine per distinct check, shared by every service that asks for the same one.
//
// Owns the checks and their damping state. Every member is called from, and every callback is made
// on, the one thread that runs the executor (control). Bounds: kMaxChecks distinct checks, at most
// RunnerLimits::concurrent_probes probes (= sockets) at a time; a probe that finds no free slot
// waits for one and is late, never lost.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "checks/damping.h"
#include "checks/outcome.h"
#include "checks/spec.h"

namespace keepline::checks {

inline constexpr std::size_t kMaxChecks = 65536;

/// One subscription to a check; never reused within a process.
enum class CheckId : std::uint64_t {};

enum class Health : std::uint8_t { kDown, kUp };

/// A check changed its mind. `outcome` is the probe that decided it.
struct VerdictReport {
  CheckId id;
  Health health;
  Outcome outcome;
  TimePoint at;
};

/// One probe failed or could not be made, whether or not that changed anything. Once per check,
/// not once per subscriber; both references last for the call only.
struct FailureReport {
  const CheckSpec& spec;
  Outcome outcome;
  std::uint32_t failures_in_row;
  TimePoint at;
};

/// What the owner hears. on_failure may be empty.
struct RunnerCallbacks {
  std::function<void(const VerdictReport&)> on_verdict;
  std::function<void(const FailureReport&)> on_failure;
};

struct RunnerLimits {
  std::size_t concurrent_probes = 512;
};

/// Runs checks. To be destroyed before the io_context of its executor.
class Runner {
 public:
  Runner(boost::asio::any_io_executor executor, RunnerCallbacks callbacks,
         RunnerLimits limits = {});
  /// Stops; coroutines that are still winding down touch nothing of the owner.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Subscribes to a check. The subscriber assumes "up", or "down" with alpha; a check that has
  /// been running for somebody else and says otherwise reports that in a later turn of the loop.
  /// nullopt: kMaxChecks reached, or an HTTP check without a url.
  std::optional<CheckId> add(const CheckSpec& spec);
  /// Unsubscribes; the last subscriber ends the check. Unknown ids are ignored.
  void remove(CheckId id);

  /// Begins to probe (also what is added later). Calling it again does nothing.
  void start();
  /// Cancels everything for good; no callback is made after it returns. The coroutines end within
  /// one turn of the loop.
  void stop();

  /// What the check of a subscriber says now; nullopt for an unknown id.
  std::optional<Health> health(CheckId id) const;
  std::size_t check_count() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace keepline::checks
