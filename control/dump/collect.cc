#include "control/dump/collect.h"

#include <algorithm>
#include <chrono>

#include "control/clock.h"
#include "vrrp/sync_group.h"
#include "vrrp/timers.h"

namespace keepline::control::dump {

namespace {

std::int64_t unix_now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

constexpr vrrp::FaultCause kCauses[] = {
    vrrp::FaultCause::kInterfaceDown, vrrp::FaultCause::kNoSourceAddress,
    vrrp::FaultCause::kWorkerStalled, vrrp::FaultCause::kTracker, vrrp::FaultCause::kSyncGroup};

vrrp::State wanted_state(const vrrp::Instance& machine) {
  switch (machine.state()) {
    case vrrp::State::kInit:
      return machine.config().initial_state == vrrp::InitialState::kMaster ? vrrp::State::kMaster
                                                                           : vrrp::State::kBackup;
    case vrrp::State::kBackup:
      return machine.wants_master() ? vrrp::State::kMaster : vrrp::State::kBackup;
    case vrrp::State::kMaster:
    case vrrp::State::kFault:
      break;
  }
  return machine.state();
}

// `ahead_us`: what the wall clock is ahead of ours.
InstanceState copy_of(const vrrp::Instance& machine, std::int64_t ahead_us) {
  const vrrp::InstanceConfig& config = machine.config();
  const vrrp::State state = machine.state();
  const bool is_running = state == vrrp::State::kBackup || state == vrrp::State::kMaster;
  InstanceState copy;
  copy.state = state;
  copy.wanted = wanted_state(machine);
  const auto has = [&](vrrp::FaultCause cause) { return machine.faults().has(cause); };
  copy.faults = static_cast<unsigned>(std::ranges::count_if(kCauses, has));
  copy.effective_priority = machine.effective_priority();
  copy.master_priority =
      state == vrrp::State::kMaster ? std::uint8_t{0} : machine.master_priority();
  copy.master_interval_us = machine.master_interval_us();
  copy.master_down_us =
      vrrp::master_down_us({config.version, machine.master_interval_us(),
                            machine.effective_priority(), config.down_timer_adverts});
  if (machine.last_transition_us() != 0) {
    copy.last_transition_unix_us = machine.last_transition_us() + ahead_us;
  }
  if (is_running) copy.deadline_unix_us = machine.deadline_us() + ahead_us;
  copy.source = config.source;
  copy.statistics = machine.statistics();
  return copy;
}

vrrp::State state_of(const config::SyncGroup& group, const Running& running,
                     const vrrp::Speaker& speaker) {
  std::vector<vrrp::MemberView> members;
  for (std::size_t i = 0; i < running.topology->instances.size(); ++i) {
    const std::string& name = running.config->vrrp_instances[i].name;
    if (std::ranges::find(group.members, name) == group.members.end()) continue;
    members.push_back(vrrp::view_of(speaker.instance(running.topology->instances[i].lease)));
  }
  return vrrp::group_state(members);
}

void collect_vrrp(const Running& running, const vrrp::Speaker& speaker, State& state) {
  const std::int64_t ahead_us = unix_now_us() - now_us();
  for (const PlacedInstance& placed : running.topology->instances) {
    state.instances.push_back(copy_of(speaker.instance(placed.lease), ahead_us));
  }
  for (const config::SyncGroup& group : running.config->sync_groups) {
    state.groups.push_back(state_of(group, running, speaker));
  }
}

BfdState copy_of(const worker::BfdFigures& from, std::int64_t ahead_us) {
  BfdState copy;
  copy.state = static_cast<bfd::State>(from.state.get());
  copy.diagnostic = static_cast<bfd::Diagnostic>(from.diagnostic.get());
  copy.discriminator = static_cast<std::uint32_t>(from.discriminator.get());
  copy.tx_interval_us = from.tx_interval_us.get();
  copy.rx_interval_us = from.rx_interval_us.get();
  copy.detection_time_us = from.detection_time_us.get();
  const auto heard_us = static_cast<std::int64_t>(from.last_heard_us.get());
  if (heard_us != 0) copy.last_heard_unix_us = heard_us + ahead_us;
  copy.remote_discriminator = static_cast<std::uint32_t>(from.remote_discriminator.get());
  if (copy.remote_discriminator == 0) return copy;
  copy.remote_state = static_cast<bfd::State>(from.remote_state.get());
  copy.remote_diagnostic = static_cast<bfd::Diagnostic>(from.remote_diagnostic.get());
  copy.remote_multiplier = from.remote_multiplier.get();
  copy.remote_min_tx_us = from.remote_min_tx_us.get();
  copy.remote_min_rx_us = from.remote_min_rx_us.get();
  return copy;
}

}  // namespace

State collect(const Sources& from) {
  State state;
  state.config = from.running.config;
  state.topology = from.running.topology;
  state.kernel = from.kernel;
  state.mode = from.options.mode;
  if (from.vrrp != nullptr) collect_vrrp(from.running, from.vrrp->speaker(), state);
  if (from.watch != nullptr) {
    state.scripts = from.watch->scripts().outcomes();
    state.running_scripts = from.watch->scripts().running();
    state.files = from.watch->files().values();
    state.processes = from.watch->processes().states();
  }
  if (from.bfd != nullptr) {
    const std::int64_t ahead_us = unix_now_us() - from.bfd->worker_now_us();
    for (const BfdDriver::Status& status : from.bfd->statuses()) {
      state.sessions[status.config->name] = copy_of(*status.figures, ahead_us);
    }
  }
  if (from.checks != nullptr) state.health = from.checks->health();
  return state;
}

}  // namespace keepline::control::dump
