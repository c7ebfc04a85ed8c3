// What the configuration file of one node says now: its plan, and what reloads have changed.
//
// A plain value, asked by the node at a start and at a reload. Bound: one change per fault.
#pragma once

#include <cstddef>
#include <vector>

#include "tests/sim/schedule.h"

namespace keepline::vrrp::sim {

class ConfigFile {
 public:
  ConfigFile(const Schedule& schedule, std::size_t node) : schedule_(&schedule), node_(node) {}

  void change(const Fault& fault) { changes_.push_back(fault); }
  void undo(const Fault& fault);

  /// Whether there is an instance on the LAN.
  bool has(std::size_t lan) const;
  /// Whether the instances are members of one sync group.
  bool grouped() const;
  InstanceConfig config(std::size_t lan) const;

 private:
  const Schedule* schedule_;
  std::size_t node_;
  std::vector<Fault> changes_;  ///< In the order in which they were made.
};

}  // namespace keepline::vrrp::sim
