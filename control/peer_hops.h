// The way to each unicast peer of VRRP, as the kernel knows it.
//
// Control thread. Looked up when the kernel's view changes, not for each advert. Bound: the peers
// of the configuration.
#pragma once

#include <map>
#include <utility>

#include "control/running.h"
#include "dataplane/neigh/next_hops.h"

namespace keepline::control {

class PeerHops {
 public:
  void update(const Running& running, const KernelView& view);
  neigh::NextHop to(std::size_t instance, const net::IpAddr& peer) const;

 private:
  std::map<std::pair<std::size_t, net::IpAddr>, neigh::NextHop> hops_;
};

}  // namespace keepline::control
