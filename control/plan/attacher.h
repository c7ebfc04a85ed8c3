// Which devices and ports a topology needs: part of make_topology().
//
// PURE. At a reload they are those that are running, and one more is refused: ports are attached
// before the workers start.
#pragma once

#include <set>

#include "control/plan/topology.h"

namespace keepline::control {

class Attacher {
 public:
  /// Adds to `topology`, which begins with the devices and ports that are running, if any are.
  Attacher(const config::Config& config, const KernelView& kernel, config::Diagnostics& diagnostics,
           const Topology* running, Topology& topology);

  /// The port of an interface, attached if it was not yet; nothing (and a diagnostic) if it
  /// cannot be.
  std::optional<net::PortId> attach(const Link* link, const config::Position& at,
                                    const std::string& name);

 private:
  std::optional<std::size_t> device_below(const Link& link, const config::Position& at);
  bool add_nics(const Link& bond, const config::Position& at, PlacedDevice& device);
  config::DataplanePort owned_port(const std::string& name) const;
  bool can_attach(const Link& link, const config::Position& at);

  const config::Config& config_;
  const KernelView& kernel_;
  config::Diagnostics& diagnostics_;
  bool is_running_;
  Topology& topology_;
  std::set<std::string> missing_;  // said once, however often it is mentioned
  std::size_t ids_ = 0;            // of ports, those of TAPs included
};

}  // namespace keepline::control
