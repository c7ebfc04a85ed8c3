// What the plan says of ports: VLANs that share a device, NICs that a DPDK driver owns.
#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

TEST(PlannerSteering, OfADeviceIsThatOfAllItsVlans) {
  Node node(instance("use_vmac", "eth0.10") + server("192.0.2.100 80", {"192.0.2.9 80"}));
  const Plan plan = node.plan();
  ASSERT_EQ(plan.steering.size(), 1u);
  EXPECT_EQ(plan.steering[0].vlans, (std::vector<std::uint16_t>{10, 0}));
  EXPECT_EQ(plan.steering[0].macs, (std::vector{mac("00:00:5e:00:01:33"), mac("02:00:00:00:00:01"),
                                                mac("02:00:00:00:00:01")}));
  EXPECT_TRUE(plan.steering[0].addresses.at(ip("224.0.0.18")).vrrp);
}

TEST(PlannerPorts, OfOwnedNicsKnowTheirWayToTheKernelAndBack) {
  Node node("dataplane {\n port eth0 {\n pci 3b:00.0\n }\n}\n" + instance("", "eth0.10") +
            server("192.0.2.100 80", {"10.0.0.2 80"}));
  const Plan plan = node.plan();
  const lb::Snapshot& snapshot = *plan.snapshot;
  ASSERT_EQ(snapshot.port_count(), 5u);
  EXPECT_EQ(snapshot.port(0).kernel, 3);
  EXPECT_EQ(snapshot.port(1).kernel, 4);
  EXPECT_EQ(snapshot.port(2).kernel, net::kNoPort);
  EXPECT_EQ(snapshot.port(3).nic, 0);
  EXPECT_EQ(snapshot.port(4).nic, 1);
  EXPECT_EQ(snapshot.port(4).kernel, net::kNoPort);
  EXPECT_TRUE(snapshot.is_own(ip("192.0.2.5")));
  EXPECT_TRUE(snapshot.is_own(ip("192.0.2.100"))) << "a check may come from a VIP";
  EXPECT_FALSE(snapshot.is_own(ip("192.0.2.101")));
  EXPECT_FALSE(snapshot.port(0).takes_adverts) << "its instance is on the VLAN";
  EXPECT_TRUE(snapshot.port(1).takes_adverts);
}

}  // namespace
}  // namespace keepline::control
