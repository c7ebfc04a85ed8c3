#include "control/plan/lost_ports.h"

namespace keepline::control {

std::vector<LostPorts::News> LostPorts::look(const Topology& topology, const KernelView& kernel) {
  std::vector<News> news;
  for (const PlacedPort& port : topology.ports) {
    if (kernel.find_link(port.ifindex) != nullptr) continue;
    if (lost_.insert(port.ifindex).second) news.push_back({port.netdev, false});
    const bool is_there = kernel.find_link(port.netdev) != nullptr;
    if (!is_there) made_anew_.erase(port.ifindex);
    if (is_there && made_anew_.insert(port.ifindex).second) news.push_back({port.netdev, true});
  }
  return news;
}

}  // namespace keepline::control
