#include "control/plan/topology.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

struct Built {
  Topology topology;
  config::Diagnostics diagnostics;
};

Built build(const std::string& config, const KernelView& kernel = usual_kernel(),
            Mode mode = Mode()) {
  Built built;
  built.topology = make_topology(config_of(config), kernel, mode, built.diagnostics);
  return built;
}

std::string ports(const Built& built) {
  std::string names;
  for (const PlacedPort& port : built.topology.ports) {
    names += (names.empty() ? "" : " ") + port.netdev;
  }
  return names;
}

// "192.0.2.100 on 0 lease 0 at 02:..:01 ours", or what is wrong.
std::string vips(const Built& built) {
  std::string all;
  for (const PlacedVip& vip : built.topology.vips) {
    all += to_string(vip.address) + '/' + std::to_string(vip.prefix_length) + " on " +
           std::to_string(vip.port) +
           (vip.lease == lb::kAlwaysOurs ? std::string(" always")
                                         : " lease " + std::to_string(vip.lease)) +
           " at " + to_string(vip.mac) + (vip.is_ours ? " ours" : " own") + '\n';
  }
  return all;
}

// Everything that is refused, by its message.
std::string refusal(const std::string& config, const KernelView& kernel = usual_kernel()) {
  const Built built = build(config, kernel);
  EXPECT_FALSE(built.diagnostics.can_run());
  for (const config::Diagnostic& d : built.diagnostics.items()) EXPECT_NE(d.hint, "") << d.message;
  return text(built.diagnostics);
}

TEST(Topology, AnInstanceAttachesItsInterface) {
  const Built built = build(instance());
  EXPECT_EQ(text(built.diagnostics), "");
  EXPECT_EQ(ports(built), "eth0");
  EXPECT_EQ(vips(built), "192.0.2.100/32 on 0 lease 0 at 02:00:00:00:00:01 ours\n");
  ASSERT_EQ(built.topology.instances.size(), 1u);
  EXPECT_EQ(built.topology.instances[0].port, 0);
  EXPECT_EQ(to_string(built.topology.instances[0].source), "192.0.2.5");
  EXPECT_FALSE(built.topology.instances[0].vmac);
  EXPECT_EQ(built.topology.ports[0].mac, mac("02:00:00:00:00:01"));
  EXPECT_EQ(built.topology.ports[0].mtu, 1500u);
  EXPECT_TRUE(built.topology.ports[0].virtual_macs.empty());
}

TEST(Topology, ServicesAttachTheWaysToTheirServersAndTheDefaultRoute) {
  const Built built = build(instance("", "eth1", "10.0.0.100/24\n 192.0.2.100/24 dev eth0") +
                            server("192.0.2.100 80", {"10.0.0.2 80"}));
  EXPECT_EQ(text(built.diagnostics), "");
  EXPECT_EQ(ports(built), "eth1 eth0");
  EXPECT_EQ(vips(built),
            "10.0.0.100/24 on 0 lease 0 at 02:00:00:00:00:02 ours\n"
            "192.0.2.100/24 on 1 lease 0 at 02:00:00:00:00:01 ours\n");
  EXPECT_EQ(to_string(built.topology.instances[0].source), "10.0.0.5");
  // By the default route alone.
  EXPECT_EQ(ports(build(server("10.0.0.100 80", {"10.0.0.2 80"}))), "eth1 eth0");
}

TEST(Topology, TheSorryServersWayIsOneToo) {
  KernelView kernel = usual_kernel();
  kernel.routes.pop_back();
  const auto config = server("192.0.2.100 80", {"192.0.2.20 80"}, "sorry_server 10.0.0.9 80");
  EXPECT_EQ(ports(build(config, kernel)), "eth0 eth1");
}

TEST(Topology, WithoutServicesNoMoreThanTheInstancesNeed) {
  const auto config =
      instance("", "eth1", "10.0.0.100") + server("192.0.2.100 80", {"10.0.0.2 80"});
  const Built vrrp_only = build(config, usual_kernel(), {true, false});
  EXPECT_EQ(ports(vrrp_only), "eth1");
  EXPECT_EQ(vips(vrrp_only), "10.0.0.100/32 on 0 lease 0 at 02:00:00:00:00:02 ours\n");
}

TEST(Topology, WithoutVrrpAnInstancesVipIsSomebodyElses) {
  const auto config = instance() + server("192.0.2.100 80", {"10.0.0.2 80"});
  const Built services_only = build(config, usual_kernel(), {false, true});
  EXPECT_EQ(text(services_only.diagnostics), "");
  EXPECT_EQ(ports(services_only), "eth0 eth1");
  EXPECT_EQ(vips(services_only), "192.0.2.100/32 on 0 always at 02:00:00:00:00:01 own\n");
  EXPECT_TRUE(services_only.topology.instances.empty());
}

TEST(Topology, AnAddressThatTheNodeHasIsNotOurs) {
  KernelView kernel = usual_kernel();
  kernel.addresses.push_back({kEth0, {ip("192.0.2.100"), 24}, true});
  EXPECT_EQ(vips(build(instance("priority 255"), kernel)),
            "192.0.2.100/32 on 0 lease 0 at 02:00:00:00:00:01 own\n");
  EXPECT_EQ(vips(build(server("192.0.2.100 80", {"10.0.0.2 80"}), kernel)),
            "192.0.2.100/32 on 0 always at 02:00:00:00:00:01 own\n");
}

TEST(Topology, OnlyAnOwnerHasItsVipAnyway) {
  // On another node somebody has left it behind; and an owner without it is as any other.
  KernelView kernel = usual_kernel();
  const auto ours = "192.0.2.100/32 on 0 lease 0 at 02:00:00:00:00:01 ours\n";
  EXPECT_EQ(vips(build(instance("priority 255"), kernel)), ours);
  kernel.addresses.push_back({kEth0, {ip("192.0.2.100"), 24}, true});
  EXPECT_EQ(vips(build(instance("priority 254"), kernel)), ours);
}

TEST(Topology, ALoneVipLivesInTheSmallestNetworkThatHasIt) {
  KernelView kernel = usual_kernel();
  const auto config = server("192.0.2.100 80", {"10.0.0.2 80"});
  EXPECT_EQ(vips(build(config, kernel)), "192.0.2.100/32 on 0 always at 02:00:00:00:00:01 ours\n");
  kernel.addresses.push_back({kEth1, {ip("192.0.2.97"), 28}, false});
  const Built built = build(config, kernel);
  EXPECT_EQ(vips(built), "192.0.2.100/32 on 0 always at 02:00:00:00:00:02 ours\n");
  EXPECT_EQ(ports(built), "eth1 eth0");
}

TEST(Topology, OneVipForSeveralServicesIsPlacedOnce) {
  const Built built =
      build(server("192.0.2.100 80", {"10.0.0.2 80"}) + server("192.0.2.100 81", {"10.0.0.2 81"}));
  EXPECT_EQ(built.topology.vips.size(), 1u);
  EXPECT_NE(built.topology.find_vip(ip("192.0.2.100")), nullptr);
  EXPECT_EQ(built.topology.find_vip(ip("192.0.2.101")), nullptr);
}

TEST(Topology, VirtualMacs) {
  const Built built = build(instance("use_vmac", "eth0", "192.0.2.100\n 10.0.0.100 dev eth1"));
  ASSERT_EQ(built.topology.ports.size(), 2u);
  const net::Mac vmac = mac("00:00:5e:00:01:33");
  EXPECT_EQ(built.topology.instances[0].vmac, vmac);
  EXPECT_EQ(built.topology.ports[0].virtual_macs, std::vector<net::Mac>{vmac});
  EXPECT_TRUE(built.topology.ports[1].virtual_macs.empty());
  EXPECT_EQ(vips(built),
            "192.0.2.100/32 on 0 lease 0 at 00:00:5e:00:01:33 ours\n"
            "10.0.0.100/32 on 1 lease 0 at 02:00:00:00:00:02 ours\n");
}

TEST(Topology, TheSourceOfAdvertsIsNoVipAndRatherPrimary) {
  KernelView kernel = usual_kernel();
  kernel.addresses.insert(kernel.addresses.begin() + 1, {kEth0, {ip("192.0.2.77"), 24}, true});
  EXPECT_EQ(to_string(build(instance(), kernel).topology.instances[0].source), "192.0.2.5");
  // Appeared after the placing, because we added it.
  const Built built = build(instance());
  kernel = usual_kernel();
  kernel.addresses.insert(kernel.addresses.begin(), {kEth0, {ip("192.0.2.100"), 24}, false});
  EXPECT_EQ(to_string(primary_address(kernel, kEth0, false, built.topology)), "192.0.2.5");
  kernel.addresses.clear();
  EXPECT_TRUE(primary_address(kernel, kEth0, false, built.topology).is_zero());
}

TEST(TopologyRefuses, AnInterfaceThatDoesNotExist) {
  EXPECT_EQ(refusal(instance("", "eth9")), "error: interface eth9 does not exist\n");
  EXPECT_EQ(refusal(instance("", "eth0", "192.0.2.100 dev eth9")),
            "error: interface eth9 does not exist\n");
}

TEST(TopologyRefuses, InterfacesThatCannotBeAttached) {
  EXPECT_NE(refusal(instance("", "bond0")).find("bond bond0 has 0 NICs"), std::string::npos);
  EXPECT_NE(refusal(instance("", "tun0")).find("interface tun0 is not Ethernet"),
            std::string::npos);
  EXPECT_NE(refusal(instance("", "lo")).find("interface lo is not Ethernet"), std::string::npos);
  EXPECT_NE(refusal(instance("", "eth2")).find("the MTU of eth2 is 9000"), std::string::npos);
}

TEST(TopologyRefuses, VlansOfWhatCannotBeAttached) {
  const auto of = [](unsigned lower, const char* kind = "vlan") {
    KernelView kernel = usual_kernel();
    kernel.links.push_back(
        {20, "v20", mac("02:00:00:00:00:20"), 1500, true, true, kind, lower, 20});
    return refusal(instance("", "v20"), kernel);
  };
  EXPECT_NE(of(99).find("VLAN v20 has its device in another namespace"), std::string::npos);
  EXPECT_NE(of(kVlan).find("VLAN v20 is of a VLAN itself"), std::string::npos);
  EXPECT_NE(of(kBond).find("bond bond0 has 0 NICs"), std::string::npos);
  EXPECT_NE(of(kJumbo).find("the MTU of eth2 is 9000"), std::string::npos);
}

TEST(Topology, VlansShareTheirDevice) {
  const Built built =
      build(instance("", "eth0.10") + server("192.0.2.100 80", {"10.0.0.2 80", "192.0.2.9 80"}));
  EXPECT_EQ(text(built.diagnostics), "");
  EXPECT_EQ(ports(built), "eth0.10 eth1 eth0");
  const Topology& topology = built.topology;
  ASSERT_EQ(topology.devices.size(), 2u);
  EXPECT_EQ(topology.devices[0].netdev, "eth0");
  EXPECT_EQ(topology.ports[0].vlan, 10);
  EXPECT_EQ(topology.ports[2].vlan, 0);
  EXPECT_EQ(topology.ports[0].device, topology.ports[2].device);
  EXPECT_NE(topology.ports[0].device, topology.ports[1].device);
}

TEST(Topology, ABondIsOneDeviceOfSeveralNics) {
  KernelView kernel = usual_kernel();
  kernel.links.push_back({20, "nic0", mac("02:00:00:00:00:03"), 1500, true, true, "", 0, 0, kBond});
  kernel.links.push_back({21, "nic1", mac("02:00:00:00:00:03"), 1500, true, true, "", 0, 0, kBond});
  kernel.links.push_back(
      {22, "bond0.7", mac("02:00:00:00:00:03"), 1500, true, true, "vlan", kBond, 7});
  const Built built = build(instance("", "bond0.7", "192.0.2.100 dev bond0"), kernel);
  EXPECT_EQ(text(built.diagnostics), "");
  EXPECT_EQ(ports(built), "bond0.7 bond0");
  ASSERT_EQ(built.topology.devices.size(), 1u);
  const PlacedDevice& bond = built.topology.devices[0];
  ASSERT_EQ(bond.nics.size(), 2u);
  EXPECT_EQ(bond.nics[0].netdev + ' ' + bond.nics[1].netdev, "nic0 nic1");

  EXPECT_EQ(nics_in_use(bond, kernel), 0u);
  kernel.links[8].carries = true;
  EXPECT_EQ(nics_in_use(bond, kernel), 2u);
  kernel.links[7].carries = true;
  EXPECT_EQ(nics_in_use(bond, kernel), 3u);
  kernel.links[8].bond = 0;
  EXPECT_EQ(nics_in_use(bond, kernel), 1u) << "it has left the bond";
  kernel.links[7].mtu = 9000;
  EXPECT_NE(refusal(instance("", "bond0"), kernel).find("the MTU of nic0 is 9000"),
            std::string::npos);
}

TEST(Topology, OwnedPortsAndTheirVlansHaveAPortToTheTapEach) {
  const Built built = build("dataplane {\n port eth0 {\n pci 3b:00.0\n }\n}\n" +
                            instance("", "eth0.10") + server("192.0.2.100 80", {"10.0.0.2 80"}));
  EXPECT_EQ(text(built.diagnostics), "");
  EXPECT_EQ(ports(built), "eth0 eth0.10 eth1");
  const Topology& topology = built.topology;
  ASSERT_EQ(topology.devices.size(), 2u);
  EXPECT_EQ(topology.devices[0].owned.pci, "0000:3b:00.0");
  EXPECT_TRUE(topology.is_owned(topology.ports[1]));
  EXPECT_FALSE(topology.is_owned(topology.ports[2]));
  EXPECT_EQ(topology.tap_of(0), 3);
  EXPECT_EQ(topology.tap_of(1), 4);
}

TEST(TopologyRefuses, TheMtuFromTheFirstByteTooMuch) {
  KernelView kernel = usual_kernel();
  kernel.links[1].mtu = kMaxAfXdpMtu;
  EXPECT_TRUE(build(instance(), kernel).diagnostics.can_run());
  kernel.links[1].mtu = kMaxAfXdpMtu + 1;
  EXPECT_FALSE(build(instance(), kernel).diagnostics.can_run());
}

TEST(TopologyRefuses, ALoneVipInNoNetwork) {
  EXPECT_EQ(refusal(server("198.51.100.1 80", {"10.0.0.2 80"})),
            "error: 198.51.100.1 is in no vrrp_instance and in no network of this node\n");
  // Nor does the loopback count as one.
  EXPECT_EQ(refusal(server("127.0.0.9 80", {"10.0.0.2 80"})),
            "error: 127.0.0.9 is in no vrrp_instance and in no network of this node\n");
}

TEST(TopologyRefuses, AServerThatIsThisNode) {
  EXPECT_EQ(refusal(server("192.0.2.100 80", {"192.0.2.5 80"})),
            "error: 192.0.2.5 is an address of this node itself\n");
  EXPECT_EQ(refusal(server("192.0.2.100 80", {"10.0.0.2 80"}, "sorry_server 127.0.0.1 80")),
            "error: 127.0.0.1 is an address of this node itself\n");
}

TEST(TopologyRefuses, AServerBehindAnInterfaceThatCannotBeAttached) {
  KernelView kernel = usual_kernel();
  kernel.routes.push_back({{ip("10.8.0.0"), 24}, kBond, {}, 0});
  EXPECT_NE(refusal(server("192.0.2.100 80", {"10.8.0.2 80"}), kernel).find("bond0 has 0 NICs"),
            std::string::npos);
}

TEST(TopologyRefuses, MoreInterfacesThanThereArePorts) {
  KernelView kernel = usual_kernel();
  std::string addresses;
  for (unsigned i = 0; i <= net::kMaxPorts; ++i) {
    const std::string name = "nic" + std::to_string(i);
    kernel.links.push_back({100 + i, name, mac("02:00:00:00:00:05"), 1500, true, true, ""});
    addresses += "10.1." + std::to_string(i) + ".1 dev " + name + '\n';
  }
  const Built built = build(instance("", "nic0", addresses), kernel);
  EXPECT_FALSE(built.diagnostics.can_run());
  EXPECT_EQ(text(built.diagnostics), "error: more than 32 interfaces needed\n");
  EXPECT_EQ(built.topology.ports.size(), net::kMaxPorts);
}

TEST(Topology, WithoutARouteToAServerItIsOnlyAWarning) {
  KernelView kernel = usual_kernel();
  kernel.routes.pop_back();
  const Built built = build(server("192.0.2.100 80", {"203.0.113.2 80"}), kernel);
  EXPECT_TRUE(built.diagnostics.can_run());
  EXPECT_EQ(text(built.diagnostics).substr(0, 33), "warning: no route to 203.0.113.2:");
  EXPECT_EQ(ports(built), "eth0");
}

TEST(Topology, ADefaultRouteThatCannotBeAttachedIsLeftAlone) {
  for (const unsigned way : {kTun, kJumbo, kLo}) {
    KernelView kernel = usual_kernel();
    kernel.routes.back().ifindex = way;
    const Built built = build(server("10.0.0.100 80", {"10.0.0.2 80"}), kernel);
    EXPECT_EQ(text(built.diagnostics), "");
    EXPECT_EQ(ports(built), "eth1");
  }
}

TEST(Topology, OfSeveralDefaultRoutesTheBest) {
  KernelView kernel = usual_kernel();
  kernel.links[5].mtu = 1500;
  kernel.routes.push_back({{ip("0.0.0.0"), 0}, kJumbo, ip("198.51.100.1"), 50});
  EXPECT_EQ(ports(build(server("10.0.0.100 80", {"10.0.0.2 80"}), kernel)), "eth1 eth2");
}

}  // namespace
}  // namespace keepline::control
