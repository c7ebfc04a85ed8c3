// What BFD sessions need of the node: interfaces, steering, neighbours in the snapshot.
#include <gtest/gtest.h>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

constexpr const char* kSessions =
    "bfd_instance near {\n neighbor_ip 10.0.0.2\n}\n"
    "bfd_instance far {\n neighbor_ip 198.51.100.9\n multihop\n}\n";

TEST(BfdPlan, TheInterfacesOnTheWayAreAttached) {
  Node node(kSessions);
  ASSERT_EQ(node.input.topology->ports.size(), 2u);
  EXPECT_EQ(node.input.topology->ports[0].netdev, "eth1");
  EXPECT_EQ(node.input.topology->ports[1].netdev, "eth0") << "the default route";
}

TEST(BfdPlan, NeighboursAreKnownToDataplaneAndSteering) {
  Node node(kSessions);
  const Plan plan = node.plan();
  EXPECT_TRUE(plan.snapshot->has_bfd());
  EXPECT_TRUE(plan.snapshot->is_bfd_neighbour({ip("10.0.0.2"), false}));
  EXPECT_FALSE(plan.snapshot->is_bfd_neighbour({ip("10.0.0.2"), true}));
  EXPECT_TRUE(plan.snapshot->is_bfd_neighbour({ip("198.51.100.9"), true}));
  for (const DeviceSteering& steering : plan.steering) {
    EXPECT_TRUE(steering.addresses.at(ip("10.0.0.2")).bfd);
    EXPECT_FALSE(steering.addresses.at(ip("10.0.0.2")).bfd_multihop);
    EXPECT_TRUE(steering.addresses.at(ip("198.51.100.9")).bfd_multihop);
  }
}

TEST(BfdPlan, AReloadFollows) {
  Node node(kSessions);
  EXPECT_EQ(node.reload("bfd_instance near {\n neighbor_ip 10.0.0.3\n}\n"), "");
  const Plan plan = node.plan();
  EXPECT_TRUE(plan.snapshot->is_bfd_neighbour({ip("10.0.0.3"), false}));
  EXPECT_FALSE(plan.snapshot->is_bfd_neighbour({ip("10.0.0.2"), false}));
}

TEST(BfdPlan, WithoutBfdThereIsNothing) {
  Mode mode;
  mode.bfd = false;
  Node node(kSessions, usual_kernel(), mode);
  EXPECT_TRUE(node.input.topology->ports.empty());
  EXPECT_FALSE(node.plan().snapshot->has_bfd());
}

TEST(BfdPlan, ANeighbourIsSomebodyElse) {
  config::Diagnostics diagnostics;
  make_topology(config_of("bfd_instance me {\n neighbor_ip 10.0.0.5\n}\n"), usual_kernel(), Mode(),
                diagnostics);
  EXPECT_FALSE(diagnostics.can_run());
}

}  // namespace
}  // namespace keepline::control
