// From configuration, verdicts and the kernel's state to what the dataplane runs.
//
// PURE; one object, called by the builder thread. Services and their real servers keep their slots
// from plan to plan, also over a reload that moves them in the file; what is gone leaves its slot
// to others, with the next generation. Services that did not change are shared.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "control/plan/kernel_view.h"
#include "control/plan/steering.h"
#include "control/plan/topology.h"
#include "dataplane/lb/snapshot_builder.h"

namespace keepline::control {

struct PlanInput {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const Topology> topology;
  std::shared_ptr<const KernelView> kernel;
  std::vector<std::vector<Health>> health;  ///< By virtual server and real server.
  Mode mode;
  unsigned workers = 1;     ///< Shards are dealt out to them.
  std::uint32_t now_s = 0;  ///< On the workers' clock.
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
  /// What tells services apart: no configuration has two with the same.
  using ServiceKey = std::pair<net::Endpoint, net::Protocol>;
  /// What is kept of a service from plan to plan.
  struct Known {
    lb::ServiceSlot slot = 0;
    std::shared_ptr<const lb::Service> service;
    std::map<net::Endpoint, Slot> reals;
    std::vector<lb::LeavingServer> leaving;
    bool had_quorum = false;
    std::uint64_t plan = 0;  ///< The last one that it was in.
  };

  Known& known(const PlanInput& input, std::size_t index);
  PlannedService plan_service(const PlanInput& input, std::size_t index, Known& known);
  lb::RealServer real_of(Known& known, const config::Target& target,
                         const config::Forwarding& forwarding);
  void note_leaving(const PlanInput& input, const PlannedService& planned, Known& known,
                    lb::Service& service);
  static Slot next_generation(Slot slot);
  void free_reals(Known& known, const PlannedService& planned);
  void free_gone_services();
  void plan_next_hops(const PlanInput& input);

  std::shared_ptr<const lb::AccessList> access_of(const config::VirtualServer& server);

  std::map<ServiceKey, Known> known_;
  std::uint64_t plan_ = 0;
  // Slot 0 of the real servers stays empty: it means "none" in a PlannedService.
  lb::RealSlot next_real_ = 1;
  lb::ServiceSlot next_service_ = 0;
  std::vector<Slot> free_reals_;
  std::vector<lb::ServiceSlot> free_services_;
  // By the rules that they were made of, which this keeps: made once for a configuration.
  using AccessKey = std::pair<std::shared_ptr<const std::vector<config::AccessRule>>, net::Family>;
  std::map<AccessKey, std::shared_ptr<const lb::AccessList>> access_;
  lb::SnapshotBuilder builder_;
  std::shared_ptr<const KernelView> kernel_;  // that the next hops were made from
};

}  // namespace keepline::control
