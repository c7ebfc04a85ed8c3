// What the interfaces must let in for VRRP: its groups and the virtual MACs.
//
// Control thread. A reload widens before anything is changed, and narrows when it is done.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "control/kernel/membership.h"
#include "control/plan/topology.h"
#include "dataplane/port/virtual_mac.h"

namespace keepline::control {

class PortFilters {
 public:
  /// What the topology needs, besides what is there.
  tl::expected<void, std::string> widen(const Topology& topology);
  /// Only what it needs.
  void narrow(const Topology& topology);

  /// While master: frames to the instance's virtual MAC, if it has one, are for this host.
  void accept(const PlacedInstance& instance, const Topology& topology);
  void refuse(const PlacedInstance& instance, const Topology& topology);
  /// Nothing is let in any more; before the dataplane ends.
  void clear() { deliveries_.clear(); }

 private:
  tl::expected<void, std::string> widen_for(const PlacedPort& port);

  Memberships memberships_;
  std::map<unsigned, std::unique_ptr<port::VirtualMacs>> deliveries_;  ///< By ifindex.
};

}  // namespace keepline::control
