// A node that has just started: it preempts nobody before it knows the way to the real servers.
//
// Control thread only. Another node serves meanwhile; where there is none nothing waits. For how
// long is bounded by what the kernel needs to find out that somebody is not there.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "control/neighbours.h"
#include "control/publisher.h"
#include "control/vrrp_driver.h"

namespace keepline::control {

class Arrival {
 public:
  /// Three ARP requests or solicitations, each a second after the other
  /// (net.ipv4.neigh.default.mcast_solicit and retrans_time_ms), and a moment.
  static constexpr std::chrono::milliseconds kPatience{3200};

  /// Before the instances start. All have to outlive it.
  Arrival(boost::asio::any_io_executor executor, VrrpDriver& vrrp,
          const NeighbourKeeper& neighbours, Publisher& publisher, const KernelView& view);

  /// The kernel has news; what it says is on its way to the dataplane.
  void look(const KernelView& view);

 private:
  void end();
  void give_up();

  VrrpDriver& vrrp_;
  const NeighbourKeeper& neighbours_;
  Publisher& publisher_;
  boost::asio::steady_timer timer_;
  std::vector<net::IpAddr> missing_;
  bool is_over_;
};

}  // namespace keepline::control
