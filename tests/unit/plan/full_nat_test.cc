// FULLNAT's local addresses: where they are placed, and what the dataplane hears of them.
#include <gtest/gtest.h>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

std::string full_nat(const std::string& locals, const std::string& more = "") {
  return instance(more) + server("192.0.2.100 80", {"10.0.0.2 8080"}, "", "FULLNAT") +
         "dataplane {\n local_address {\n" + locals + "\n }\n}\n";
}

struct Placed {
  explicit Placed(const std::string& text, const KernelView& kernel = usual_kernel()) {
    config = std::make_shared<const config::Config>(config_of(text));
    topology =
        std::make_shared<const Topology>(make_topology(*config, kernel, Mode(), diagnostics));
  }
  const PlacedVip& vip(const char* address) const { return *topology->find_vip(ip(address)); }
  Plan plan() const {
    PlanInput input;
    input.config = config;
    input.kernel = std::make_shared<const KernelView>(usual_kernel());
    input.topology = topology;
    for (const auto& each : config->virtual_servers) {
      input.health.emplace_back(each.real_servers.size(), Health::kUp);
    }
    return Planner().make(input);
  }

  std::shared_ptr<const config::Config> config;
  config::Diagnostics diagnostics;
  std::shared_ptr<const Topology> topology;
};

TEST(FullNat, LocalAddressesLiveInTheServersNetworkAndComeAndGoWithTheVip) {
  const Placed placed(full_nat("10.0.0.200-201"));
  EXPECT_EQ(text(placed.diagnostics), "");
  for (const char* address : {"10.0.0.200", "10.0.0.201"}) {
    const PlacedVip& local = placed.vip(address);
    EXPECT_TRUE(local.is_local);
    EXPECT_EQ(local.lease, placed.vip("192.0.2.100").lease);
    EXPECT_EQ(placed.topology->ports[local.port].netdev, "eth1");
    EXPECT_EQ(local.mac, mac("02:00:00:00:00:02"));
    EXPECT_TRUE(local.is_answered());
    EXPECT_FALSE(local.is_installed()) << "the kernel need not know";
  }
}

TEST(FullNat, OnTheVipsOwnInterfaceTheyShareItsVirtualMac) {
  const Placed placed(full_nat("192.0.2.200\n10.0.0.200", "use_vmac"));
  EXPECT_EQ(placed.vip("192.0.2.200").mac, mac("00:00:5e:00:01:33"));
  EXPECT_EQ(placed.vip("10.0.0.200").mac, mac("02:00:00:00:00:02"));
}

TEST(FullNat, RefusesAddressesThatItCannotHave) {
  EXPECT_EQ(text(Placed(full_nat("10.0.0.5")).diagnostics),
            "error: 10.0.0.5 is an address of this node itself\n");
  EXPECT_EQ(text(Placed(full_nat("203.0.113.5")).diagnostics),
            "error: 203.0.113.5 is in no network of this node\n");
}

TEST(FullNat, ServicesComeFromThemAndPortsTakeThem) {
  const Plan plan = Placed(full_nat("10.0.0.200-201")).plan();
  const lb::Service& service = *plan.services.at(0).service;
  EXPECT_EQ(service.pool.at(0).method, lb::Method::kFullNat);
  ASSERT_EQ(service.locals.size(), 2u);
  EXPECT_EQ(service.locals[0], net::IpAddr(ip("10.0.0.200")));
  EXPECT_TRUE(plan.snapshot->is_local<net::V4>(ip("10.0.0.201").be()));
  EXPECT_FALSE(plan.snapshot->is_local<net::V4>(ip("192.0.2.100").be()));
  for (const DeviceSteering& steering : plan.steering) {
    EXPECT_TRUE(steering.addresses.at(ip("10.0.0.200")).local);
    EXPECT_TRUE(steering.addresses.at(ip("10.0.0.200")).answer);
    EXPECT_FALSE(steering.addresses.at(ip("10.0.0.200")).service);
    EXPECT_EQ(steering.addresses.count(ip("10.0.0.2")), 0u) << "no fragments of its own to us";
    EXPECT_TRUE(steering.reals.empty());
  }
}

}  // namespace
}  // namespace keepline::control
