// What the workers have counted, as control wants to have it.
//
// Control thread only. The counters are relaxed and each is read once: figures that belong together
// may be a packet apart.
#pragma once

#include "control/rate_sampler.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

/// DPDK's number of the worker's lcore; 0 is the control thread.
unsigned lcore_of(unsigned worker);

/// Connections that fit into the tables of all workers.
std::uint64_t connection_capacity(const worker::Dataplane& dataplane);

/// Of one real server, summed over the workers.
struct RealFigures {
  std::uint64_t active = 0;
  std::uint64_t inactive = 0;
  TrafficRates::Totals traffic{};  ///< See Traffic.
};
/// Counters of earlier users of its slot are left out.
RealFigures real_figures(const worker::Dataplane& dataplane, const lb::RealServer& real);

/// Ends that FULLNAT has towards this real server of the service; zero for other methods.
std::uint64_t local_ports(const PlannedService& planned, const lb::RealServer& real);

/// See Work.
WorkRates::Totals work_of(const worker::Worker& worker);

/// Frames through a port, summed over the workers.
struct PortFigures {
  std::uint64_t received = 0;
  std::uint64_t transmitted = 0;
};
PortFigures port_figures(const worker::Dataplane& dataplane, net::PortId port);

}  // namespace keepline::control
