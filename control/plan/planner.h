// From configuration, verdicts and the kernel's state to what the dataplane runs.
//
// PURE; one object, called by the builder thread. Keeps the slots of real servers stable from
// plan to plan and shares the services that did not change.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "control/plan/kernel_view.h"
#include "control/plan/pool.h"
#include "control/plan/topology.h"
#include "dataplane/lb/snapshot_builder.h"

namespace keepline::control {

/// The wanted content of one device's steering maps, in the planner's own words.
struct DeviceSteering {
  struct AddressUse {
    bool answer = false;   ///< ARP and ICMP echo are the dataplane's.
    bool service = false;  ///< A virtual server lives on it.
    bool own = false;      ///< The kernel's: of the node itself, or an IPv6 VIP.
    bool vrrp = false;     ///< Adverts sent to it are the dataplane's.
    bool local = false;    ///< FULLNAT comes from it: answers to it are the dataplane's.
    bool real = false;     ///< A NATed real server has it.
    bool tunnel = false;   ///< A real server that tunnels lead to has it.
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

struct PlanInput {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const Topology> topology;
  std::shared_ptr<const KernelView> kernel;
  std::vector<std::vector<Health>> health;  ///< By virtual server and real server.
  Mode mode;
  unsigned workers = 1;     ///< Shards are dealt out to them.
  std::uint32_t now_s = 0;  ///< On the workers' clock.
};

/// A virtual server as it runs: for listings.
struct PlannedService {
  std::shared_ptr<const lb::Service> service;  ///< Never nullptr.
  Pool pool;
  std::vector<lb::RealServer> reals;  ///< All configured ones, in the pool or not.
  lb::RealServer sorry;               ///< Valid when there is a sorry server.
};

struct Plan {
  std::unique_ptr<const lb::Snapshot> snapshot;
  std::vector<DeviceSteering> steering;  ///< By device.
  std::vector<PlannedService> services;
};

class Planner {
 public:
  Plan make(const PlanInput& input);

 private:
  struct Slot {
    lb::RealSlot slot = 0;
    std::uint16_t generation = 1;
  };
  using RealKey = std::tuple<std::size_t, net::Endpoint>;  // virtual server, real server

  PlannedService plan_service(const PlanInput& input, std::size_t index);
  lb::RealServer real_of(std::size_t service, const config::Target& target,
                         const config::Forwarding& forwarding);

  void note_leaving(const PlanInput& input, std::size_t index, const PlannedService& planned,
                    lb::Service& service);
  void plan_next_hops(const PlanInput& input);

  std::shared_ptr<const lb::AccessList> access_of(const config::VirtualServer& server);

  std::map<RealKey, Slot> slots_;
  // By the rules that they were made of, which this keeps: made once for a configuration.
  using AccessKey = std::pair<std::shared_ptr<const std::vector<config::AccessRule>>, net::Family>;
  std::map<AccessKey, std::shared_ptr<const lb::AccessList>> access_;
  lb::RealSlot next_slot_ = 0;
  lb::SnapshotBuilder builder_;
  std::vector<std::shared_ptr<const lb::Service>> previous_;
  std::shared_ptr<const KernelView> kernel_;             // that the next hops were made from
  std::vector<std::vector<lb::LeavingServer>> leaving_;  // by virtual server
  std::vector<bool> had_quorum_;
};

}  // namespace keepline::control
