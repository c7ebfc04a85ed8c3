// Which BFD sessions the workers shall have, and what has become of them.
//
// Control thread only. The worker that has the sessions (worker::BfdDesk) does the work; this tells
// it what the configuration says, and others what it answers. Bound: bfd::kMaxSessions; those that
// a reload removes count until they have said goodbye.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "control/plan/tracking.h"
#include "control/running.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class BfdDriver {
 public:
  struct Handlers {
    std::function<void()> on_change;  ///< Some outcome is another one.
    /// A neighbour died without a word; it was to be heard at least every `interval_us`. Comes
    /// after on_change.
    std::function<void(const config::BfdInstance&, std::int64_t interval_us)> on_loss;
  };
  /// A session as reports need it.
  struct Status {
    const config::BfdInstance* config = nullptr;
    const worker::BfdFigures* figures = nullptr;
    std::int64_t since_unix_s = 0;  ///< When its state changed last; 0: it never did.
    std::uint64_t state_age_s = 0;  ///< The same by a clock that nobody sets.
  };

  BfdDriver(const Running& running, Mode mode, worker::Dataplane& dataplane, Handlers handlers);

  /// At start, and after a reload: sessions with the same ends stay, whatever their names.
  void follow();
  /// All of them are switched off; their neighbours are told.
  void stop();
  /// Whether the worker has done everything that it was told to, goodbyes included.
  bool is_quiet() const;

  void handle(const worker::BfdEvent& event);
  /// From time to time: orders that found no room, and news that got lost.
  void refresh();

  /// By name: up is good.
  const Outcomes& outcomes() const { return outcomes_; }
  std::vector<Status> statuses() const;
  /// The clock that the figures go by.
  std::int64_t worker_now_us() const { return dataplane_.now_us(); }

 private:
  struct Slot {
    enum class Use : std::uint8_t { kFree, kRuns, kEnds };
    Use use = Use::kFree;
    bfd::SessionConfig config;
    std::string name;
    bfd::State state = bfd::State::kDown;
    std::int64_t since_unix_s = 0;
    std::int64_t since_us = 0;  // by now_us()
  };

  void set(const config::BfdInstance& instance);
  Slot* place_for(const bfd::SessionConfig& config);
  void end(Slot& slot);
  void order(std::size_t number, std::optional<bfd::SessionConfig> config);
  void flush();
  bool note(Slot& slot, bfd::State state);
  const config::BfdInstance* instance_of(const Slot& slot) const;
  std::size_t number_of(const Slot& slot) const {
    return static_cast<std::size_t>(&slot - slots_.data());
  }

  const Running& running_;
  Mode mode_;
  worker::Dataplane& dataplane_;
  Handlers handlers_;
  std::vector<Slot> slots_;  ///< By session number.
  std::deque<worker::BfdOrder> waiting_;
  Outcomes outcomes_;
  bool stopped_ = false;
};

}  // namespace keepline::control
