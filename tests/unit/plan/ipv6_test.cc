// IPv6 services from the configuration to the snapshot.
#include <gtest/gtest.h>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

net::IpAddr any(const char* text) {
  return *net::parse_ip(text);
}

// The usual node with 2001:db8::5/64 on eth0, which has the default route, and fd00::5/64 on eth1.
KernelView kernel6() {
  KernelView kernel = usual_kernel();
  kernel.addresses.push_back({kLo, {any("::1"), 128}, false});
  kernel.addresses.push_back({kEth0, {any("2001:db8::5"), 64}, false});
  kernel.addresses.push_back({kEth0, {any("fe80::5"), 64}, false});
  kernel.addresses.push_back({kEth1, {any("fd00::5"), 64}, false});
  kernel.routes.push_back({{any("2001:db8::"), 64}, kEth0, {}, 256});
  kernel.routes.push_back({{any("fd00::"), 64}, kEth1, {}, 256});
  kernel.routes.push_back({{any("::"), 0}, kEth0, any("fe80::1"), 1024});
  kernel.neighbours.push_back({kEth0, any("fe80::1"), mac("02:00:00:00:0c:06")});
  kernel.neighbours.push_back({kEth1, any("fd00::2"), mac("02:00:00:00:0a:06")});
  return kernel;
}

std::string service6(const std::string& vip = "2001:db8::100", const std::string& kind = "NAT") {
  return server(vip + " 80", {"fd00::2 80", "fd00::3 80 { weight 3 }"}, "", kind);
}

struct Node {
  explicit Node(const std::string& text = service6(), const KernelView& view = kernel6(),
                Mode mode = Mode()) {
    const auto config = std::make_shared<const config::Config>(config_of(text));
    input.config = config;
    input.kernel = std::make_shared<const KernelView>(view);
    topology = std::make_shared<const Topology>(make_topology(*config, view, mode, diagnostics));
    input.topology = topology;
    input.mode = mode;
    for (const auto& each : config->virtual_servers) {
      input.health.emplace_back(each.real_servers.size(), Health::kUp);
    }
  }
  Plan plan() { return planner.make(input); }

  // "2001:db8::100/128 on eth0, lease 0, ours".
  std::string vips() const {
    std::string all;
    for (const PlacedVip& vip : topology->vips) {
      all += to_string(vip.address) + '/' + std::to_string(vip.prefix_length) + " on " +
             topology->ports[vip.port].netdev +
             (vip.lease == lb::kAlwaysOurs ? "" : ", lease " + std::to_string(vip.lease)) +
             (vip.is_ours ? ", ours" : "") + (vip.is_answered() ? ", answered" : "") + '\n';
    }
    return all;
  }

  config::Diagnostics diagnostics;
  std::shared_ptr<const Topology> topology;
  PlanInput input;
  Planner planner;
};

TEST(KernelView, RoutesOfOneFamilySayNothingOfTheOther) {
  const KernelView kernel = kernel6();
  EXPECT_EQ(kernel.find_route(any("fd00::9"))->ifindex, kEth1);
  EXPECT_EQ(kernel.find_route(any("2001:db8:1::9"))->gateway, any("fe80::1"));
  EXPECT_EQ(kernel.find_route(any("198.51.100.1"))->gateway, any("192.0.2.1"));
  KernelView only4 = usual_kernel();
  EXPECT_EQ(only4.find_route(any("2001:db8:1::9")), nullptr);
  EXPECT_EQ(only4.find_route(any("::")), nullptr);
  EXPECT_TRUE(kernel.has_address(any("fd00::5")));
  EXPECT_FALSE(kernel.has_address(any("fd00::6")));
}

TEST(Topology6, AVipInANetworkOfTheNodeIsAddedAndAnswered) {
  const Node node;
  EXPECT_EQ(text(node.diagnostics), "");
  EXPECT_EQ(node.vips(), "2001:db8::100/128 on eth0, ours, answered\n");
  EXPECT_EQ(node.topology->ports.size(), 2u);
}

TEST(Topology6, AnAddressOfTheNodeIsNotOurs) {
  EXPECT_EQ(Node(service6("2001:db8::5")).vips(), "2001:db8::5/128 on eth0\n");
}

TEST(Topology6, AnAddressOnTheLoopbackLivesWhereTheDefaultRouteLeads) {
  KernelView kernel = kernel6();
  kernel.addresses.push_back({kLo, {any("2001:db8:1::1"), 128}, false});
  kernel.addresses.push_back({kLo, {any("198.51.100.1"), 32}, false});
  const Node node(service6("2001:db8:1::1") + server("198.51.100.1 80", {"10.0.0.2 80"}), kernel);
  EXPECT_EQ(text(node.diagnostics), "");
  EXPECT_EQ(node.vips(), "2001:db8:1::1/128 on eth0\n198.51.100.1/32 on eth0\n");
  kernel.routes.pop_back();
  const Node without(service6("2001:db8:1::1"), kernel);
  EXPECT_EQ(text(without.diagnostics),
            "error: 2001:db8:1::1 is in no vrrp_instance and in no network of this node\n");
  EXPECT_NE(text(Node(service6("::1")).diagnostics), "");
}

TEST(Topology6, AnExcludedVipOfAnIpv4InstanceFollowsItsLease) {
  const Node node(instance("use_vmac\n virtual_ipaddress_excluded {\n 2001:db8::100/64\n }") +
                  service6());
  EXPECT_EQ(text(node.diagnostics), "");
  EXPECT_EQ(node.vips(),
            "192.0.2.100/32 on eth0, lease 0, ours, answered\n"
            "2001:db8::100/64 on eth0, lease 0, ours, answered\n");
  EXPECT_EQ(node.topology->vips[1].mac, node.topology->vips[0].mac) << "the virtual one";
}

TEST(Topology6, EachFamilyHasItsDefaultRoute) {
  KernelView kernel = kernel6();
  kernel.routes.back().ifindex = kEth1;
  const auto ports = [&](const std::string& config) {
    std::string names;
    const Node node(config, kernel);
    for (const auto& port : node.topology->ports) names += port.netdev + ' ';
    return names;
  };
  // IPv4's leads through eth0, IPv6's through eth1.
  EXPECT_EQ(ports(server("fd00::100 80", {"fd00::2 80"})), "eth1 ");
  EXPECT_EQ(ports(server("10.0.0.100 80", {"10.0.0.2 80"})), "eth1 eth0 ");
  EXPECT_EQ(ports(server("2001:db8::100 80", {"2001:db8::2 80"})), "eth0 eth1 ");
}

TEST(Topology6, AServerThatIsThisNodeIsRefused) {
  const Node node(server("2001:db8::100 80", {"fd00::5 80"}));
  EXPECT_FALSE(node.diagnostics.can_run());
  EXPECT_EQ(text(node.diagnostics), "error: fd00::5 is an address of this node itself\n");
}

TEST(Topology6, TheSourceOfAdvertsIsAnIpv4Address) {
  KernelView kernel = kernel6();
  kernel.addresses.insert(kernel.addresses.begin(), {kEth0, {any("2001:db8::6"), 64}, false});
  const Node node(instance(), kernel);
  EXPECT_EQ(to_string(node.topology->instances[0].source), "192.0.2.5");
}

TEST(Planner6, AServiceInTheSnapshot) {
  Node node;
  const Plan plan = node.plan();
  const lb::Snapshot& snapshot = *plan.snapshot;
  ASSERT_EQ(plan.services.size(), 1u);
  EXPECT_EQ(to_string(plan.services[0].service->vip), "[2001:db8::100]:80");
  const auto* found =
      snapshot.find_service<net::V6>(any("2001:db8::100").v6(), net::be16(80), net::Protocol::kTcp);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->lease, lb::kAlwaysOurs);
  EXPECT_EQ(snapshot.service(found->slot), plan.services[0].service.get());
  EXPECT_TRUE(snapshot.find_vip(any("2001:db8::100"))->answer);
  EXPECT_EQ(plan.services[0].service->weight_max, 3u);
}

TEST(Planner6, NextHopsAndForwarding) {
  KernelView kernel = kernel6();
  kernel.ip6_forward = true;
  Node node(service6(), kernel);
  const Plan plan = node.plan();
  const neigh::NextHops& hops = plan.snapshot->next_hops();
  EXPECT_EQ(hops.resolve(any("2001:db8:9::9")).mac, mac("02:00:00:00:0c:06"));
  EXPECT_EQ(hops.resolve(any("fd00::2")).mac, mac("02:00:00:00:0a:06"));
  EXPECT_EQ(hops.resolve(any("fd00::3")).reach, neigh::Reach::kNoNeighbour);
  EXPECT_TRUE(plan.snapshot->ip_forward(net::Family::kV6));
  EXPECT_FALSE(plan.snapshot->ip_forward(net::Family::kV4));
}

std::string uses(const DeviceSteering& steering) {
  std::string all;
  for (const auto& [address, use] : steering.addresses) {
    if (address.is_v4()) continue;
    all += to_string(address) + (use.answer ? " answer" : "") + (use.service ? " service" : "") +
           (use.own ? " own" : "") + (use.real ? " real" : "") + (use.refuse ? " refuse" : "") +
           '\n';
  }
  return all;
}

TEST(Steering6, ServicesAndNatedServers) {
  Node node(instance() + service6());
  for (const DeviceSteering& steering : node.plan().steering) {
    EXPECT_EQ(uses(steering),
              "::1 own\n2001:db8::5 own\n2001:db8::100 answer service\nfd00::2 real\nfd00::3 real\n"
              "fd00::5 own\nfe80::5 own\n");
    ASSERT_EQ(steering.services.size(), 1u);
    EXPECT_EQ(to_string(steering.services[0].endpoint), "[2001:db8::100]:80");
    ASSERT_EQ(steering.reals.size(), 2u);
    EXPECT_EQ(to_string(steering.reals[1].endpoint), "[fd00::3]:80");
  }
  Node closed(instance("no_accept", "eth0", "2001:db8::100") + service6());
  EXPECT_NE(uses(closed.plan().steering[0]).find("2001:db8::100 answer service refuse\n"),
            std::string::npos);
  EXPECT_FALSE(closed.plan().snapshot->find_vip(any("2001:db8::100"))->accept);
  Node direct(service6("2001:db8::100", "DR"));
  EXPECT_TRUE(direct.plan().steering[0].reals.empty());
}

}  // namespace
}  // namespace keepline::control
