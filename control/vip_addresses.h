// The kernel's side of the VIPs: `ip addr` shows them where they are held, and nowhere else.
//
// Control thread only; the requests run on the kernel executor. The dataplane does not wait for
// any of this: it answers by the lease alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "control/kernel/executor.h"
#include "control/kernel/mirror.h"
#include "control/running.h"
#include "dataplane/neigh/nd.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class VipAddresses {
 public:
  static constexpr std::int64_t kPatience_us = 100'000;  ///< A fifth of Departure::kLinger_us.

  VipAddresses(const Running& running, KernelExecutor& kernel, const Mirror& mirror)
      : running_(running), kernel_(kernel), mirror_(mirror) {}

  void acquire(lb::LeaseSlot lease);
  /// Whether the kernel has what acquire() has asked for, or has taken longer than kPatience_us:
  /// then clients may be told, and local services find them.
  bool is_settled(lb::LeaseSlot lease);
  void release(lb::LeaseSlot lease);
  /// At start: VIPs that another daemon has left behind are removed, a backup must not have them.
  void take_over(const KernelView& view);
  /// While held: what somebody else has taken away (a restarted network service, a hand) is added
  /// again.
  void keep(lb::LeaseSlot lease, const KernelView& view);
  /// After a reload: of the leases that are held, what is gone is removed and what is new added.
  void follow(const Topology& before, const std::function<bool(lb::LeaseSlot)>& is_held);
  /// Tells the neighbours where the VIPs of no instance are, but for those that were there `before`
  /// (nullptr: nothing was).
  void announce_own(neigh::Role role, worker::Dataplane& dataplane, const Topology* before) const;

 private:
  std::vector<HeldAddress> addresses_of(lb::LeaseSlot lease) const;
  std::vector<Netdev> netdevs() const;
  const Topology& topology() const { return *running_.topology; }

  const Running& running_;
  KernelExecutor& kernel_;
  const Mirror& mirror_;
  struct Acquiring {
    std::int64_t since_us = 0;
    std::shared_ptr<std::atomic<bool>> is_done;
    std::vector<HeldAddress> awaited;  ///< Of IPv6: those that the mirror did not have yet.
    std::uint64_t looked_at_change =
        ~std::uint64_t{0};  ///< Mirror::changes() when it was asked last.
  };
  void look(Acquiring& acquiring) const;
  std::map<lb::LeaseSlot, Acquiring> acquiring_;
};

}  // namespace keepline::control
