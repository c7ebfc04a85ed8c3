// The kernel's side of the VIPs: `ip addr` shows them where they are held, and nowhere else.
//
// Control thread only; the requests run on the kernel executor. The dataplane does not wait for
// any of this: it answers by the lease alone.
#pragma once

#include <vector>

#include "control/kernel/executor.h"
#include "control/plan/topology.h"
#include "dataplane/neigh/nd.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class VipAddresses {
 public:
  VipAddresses(const Topology& topology, KernelExecutor& kernel);

  void acquire(lb::LeaseSlot lease);
  void release(lb::LeaseSlot lease);
  /// At start: VIPs that another daemon has left behind are removed, a backup must not have them.
  void take_over(const KernelView& view);
  /// While held: what somebody else has taken away (a restarted network service, a hand) is added
  /// again.
  void keep(lb::LeaseSlot lease, const KernelView& view);
  /// Tells the neighbours where the VIPs of no instance are.
  void announce_own(neigh::Role role, worker::Dataplane& dataplane) const;

 private:
  std::vector<HeldAddress> addresses_of(lb::LeaseSlot lease) const;
  HeldAddress held(const PlacedVip& vip) const;
  std::vector<Netdev> netdevs() const;

  const Topology& topology_;
  KernelExecutor& kernel_;
};

}  // namespace keepline::control
