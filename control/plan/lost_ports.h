// Ports whose interface was removed. One of the same name that is made later is another interface:
// its frames do not come here before a restart (docs/decisions/0022).
//
// PURE; the control thread owns one. Bound: two numbers for each port.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "control/plan/topology.h"

namespace keepline::control {

class LostPorts {
 public:
  struct News {
    std::string netdev;
    bool is_there_again = false;  ///< Not it, but one of its name.
  };
  /// What has become of ports since the last look; each piece of news is told once.
  std::vector<News> look(const Topology& topology, const KernelView& kernel);

 private:
  std::set<unsigned> lost_;       // by the ifindex that is gone
  std::set<unsigned> made_anew_;  // the same, when the name was seen again
};

}  // namespace keepline::control
