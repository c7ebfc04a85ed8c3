// From the configuration's words to the VRRP machine's.
//
// Pure functions.
#pragma once

#include <vector>

#include "control/plan/topology.h"
#include "vrrp/types.h"

namespace keepline::control {

vrrp::InstanceConfig machine_config(const config::VrrpInstance& instance,
                                    const net::IpAddr& source);

/// The link address of a multicast group. RFC 1112 §6.4: its low 23 bits; RFC 2464 §7: its low 32.
net::Mac group_mac(const net::IpAddr& group);

/// All addresses to announce: the instance's VIPs, the excluded ones and FULLNAT's too.
std::vector<net::IpAddr> announced_vips(const Topology& topology, lb::LeaseSlot lease);

}  // namespace keepline::control
