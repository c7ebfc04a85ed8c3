// Interfaces that are removed under a port.
#include "control/plan/lost_ports.h"

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

std::string text(const std::vector<LostPorts::News>& news) {
  std::string all;
  for (const LostPorts::News& each : news) {
    all += each.netdev + (each.is_there_again ? " again " : " gone ");
  }
  return all;
}

TEST(LostPorts, EachPieceOfNewsIsToldOnce) {
  Topology topology;
  topology.ports = {{"eth0", kEth0}, {"eth1", kEth1}};
  KernelView kernel = usual_kernel();
  LostPorts lost;
  EXPECT_EQ(text(lost.look(topology, kernel)), "");
  std::erase_if(kernel.links, [](const Link& link) { return link.ifindex == kEth1; });
  EXPECT_EQ(text(lost.look(topology, kernel)), "eth1 gone ");
  EXPECT_EQ(text(lost.look(topology, kernel)), "");
  Link anew;
  anew.name = "eth1";
  anew.ifindex = 99;
  kernel.links.push_back(anew);
  EXPECT_EQ(text(lost.look(topology, kernel)), "eth1 again ");
  EXPECT_EQ(text(lost.look(topology, kernel)), "");
  kernel.links.pop_back();
  EXPECT_EQ(text(lost.look(topology, kernel)), "");
  kernel.links.push_back(anew);
  EXPECT_EQ(text(lost.look(topology, kernel)), "eth1 again ");
}

TEST(LostPorts, MadeAnewBeforeTheNextLook) {
  Topology topology;
  topology.ports = {{"eth0", kEth0}};
  KernelView kernel = usual_kernel();
  kernel.links[1].ifindex = 99;
  EXPECT_EQ(text(LostPorts().look(topology, kernel)), "eth0 gone eth0 again ");
}

}  // namespace
}  // namespace keepline::control
