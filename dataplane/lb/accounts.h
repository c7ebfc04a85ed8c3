// One worker's figures by real server, and its scheduling cursors by service.
//
// PURE, single writer; anybody may read the counters. A slot of real servers counts for one
// generation: figures of an older one go nowhere.
#pragma once

#include "dataplane/lb/conn/connection.h"
#include "dataplane/lb/counters.h"
#include "dataplane/lb/lazy_array.h"
#include "dataplane/lb/sched/scheduler.h"

namespace keepline::lb {

class Accounts {
 public:
  Accounts() : reals_(kMaxRealServers), schedulers_(kMaxServices) {}

  const RealCounters& of(RealSlot slot) const { return reals_[slot]; }
  SchedulerState& scheduler(ServiceSlot slot) { return schedulers_[slot]; }
  const SchedulerState& scheduler(ServiceSlot slot) const { return schedulers_[slot]; }

  template <typename F>
  void packet_in(const Connection<F>& connection, std::uint64_t bytes) {
    RealCounters& counters = of(connection.real_slot, connection.real_generation);
    counters.packets_in.add();
    counters.bytes_in.add(bytes);
  }
  template <typename F>
  void packet_out(const Connection<F>& connection, std::uint64_t bytes) {
    RealCounters& counters = of(connection.real_slot, connection.real_generation);
    counters.packets_out.add();
    counters.bytes_out.add(bytes);
  }
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
    RealCounters& counters = of(connection.real_slot, connection.real_generation);
    (connection.is_active() ? counters.active : counters.inactive).subtract();
  }
  /// After a change of state.
  template <typename F>
  void changed(const Connection<F>& connection, bool was_active) {
    if (connection.is_active() == was_active) return;
    RealCounters& counters = of(connection.real_slot, connection.real_generation);
    (was_active ? counters.active : counters.inactive).subtract();
    (was_active ? counters.inactive : counters.active).add();
  }

 private:
  RealCounters& of(RealSlot slot, std::uint16_t generation) {
    RealCounters& counters = reals_[slot];
    return counters.generation.get() == generation ? counters : nobody_;
  }
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
  LazyArray<SchedulerState> schedulers_;
};

}  // namespace keepline::lb
