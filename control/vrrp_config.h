// From the configuration's words to the VRRP machine's.
//
// Pure functions.
#pragma once

#include <vector>

#include "control/plan/topology.h"
#include "vrrp/types.h"

namespace keepline::control {

/// `primary` is the interface's own address; mcast_src_ip goes before it.
vrrp::InstanceConfig machine_config(const config::VrrpInstance& instance, net::Ip4 primary);

/// All IPv4 addresses to announce: the instance's VIPs, the excluded ones and FULLNAT's too.
std::vector<net::Ip4> announced_vips(const Topology& topology, lb::LeaseSlot lease);

}  // namespace keepline::control
