// Which neighbours the kernel is asked to resolve ahead of traffic, and what it is told of clients.
//
// Control thread only; the requests run on the kernel executor.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "control/kernel/executor.h"
#include "control/plan/steering.h"
#include "control/running.h"
#include "dataplane/lb/pipeline.h"

namespace keepline::control {

class NeighbourKeeper {
 public:
  NeighbourKeeper(const Running& running, Mode mode, KernelExecutor& kernel)
      : running_(running), mode_(mode), kernel_(kernel) {}

  /// Gateways and real servers are resolved by the kernel, and kept resolved, those too that finish
  /// what they have: call at start, after a reload and when routes have changed.
  void update(const KernelView& view, const std::vector<PlannedService>& services);
  /// Those of update() that have no MAC yet, or none any more.
  std::vector<net::IpAddr> missing(const KernelView& view) const;
  /// A client asked for a VIP by ARP, which the kernel did not see.
  void learn(const lb::NeighbourSeen& seen, const KernelView& view);

 private:
  using Key = std::pair<net::PortId, net::IpAddr>;
  std::set<Key> wanted(const KernelView& view, const std::vector<PlannedService>& services) const;
  Netdev netdev_of(net::PortId port) const;

  const Running& running_;
  Mode mode_;
  KernelExecutor& kernel_;
  std::set<Key> managed_;
};

}  // namespace keepline::control
