// Leaving out what is not built yet.
#include "control/plan/ipv4_only.h"

#include <gtest/gtest.h>

namespace keepline::control {
namespace {

net::IpAddr address(const char* text) {
  return *net::parse_ip(text);
}

TEST(Ipv4Only, LeavesOutInstancesAndTheirPlaceInGroups) {
  config::Config config;
  config::VrrpInstance four;
  four.name = "four";
  four.excluded_vips = {{address("2001:db8::1")}, {address("10.0.0.2")}};
  config::VrrpInstance six;
  six.name = "six";
  six.is_v6 = true;
  config.vrrp_instances = {six, four};
  config.sync_groups.push_back({.name = "group", .members = {"four", "six"}});
  const config::Config result = ipv4_only(config);
  ASSERT_EQ(result.vrrp_instances.size(), 1u);
  EXPECT_EQ(result.vrrp_instances[0].name, "four");
  ASSERT_EQ(result.vrrp_instances[0].excluded_vips.size(), 1u);
  EXPECT_EQ(result.vrrp_instances[0].excluded_vips[0].address, address("10.0.0.2"));
  EXPECT_EQ(result.sync_groups[0].members, std::vector<std::string>{"four"});
}

TEST(Ipv4Only, LeavesOutServersOfTheOtherFamily) {
  config::Config config;
  config::VirtualServer four;
  four.address = address("192.0.2.100");
  four.real_servers.resize(2);
  four.real_servers[0].address = address("10.0.0.1");
  four.real_servers[1].address = address("2001:db8::2");
  four.sorry_server.emplace();
  four.sorry_server->target.address = address("2001:db8::3");
  config::VirtualServer six;
  six.address = address("2001:db8::100");
  config.virtual_servers = {six, four};
  const config::Config result = ipv4_only(config);
  ASSERT_EQ(result.virtual_servers.size(), 1u);
  ASSERT_EQ(result.virtual_servers[0].real_servers.size(), 1u);
  EXPECT_EQ(result.virtual_servers[0].real_servers[0].address, address("10.0.0.1"));
  EXPECT_FALSE(result.virtual_servers[0].sorry_server.has_value());
}

}  // namespace
}  // namespace keepline::control
