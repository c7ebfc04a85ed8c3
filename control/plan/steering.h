// Which frames the dataplane gets of each device: the content of the steering maps.
//
// PURE; the publisher writes it into the kernel.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "control/plan/kernel_view.h"
#include "control/plan/pool.h"
#include "control/plan/topology.h"
#include "dataplane/lb/service/service.h"

namespace keepline::control {

/// A virtual server as it runs: for listings.
struct PlannedService {
  std::shared_ptr<const lb::Service> service;  ///< Never nullptr.
  Pool pool;
  std::vector<lb::RealServer> reals;  ///< All configured ones, in the pool or not.
  std::vector<Health> health;         ///< Of `reals`.
  lb::RealServer sorry;               ///< Valid when there is a sorry server.
};

/// The wanted content of one device's steering maps, in the plan's own words.
struct DeviceSteering {
  struct AddressUse {
    bool answer = false;   ///< ARP and ICMP echo are the dataplane's.
    bool service = false;  ///< A virtual server lives on it.
    bool own = false;      ///< The kernel's: of the node itself, or an IPv6 VIP.
    bool vrrp = false;     ///< Adverts sent to it are the dataplane's.
    bool local = false;    ///< FULLNAT comes from it: answers to it are the dataplane's.
    bool real = false;     ///< A NATed real server has it.
    bool tunnel = false;   ///< A real server that tunnels lead to has it.
    bool refuse = false;   ///< All that goes to it is the dataplane's: the node takes nothing.
    bool bfd = false;      ///< A BFD session is with it: its packets to this node are ours.
    bool bfd_multihop = false;
  };
  struct Endpoint {
    net::Endpoint endpoint;
    net::Protocol protocol;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
  };
  std::map<net::IpAddr, AddressUse> addresses;
  std::vector<Endpoint> services;
  std::vector<Endpoint> reals;
  std::vector<net::Mac> macs;
  std::vector<std::uint16_t> vlans;  ///< Whose frames are looked at; zero: those without a tag.
};

/// By device.
std::vector<DeviceSteering> steering_of(const config::Config& config, const Topology& topology,
                                        const KernelView& kernel, Mode mode,
                                        const std::vector<PlannedService>& services);

}  // namespace keepline::control
