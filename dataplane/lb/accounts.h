// One worker's figures by real server, and its scheduling cursors by service.
//
// PURE, single writer; anybody may read the counters. A slot of real servers counts for one
// generation: figures of an older one go nowhere.
#pragma once

#include "dataplane/lb/conn/connection.h"
#include "dataplane/lb/counters.h"
#include "dataplane/lb/lazy_array.h"
#include "dataplane/lb/sched/loads.h"
#include "dataplane/lb/sched/scheduler.h"

namespace keepline::lb {

class Accounts {
 public:
  Accounts() : reals_(kMaxRealServers), loads_(reals_), schedulers_(kMaxServices) {}
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  const RealCounters& of(RealSlot slot) const { return reals_[slot]; }
  SchedulerState& scheduler(ServiceSlot slot) { return schedulers_[slot]; }
  const SchedulerState& scheduler(ServiceSlot slot) const { return schedulers_[slot]; }

  Loads& loads() const { return loads_; }

  /// For the packets of a connection.
  template <typename F>
  RealCounters& of(const Connection<F>& connection) {
    RealCounters& counters = reals_[connection.real_slot];
    return counters.generation.get() == connection.real_generation ? counters : nobody_;
  }
  /// The same, when the snapshot has a real server of the connection's generation in the slot: its
  /// figures were begun with its first connection.
  RealCounters& current(RealSlot slot) { return reals_[slot]; }
  /// A new connection, which begins as inactive.
  template <typename F>
  void opened(const Connection<F>& connection) {
    RealCounters& counters = reals_[connection.real_slot];
    if (counters.generation.get() != connection.real_generation) begin(counters, connection);
    counters.inactive.add();
    counters.connections.add();
  }
  template <typename F>
  void closed(const Connection<F>& connection) {
    RealCounters& counters = of(connection);
    (connection.is_active() ? counters.active : counters.inactive).subtract();
  }
  /// After a change of state.
  template <typename F>
  void changed(const Connection<F>& connection, bool was_active) {
    if (connection.is_active() == was_active) return;
    RealCounters& counters = of(connection);
    (was_active ? counters.active : counters.inactive).subtract();
    (was_active ? counters.inactive : counters.active).add();
  }

 private:
  template <typename F>
  static void begin(RealCounters& counters, const Connection<F>& connection) {
    counters.generation.set(connection.real_generation);
    for (Counter* counter :
         {&counters.active, &counters.inactive, &counters.connections, &counters.packets_in,
          &counters.bytes_in, &counters.packets_out, &counters.bytes_out}) {
      counter->set(0);
    }
  }

  RealCounters nobody_;  // takes the figures of connections whose slot has a new user
  LazyArray<RealCounters> reals_;
  mutable Loads loads_;  // asking what is full notes it
  LazyArray<SchedulerState> schedulers_;
};

}  // namespace keepline::lb
