// From changes to a published snapshot: builds off the control thread, publishes on it.
//
// Control thread only, but for the builder's own thread inside. The order is that of safety: the
// steering maps learn what is new before the snapshot that needs it is published, and forget what
// is gone after. Changes within kSettle become one snapshot.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <vector>

#include "control/plan/planner.h"
#include "dataplane/port/steering.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class Publisher {
 public:
  static constexpr std::chrono::milliseconds kSettle{2};
  static constexpr std::chrono::milliseconds kRetry{100};  ///< After a refusal.

  /// Finds the steering maps of the topology's devices (owned ones have none: all of theirs is
  /// ours); throws std::runtime_error. `input` is asked for the state of things each time a plan is
  /// to be made.
  Publisher(boost::asio::io_context& io, worker::Dataplane& dataplane, const Topology& topology,
            std::function<PlanInput()> input);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// Builds and publishes at once, on the calling thread; at start. The error says what the
  /// kernel refused.
  tl::expected<void, std::string> publish_first();
  /// Something has changed: a new snapshot follows soon. `then` is called when it is published.
  void request(std::function<void()> then = {});
  void stop();

  /// As last published.
  const std::vector<PlannedService>& services() const { return services_; }

 private:
  using Tables = std::vector<port::SteerTable>;
  struct Built {
    Plan plan;
    Tables tables;
    tl::expected<void, std::string> widened;
  };
  Built build(const PlanInput& input);
  void narrow(const Tables& tables);
  void begin_after(std::chrono::milliseconds delay);
  void begin();
  void finish(Built built);

  boost::asio::io_context& io_;
  boost::asio::thread_pool builder_{1};
  boost::asio::steady_timer timer_;
  worker::Dataplane& dataplane_;
  std::function<PlanInput()> input_;
  std::vector<PlannedService> services_;
  bool waiting_ = false;   // the timer runs
  bool building_ = false;  // the builder is at it
  bool again_ = false;     // something changed meanwhile
  bool stopped_ = false;
  std::vector<std::function<void()>> asked_;         // called when the next plan is published
  std::vector<std::function<void()>> building_for_;  // or that which is being built
  // Builder's thread only (and publish_first(), before it is used).
  Planner planner_;
  struct NicSteering {
    std::size_t device;
    port::Steering maps;
  };
  std::vector<NicSteering> steering_;
};

}  // namespace keepline::control
