// Leaving out what is not built yet.
#include "control/plan/built_part.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

net::IpAddr address(const char* text) {
  return *net::parse_ip(text);
}

// Two instances of a group, and a service on an address of each; `six` has one more of IPv4.
config::Config mixed() {
  config::Config config;
  config::VrrpInstance four;
  four.name = "four";
  four.excluded_vips = {{address("2001:db8::1")}, {address("192.0.2.2")}};
  config::VrrpInstance six;
  six.name = "six";
  six.is_v6 = true;
  six.vips = {{address("2001:db8::2")}};
  six.excluded_vips = {{address("192.0.2.3")}};
  config.vrrp_instances = {six, four};
  config.sync_groups.push_back({.name = "group", .members = {"four", "six"}});
  for (const char* vip : {"2001:db8::1", "192.0.2.2", "2001:db8::2", "192.0.2.3", "2001:db8::4"}) {
    config.virtual_servers.emplace_back().address = address(vip);
  }
  return config;
}

TEST(BuiltPart, LeavesOutIpv6InstancesAndTheirPlaceInGroups) {
  config::Diagnostics diagnostics;
  const config::Config result = built_part(mixed(), Mode(), diagnostics);
  ASSERT_EQ(result.vrrp_instances.size(), 1u);
  EXPECT_EQ(result.vrrp_instances[0].name, "four");
  EXPECT_EQ(result.vrrp_instances[0].excluded_vips.size(), 2u);
  EXPECT_EQ(result.sync_groups[0].members, std::vector<std::string>{"four"});
}

TEST(BuiltPart, LeavesOutServicesWhoseAddressNobodyWouldHold) {
  config::Diagnostics diagnostics;
  const config::Config result = built_part(mixed(), Mode(), diagnostics);
  std::string served;
  for (const auto& server : result.virtual_servers) served += to_string(server.address) + ' ';
  EXPECT_EQ(served, "2001:db8::1 192.0.2.2 2001:db8::4 ");
  const auto why = " is skipped: its vrrp_instance is one of IPv6, which is not built yet\n";
  EXPECT_EQ(text(diagnostics), std::string("warning: virtual_server 2001:db8::2") + why +
                                   "warning: virtual_server 192.0.2.3" + why);
  EXPECT_TRUE(diagnostics.can_run());
  EXPECT_EQ(diagnostics.exit_code(), 5);
}

TEST(BuiltPart, WhereSomebodyElseSpeaksVrrpAllServicesStay) {
  config::Diagnostics diagnostics;
  const config::Config result = built_part(mixed(), {false, true}, diagnostics);
  EXPECT_EQ(result, mixed());
  EXPECT_EQ(text(diagnostics), "");
}

}  // namespace
}  // namespace keepline::control
