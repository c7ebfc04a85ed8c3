// What a dump tells: a copy of the daemon's state at one moment.
//
// PURE, values only. The control thread makes the copy, another thread turns it into text;
// configuration, topology and kernel view never change and are shared. Bound: the configuration.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "control/plan/pool.h"
#include "control/plan/processes.h"
#include "control/plan/topology.h"
#include "control/plan/tracking.h"
#include "dataplane/bfd/types.h"
#include "vrrp/types.h"

namespace keepline::control::dump {

struct InstanceState {
  vrrp::State state = vrrp::State::kInit;
  vrrp::State wanted = vrrp::State::kInit;
  unsigned faults = 0;  ///< How many causes.
  std::uint8_t effective_priority = 0;
  std::uint8_t master_priority = 0;  ///< Of the master that is heard; 0: none is, as in MASTER.
  std::int64_t master_interval_us = 0;
  std::int64_t master_down_us = 0;           ///< How long no advert means that the master is gone.
  std::int64_t last_transition_unix_us = 0;  ///< Microseconds since 1970; 0: none yet.
  std::int64_t deadline_unix_us = 0;         ///< The timer that runs; 0: none does.
  net::IpAddr source;
  vrrp::Statistics statistics;
};

/// Intervals are microseconds.
struct BfdState {
  bfd::State state = bfd::State::kDown;
  bfd::State remote_state = bfd::State::kDown;
  bfd::Diagnostic diagnostic = bfd::Diagnostic::kNone;
  bfd::Diagnostic remote_diagnostic = bfd::Diagnostic::kNone;
  std::uint32_t discriminator = 0;
  std::uint32_t remote_discriminator = 0;
  std::uint64_t remote_min_tx_us = 0;
  std::uint64_t remote_min_rx_us = 0;
  std::uint64_t remote_multiplier = 0;
  std::uint64_t tx_interval_us = 0;
  std::uint64_t rx_interval_us = 0;
  std::uint64_t detection_time_us = 0;
  std::int64_t last_heard_unix_us = 0;  ///< 0: never.
};

struct State {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const Topology> topology;
  std::shared_ptr<const KernelView> kernel;
  Mode mode;
  std::vector<InstanceState> instances;  ///< As config.vrrp_instances; none with -C.
  std::vector<vrrp::State> groups;       ///< As config.sync_groups.
  Outcomes scripts;                      ///< Those that are run.
  std::set<std::string> running_scripts;
  FileValues files;
  ProcessStates processes;
  std::map<std::string, BfdState> sessions;  ///< By name; those that run.
  std::vector<std::vector<Health>> health;   ///< By virtual and real server; none with -P.
};

}  // namespace keepline::control::dump
