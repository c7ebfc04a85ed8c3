// The files that must run, exit codes, and how diagnostics are given.
#include "control/config/load.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "control/config/print.h"
#include "control/config/suggest.h"
#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

std::string file_text(const std::string& name) {
  std::ifstream file(std::string(KEEPLINE_CONFIG_DIR) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Tutorial : public testing::TestWithParam<const char*> {};

TEST_P(Tutorial, RunsAndRoundTrips) {
  const std::string text = file_text(GetParam());
  ASSERT_FALSE(text.empty());
  const LoadResult result = load_text(text);
  EXPECT_EQ(result.diagnostics.exit_code(), 0) << all(result);
  EXPECT_FALSE(result.diagnostics.has_errors()) << all(result);
  EXPECT_TRUE(result.diagnostics.can_run());
  const LoadResult again = load_text(print(result.config));
  EXPECT_FALSE(again.diagnostics.has_errors()) << all(again) << print(result.config);
  EXPECT_TRUE(again.config == result.config) << print(result.config) << print(again.config);
}

INSTANTIATE_TEST_SUITE_P(Files, Tutorial,
                         testing::Values("a-equal-pair.conf", "b-backup.conf", "b-master.conf",
                                         "c-load-balancer.conf", "d-node1.conf", "d-node2.conf",
                                         "e-primary.conf", "e-secondary.conf"));

TEST(Load, MissingFileIsOneFatalLine) {
  MemoryLoader loader;
  const LoadResult result = load("/none.conf", loader, {});
  ASSERT_EQ(result.diagnostics.items().size(), 1U);
  EXPECT_EQ(to_string(result.diagnostics.items()[0]),
            "/none.conf: error: cannot read the configuration: No such file or directory");
  EXPECT_EQ(result.diagnostics.exit_code(), 4);
  EXPECT_FALSE(result.diagnostics.can_run());
}

struct Probe {
  const char* name;
  std::string text;
  int exit_code;
  bool can_run;
};

// What keepalived says to the same files, except where a comment says otherwise.
std::vector<Probe> oracle() {
  const std::string script = "vrrp_script s {\n script \"/bin/true\"\n}\n";
  const std::string in_group =
      "virtual_server group H {\n lb_algo rr\n lb_kind NAT\n"
      " protocol TCP\n real_server 10.0.1.1 80 { }\n}\n";
  return {
      {"clean", instance_text(), 0, true},
      {"empty", "", 0, true},
      {"unknown keyword", instance_text("foo 1"), 5, true},
      {"unknown block", "foo {\n bar 1\n}\n" + instance_text(), 5, true},
      {"extra brace", instance_text() + "}\n", 5, true},
      {"missing brace",
       "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n"
       "virtual_ipaddress {\n10.0.0.1\n}\n",
       5, true},
      {"no value", instance_text("priority"), 2, false},
      {"no vrid", "vrrp_instance A {\ninterface eth0\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n", 5,
       false},
      {"duplicate vrid", instance_text() + instance_text("", "VI_2", "10.0.0.2"), 5, false},
      {"long password", instance_text("authentication {\nauth_type PASS\nauth_pass 123456789\n}"),
       5, true},
      {"v2 0.4", instance_text("advert_int 0.4"), 5, true},
      {"v3 .125", instance_text("version 3\nadvert_int .125"), 5, true},
      {"v3 .25", instance_text("version 3\nadvert_int .25"), 0, true},
      {"v2 without vip", "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n}\n", 5, true},
      {"script", script, 6, true},
      {"secure script", "global_defs {\nenable_script_security\nscript_user root\n}\n" + script, 0,
       true},
      {"include", "include none.conf\n", 0, true},
      {"includea", "includea none.conf\n", 6, false},
      {"state Master", instance_text("state Master"), 5, true},
      {"comment by slashes", instance_text("", "A", "10.9.9.9 // c"), 5, true},
      {"two on a line", instance_text("", "A", "10.0.0.1 10.0.0.2"), 5, true},
      {"nopreempt master", instance_text("state MASTER\npriority 100\nnopreempt"), 5, true},
      {"vrid 256", instance_text("virtual_router_id 256"), 5, true},
      {"priority 300", instance_text("priority 300"), 5, true},
      {"vrrp_strict inside", instance_text("vrrp_strict"), 5, true},
      {"extra words", instance_text("priority 90 // comment"), 0, true},
      {"group of unknown", instance_text() + "vrrp_sync_group G {\ngroup {\nVI_1\nVI_9\n}\n}\n", 5,
       true},
      {"name before slash", "$VIP=10.0.0.1\n" + instance_text("", "A", "$VIP/24"), 5, true},
      {"braced name", "$VIP=10.0.0.1\n" + instance_text("", "A", "${VIP}/24"), 0, true},
      {"range", "virtual_server_group H {\n10.0.0.1-3 80\n}\n" + in_group, 0, true},
      // Only logged by keepalived; here an error.
      {"unknown group", in_group, 5, true},
      {"unknown lb_algo", service_text("lb_algo foo"), 5, true},
      {"other port with DR", service_text("lb_kind DR"), 5, true},
      {"persistence 0", service_text("persistence_timeout 0"), 5, true},
      {"quorum", service_text("quorum 9"), 5, true},
      {"no real server", "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n}",
       5, true},
      {"port behind colon", service_text("", "", "10.0.0.1:80"), 5, true},
      {"lb_kind in real_server", service_text("", "lb_kind NAT"), 5, true},
      {"mh-port with rr", service_text("mh-port"), 5, true},
      {"no protocol",
       "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\n"
       "real_server 10.0.1.1 80 {\n}\n}\n",
       5, true},
      {"url without path", service_text("", "HTTP_GET {\nurl {\nstatus_code 200\n}\n}"), 5, true},
      {"garp_interval 0", "global_defs {\nvrrp_garp_interval 0\nvrrp_gna_interval 0\n}\n", 0, true},
      {"unicast", instance_text("unicast_peer {\n10.0.0.8\n}"), 0, true},
      {"unicast, strict", instance_text("strict_mode\nunicast_peer {\n10.0.0.8\n}"), 5, false},
  };
}

TEST(Load, ExitCodesAreThoseOfKeepalived) {
  for (const Probe& probe : oracle()) {
    const LoadResult result = load_text(probe.text);
    EXPECT_EQ(result.diagnostics.exit_code(), probe.exit_code) << probe.name << '\n' << all(result);
    EXPECT_EQ(result.diagnostics.can_run(), probe.can_run) << probe.name << '\n' << all(result);
  }
}

TEST(Load, AllDiagnosticsAtOnce) {
  const LoadResult result =
      load_text(instance_text("priority\nadvert_intt 1\nversion 7\n"
                              "unicast_peer {\nfd00::3\n}"));
  EXPECT_NE(find(result, "priority missing parameter"), nullptr);
  EXPECT_NE(find(result, "did you mean 'advert_int'?"), nullptr);
  EXPECT_NE(find(result, "'7' is not a number in 2..3"), nullptr);
  EXPECT_NE(find(result, "unicast_peer fd00::3 is of another family"), nullptr);
  EXPECT_EQ(result.diagnostics.exit_code(), 2);
}

TEST(Load, PositionsPointAtTheWord) {
  const LoadResult result = load_text("vrrp_instance A {\n  priority 300 # no\n}\n");
  EXPECT_EQ(to_string(result.diagnostics.items()[0]),
            "/etc/k.conf:2:12: error: priority: '300' is not a number in 1..255: ignored");
}

TEST(Load, PrecedenceOfExitCodes) {
  Diagnostics d;
  EXPECT_EQ(d.exit_code(), 0);
  d.warning({}, "", "w");
  EXPECT_EQ(d.exit_code(), 0);
  d.fatal({}, "", "f");
  EXPECT_EQ(d.exit_code(), 4);
  d.error({}, "", "e");
  EXPECT_EQ(d.exit_code(), 5);
  d.warning({}, "", "s", "", Effect::kScriptSecurity);
  EXPECT_EQ(d.exit_code(), 6);
  d.fatal({}, "", "m", "", Effect::kMissingParameter);
  EXPECT_EQ(d.exit_code(), 2);
  EXPECT_FALSE(d.can_run());
}

TEST(Load, DiagnosticsAreBoundedButKeepTheirEffect) {
  Diagnostics d;
  for (std::size_t i = 0; i < Diagnostics::kMaxDiagnostics + 5; ++i) d.warning({}, "", "w");
  d.fatal({}, "", "f");
  EXPECT_EQ(d.items().size(), Diagnostics::kMaxDiagnostics);
  EXPECT_EQ(d.dropped(), 6U);
  EXPECT_FALSE(d.can_run());
}

TEST(Load, KnownButNotBuiltIsOneWarningEach) {
  const char* const blocks[] = {"track_group p", "static_routes"};
  for (const char* block : blocks) {
    const LoadResult result = load_text(std::string(block) + " {\n anything 1\n x { y 2 }\n}\n");
    ASSERT_EQ(result.diagnostics.items().size(), 1U) << block << all(result);
    EXPECT_EQ(result.diagnostics.items()[0].severity, Severity::kWarning);
    EXPECT_EQ(result.diagnostics.items()[0].position.line, 1U);
    EXPECT_EQ(result.diagnostics.exit_code(), 0);
  }
  const LoadResult result = load_text("global_defs {\n nftables x\n lvs_sync_daemon e A\n}\n");
  EXPECT_EQ(result.diagnostics.items().size(), 2U) << all(result);
  EXPECT_EQ(result.diagnostics.exit_code(), 0);
}

TEST(Load, MailNeedsNoWarning) {
  for (const char* recipients : {"", "a@b\n"}) {
    const LoadResult result = load_text(std::string("global_defs {\n notification_email {\n ") +
                                        recipients + " }\n smtp_server 10.0.0.1 2525\n}\n");
    EXPECT_TRUE(result.diagnostics.items().empty()) << all(result);
  }
}

TEST(Load, UnknownNestedBlockIsSkippedWhole) {
  const LoadResult result = load_text(
      "vrrp_instance A {\n interface eth0\n foo {\n priority 7\n bar { }\n }\n"
      " virtual_router_id 9\n virtual_ipaddress { 10.0.0.1 }\n}\n");
  EXPECT_EQ(result.diagnostics.exit_code(), 5);
  EXPECT_TRUE(result.diagnostics.can_run());
  ASSERT_EQ(result.diagnostics.items().size(), 1U);
  EXPECT_EQ(result.config.vrrp_instances[0].virtual_router_id, std::uint8_t{9});
}

TEST(Load, EditDistance) {
  EXPECT_EQ(edit_distance("priority", "prioirty"), 1U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  const std::string_view names[] = {"priority", "interface"};
  EXPECT_EQ(nearest("prority", names), "priority");
  EXPECT_EQ(nearest("zzzzzzz", names), "");
}

TEST(Load, ListsInterfaces) {
  const LoadResult result =
      load_text(instance_text("track_interface {\neth5\n}", "A", "10.0.0.1 dev eth7") +
                "dataplane { port eth9 { pci 0000:01:00.0 } }\n");
  const auto mentions = mentioned_interfaces(result.config);
  ASSERT_EQ(mentions.size(), 4U);
  EXPECT_EQ(mentions[0].name, "eth0");
  EXPECT_EQ(mentions[1].name, "eth7");
  EXPECT_EQ(mentions[1].position.line, 5U);
}

TEST(Load, PortsThatAreNotRight) {
  const auto errors = [](const std::string& port) {
    return all(load_text("dataplane {\n port eth9 {\n" + port + "\n }\n}\n"));
  };
  EXPECT_EQ(errors("pci 0000:01:00.0"), "");
  EXPECT_NE(errors("pci eth9").find("3:1: error: pci: 'eth9' is no PCI address"), std::string::npos)
      << errors("pci eth9");
  EXPECT_NE(errors("idle poll").find("needs either pci or vdev"), std::string::npos);
  EXPECT_NE(errors("pci 01:00.0\nvdev net_null0").find("needs either"), std::string::npos);
}

}  // namespace
}  // namespace keepline::config
