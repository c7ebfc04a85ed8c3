// A reload: what stays where it was, whatever moves around it in the file.
#include <gtest/gtest.h>

#include "control/plan/restart.h"
#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

const std::string kWeb = server("192.0.2.100 80", {"10.0.0.2 8080", "10.0.0.3 8080"});
const std::string kSsl = server("192.0.2.100 443", {"10.0.0.2 443"});
const std::string kDns = server("192.0.2.100 53", {"10.0.0.2 53"});

std::string router(const std::string& name, int vrid, const std::string& vip,
                   const std::string& more = "") {
  return "vrrp_instance " + name + " {\n interface eth0\n virtual_router_id " +
         std::to_string(vrid) + "\n" + more + "\n virtual_ipaddress {\n" + vip + "\n }\n}\n";
}

TEST(Reload, ServicesKeepTheirSlotsWhereverTheyStandInTheFile) {
  Node node(instance() + kWeb + kSsl);
  const Plan before = node.plan();
  EXPECT_EQ(node.reload(instance() + kDns + kSsl + kWeb), "");
  const Plan after = node.plan();
  ASSERT_EQ(after.services.size(), 3u);
  // The very same objects: nothing is built again.
  EXPECT_EQ(after.services[2].service, before.services[0].service);
  EXPECT_EQ(after.services[1].service, before.services[1].service);
  EXPECT_EQ(after.services[0].service->slot, 2u);
}

TEST(Reload, WhatIsGoneLeavesItsSlotsToTheNextGeneration) {
  Node node(instance() + kWeb + kSsl);
  const Plan before = node.plan();
  const lb::RealServer gone = before.services[1].reals[0];
  EXPECT_EQ(node.reload(instance() + kWeb), "");
  const Plan less = node.plan();
  EXPECT_EQ(less.snapshot->service(before.services[1].service->slot), nullptr);
  EXPECT_EQ(less.snapshot->real(gone.slot, gone.generation), nullptr);
  EXPECT_EQ(node.reload(instance() + kWeb + kDns), "");
  const Plan after = node.plan();
  EXPECT_EQ(after.services[1].service->slot, before.services[1].service->slot);
  const lb::RealServer real = after.services[1].reals[0];
  EXPECT_EQ(real.slot, gone.slot);
  EXPECT_EQ(real.generation, gone.generation + 1);
  EXPECT_NE(after.snapshot->real(real.slot, real.generation), nullptr);
  EXPECT_EQ(after.snapshot->real(gone.slot, gone.generation), nullptr);
}

TEST(Reload, ARemovedServerFinishesWhatItHas) {
  Node node(instance() + kWeb);
  node.input.now_s = 100;
  const lb::RealServer real = node.plan().services[0].reals[0];
  EXPECT_EQ(node.reload(instance() + server("192.0.2.100 80", {"10.0.0.3 8080"})), "");
  Plan plan = node.plan();
  ASSERT_EQ(plan.services[0].service->leaving.size(), 1u);
  EXPECT_FALSE(plan.services[0].service->leaving[0].failed);
  EXPECT_TRUE(plan.steering[0].addresses.at(ip("10.0.0.2")).real) << "its answers are ours";
  EXPECT_NE(plan.snapshot->real(real.slot, real.generation), nullptr);
  node.input.now_s = 400;
  plan = node.plan();
  EXPECT_EQ(plan.snapshot->real(real.slot, real.generation), nullptr);
}

TEST(Reload, ManyReloadsUseNoMoreSlotsThanAFew) {
  Node node(instance() + kWeb);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(node.reload(instance() + (i % 2 == 0 ? kDns : kSsl)), "");
    const Plan plan = node.plan();
    EXPECT_LE(plan.services[0].service->slot, 1u);
    EXPECT_LE(plan.services[0].reals[0].slot, 4u);
  }
}

TEST(Reload, ARouterKeepsItsLeaseWhateverItsName) {
  Node node(router("A", 51, "192.0.2.100") + router("B", 52, "192.0.2.101"));
  EXPECT_EQ(node.reload(router("C", 53, "192.0.2.102") +
                        router("New name", 52, "192.0.2.101\n192.0.2.103", "priority 200")),
            "");
  const Topology& topology = *node.input.topology;
  EXPECT_EQ(topology.instances[1].lease, 1);
  EXPECT_EQ(topology.find_vip(ip("192.0.2.103"))->lease, 1);
  // Not that of A, which has it until it has left.
  EXPECT_EQ(topology.instances[0].lease, 2);
  EXPECT_EQ(topology.instance_of(2), 0u);
  EXPECT_EQ(topology.instance_of(0), std::nullopt);
}

TEST(Reload, AnotherMacOrPeersMakeAnotherRouter) {
  Node node(router("A", 51, "192.0.2.100"));
  EXPECT_EQ(node.reload(router("A", 51, "192.0.2.100", "use_vmac")), "");
  EXPECT_EQ(node.input.topology->instances[0].lease, 1);
  EXPECT_EQ(node.reload(router("A", 51, "192.0.2.100", "unicast_peer {\n 192.0.2.7\n }")), "");
  EXPECT_EQ(node.input.topology->instances[0].lease, 0);
}

TEST(Reload, OurOwnVipsAreNotTheNodesAddresses) {
  const std::string owner = router("A", 51, "192.0.2.100", "priority 255");
  KernelView kernel = usual_kernel();
  Node node(owner + kWeb + server("192.0.2.200 80", {"10.0.0.2 80"}), kernel);
  ASSERT_TRUE(node.input.topology->find_vip(ip("192.0.2.100"))->is_ours);
  // It is master: the kernel has been given both.
  kernel.addresses.push_back({kEth0, {ip("192.0.2.100"), 32}, false});
  kernel.addresses.push_back({kEth0, {ip("192.0.2.200"), 32}, false});
  node.input.kernel = std::make_shared<const KernelView>(kernel);
  EXPECT_EQ(node.reload(owner + kWeb + server("192.0.2.200 80", {"10.0.0.3 80"})), "");
  EXPECT_TRUE(node.input.topology->find_vip(ip("192.0.2.100"))->is_ours);
  EXPECT_TRUE(node.input.topology->find_vip(ip("192.0.2.200"))->is_ours);
}

TEST(Reload, OneMoreInterfaceNeedsARestart) {
  Node node(instance() + server("192.0.2.100 80", {"192.0.2.9 80"}));
  const std::string said = node.reload(instance() + kWeb);
  EXPECT_EQ(said, "error: interface eth1 was not attached when keeplined started\n");
}

TEST(Reload, WhatIsSettledAtStartIsSaid) {
  const auto said = [](const std::string& before, const std::string& after) {
    config::Diagnostics diagnostics;
    check_restart(config_of(before + instance()), config_of(after + instance()), diagnostics);
    return (diagnostics.can_run() ? "" : "refused: ") + text(diagnostics);
  };
  EXPECT_EQ(said("", ""), "");
  EXPECT_EQ(said("", "dataplane {\n workers 2\n}\n"),
            "warning: cannot change while keeplined runs: stays as it was\n");
  config::Diagnostics diagnostics;
  check_restart(config_of(instance()), config_of(""), diagnostics);
  EXPECT_FALSE(diagnostics.can_run()) << "a file that is being written";
  EXPECT_EQ(said("dataplane {\n failed_server drain 30\n}\n", ""), "");
  EXPECT_EQ(said("", "dataplane {\n local_address {\n 10.0.0.50\n }\n}\n").substr(0, 8),
            "refused:");
}

}  // namespace
}  // namespace keepline::control
