// VRRP: values, defaults, inheritance, rules, refusals, round trip.
#include <gtest/gtest.h>

#include "control/config/print.h"
#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

VrrpInstance instance_of(const std::string& more, const std::string& before = "") {
  const LoadResult result = load_text(before + instance_text(more));
  EXPECT_EQ(result.config.vrrp_instances.size(), 1U) << all(result);
  return result.config.vrrp_instances.at(0);
}

TEST(Vrrp, Defaults) {
  const VrrpInstance v = instance_of("");
  EXPECT_EQ(v.name, "VI_1");
  EXPECT_EQ(v.position.line, 1U);
  EXPECT_EQ(v.state, InitialState::kBackup);
  EXPECT_EQ(v.interface.value(), "eth0");
  EXPECT_EQ(v.virtual_router_id.value(), 51);
  EXPECT_EQ(v.priority.value(), 100);
  EXPECT_EQ(v.advert_interval_us.value(), kSecondUs);
  EXPECT_EQ(v.version.value(), 2);
  EXPECT_EQ(v.auth.type, AuthType::kNone);
  EXPECT_EQ(v.vips.at(0).dev, "eth0");
  EXPECT_EQ(v.vips.at(0).prefix_length, 32);
  EXPECT_EQ(v.group, net::IpAddr(net::Ip4(0xe0000012)));
  EXPECT_EQ(v.garp.master_delay_us.value(), 5 * kSecondUs);
  EXPECT_EQ(v.garp.lower_prio_repeat.value(), 5U);
  EXPECT_EQ(v.down_timer_adverts.value(), 3);
  EXPECT_TRUE(v.accept);
  EXPECT_FALSE(v.nopreempt);
}

TEST(Vrrp, GlobalsAreInherited) {
  const std::string global =
      "global_defs {\n vrrp_version 3\n vrrp_garp_master_delay 7\n vrrp_garp_master_repeat 0\n"
      " vrrp_down_timer_adverts 9\n vrrp_skip_check_adv_addr\n vrrp_lower_prio_no_advert\n"
      " vrrp_mcast_group4 224.0.0.99\n v3_checksum_as_v2\n vrrp_garp_interval 0.001\n}\n";
  const VrrpInstance v = instance_of("garp_lower_prio_repeat 2\nskip_check_adv_addr off", global);
  EXPECT_EQ(v.version.value(), 3);
  EXPECT_EQ(v.garp.master_delay_us.value(), 7 * kSecondUs);
  EXPECT_EQ(v.garp.lower_prio_delay_us.value(), 7 * kSecondUs);
  EXPECT_EQ(v.garp.master_repeat.value(), 1U);
  EXPECT_EQ(v.garp.lower_prio_repeat.value(), 2U);
  EXPECT_EQ(v.garp.interval_us.value(), 1000U);
  EXPECT_EQ(v.down_timer_adverts.value(), 9);
  EXPECT_FALSE(v.skip_check_adv_addr);
  EXPECT_TRUE(v.lower_prio_no_advert);
  EXPECT_TRUE(v.v3_checksum_as_v2);
  EXPECT_EQ(v.group, net::IpAddr(net::Ip4(0xe0000063)));
  // The order of the blocks does not matter.
  const LoadResult after = load_text(instance_text() + global);
  EXPECT_EQ(after.config.vrrp_instances.at(0).version.value(), 3);
}

TEST(Vrrp, StateAndPriority) {
  const VrrpInstance owner = instance_of("state MASTER");
  EXPECT_EQ(owner.priority.value(), 255);
  EXPECT_EQ(owner.state, InitialState::kMaster);
  EXPECT_EQ(instance_of("priority 255").state, InitialState::kMaster);
  EXPECT_EQ(instance_of("state MASTER\npriority 101").priority.value(), 101);
  EXPECT_NE(find(load_text(instance_text("state MASTER")), "means priority 255"), nullptr);
}

TEST(Vrrp, AdvertIntervals) {
  EXPECT_EQ(instance_of("advert_int 0.4").advert_interval_us.value(), kSecondUs);
  EXPECT_EQ(instance_of("advert_int 2.6").advert_interval_us.value(), 3 * kSecondUs);
  EXPECT_EQ(instance_of("version 3\nadvert_int 0.01").advert_interval_us.value(), 10'000U);
  EXPECT_EQ(instance_of("version 3\nadvert_int 41").advert_interval_us.value(), 40'950'000U);
}

TEST(Vrrp, Preemption) {
  EXPECT_TRUE(instance_of("nopreempt").nopreempt);
  EXPECT_FALSE(instance_of("nopreempt\npreempt").nopreempt);
  EXPECT_FALSE(instance_of("state MASTER\npriority 90\nnopreempt").nopreempt);
  EXPECT_EQ(instance_of("preempt_delay 1.5").preempt_delay_us, 1'500'000U);
  EXPECT_EQ(instance_of("nopreempt\npreempt_delay 5").preempt_delay_us, 0U);
  EXPECT_EQ(instance_of("state MASTER\npriority 9\npreempt_delay 5").preempt_delay_us, 0U);
}

TEST(Vrrp, Authentication) {
  const VrrpInstance v = instance_of("authentication {\nauth_type PASS\nauth_pass 123456789\n}");
  EXPECT_EQ(v.auth.password, "12345678");
  EXPECT_EQ(instance_of("authentication {\nauth_type PASS\n}").auth.type, AuthType::kNone);
  EXPECT_EQ(instance_of("version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}").auth.type,
            AuthType::kNone);
}

TEST(Vrrp, Addresses) {
  const LoadResult result = load_text(instance_text(
      "virtual_ipaddress_excluded {\n10.0.0.9\nfe80::1\n}", "A",
      "10.0.0.1/24 brd 10.0.0.255 dev eth1 scope global label eth1:1\n10.0.0.2 no_track\n"
      "10.0.0.1\n2001:db8::1\n10.0.0.3/33\nnonsense"));
  const VrrpInstance& v = result.config.vrrp_instances.at(0);
  ASSERT_EQ(v.vips.size(), 2U) << all(result);
  EXPECT_EQ(v.vips[0].prefix_length, 24);
  EXPECT_EQ(v.vips[0].dev, "eth1");
  EXPECT_EQ(v.vips[0].label, "eth1:1");
  EXPECT_TRUE(v.vips[1].no_track);
  EXPECT_EQ(v.excluded_vips.size(), 2U);
  EXPECT_NE(find(result, "duplicate address"), nullptr);
  EXPECT_NE(find(result, "of another family"), nullptr);
  EXPECT_NE(find(result, "valid prefix length"), nullptr);
  EXPECT_NE(find(result, "'nonsense' is not an IP address"), nullptr);
  // The other family is welcome among the excluded ones.
  EXPECT_EQ(find(result, "not built yet"), nullptr);
}

TEST(Vrrp, TooManyAddressesAreExcluded) {
  const LoadResult result =
      load_text(instance_text("", "A", "~SEQ(i, 1, 254) 10.0.0.$i\n~SEQ(i, 1, 10) 10.0.1.$i"));
  const VrrpInstance& v = result.config.vrrp_instances.at(0);
  EXPECT_EQ(v.vips.size(), 255U);
  EXPECT_EQ(v.excluded_vips.size(), 9U);
  EXPECT_EQ(result.diagnostics.exit_code(), 5);
}

TEST(Vrrp, Ipv6InstancesAreVersion3) {
  const LoadResult result = load_text(instance_text("", "A", "fe80::1"));
  EXPECT_EQ(result.config.vrrp_instances.at(0).version.value(), 3);
  EXPECT_TRUE(result.config.vrrp_instances.at(0).is_v6);
  EXPECT_EQ(result.diagnostics.exit_code(), 0) << all(result);
}

TEST(Vrrp, Version2IsOfIpv4Only) {
  const LoadResult result = load_text(instance_text("version 2", "A", "fe80::1"));
  EXPECT_EQ(result.config.vrrp_instances.at(0).version.value(), 3);
  EXPECT_NE(find(result, "VRRP version 2 is of IPv4 only: 3 is used"), nullptr);
}

TEST(Vrrp, Unicast) {
  const LoadResult result = load_text(
      "global_defs {\nvrrp_check_unicast_src\n}\n" +
      instance_text("unicast_src_ip 10.0.0.5\nunicast_ttl 9\nuse_vmac\n"
                    "unicast_peer {\n10.0.0.5\n10.0.0.8 min_ttl 3 max_ttl 4\nfd00::1\n}"));
  const VrrpInstance& v = result.config.vrrp_instances.at(0);
  ASSERT_EQ(v.unicast_peers.size(), 1U) << "neither itself nor one of another family";
  EXPECT_EQ(v.unicast_peers[0].min_ttl, 3);
  EXPECT_EQ(v.unicast_peers[0].max_ttl, 4);
  EXPECT_EQ(v.unicast_ttl.value(), 9);
  EXPECT_TRUE(v.check_unicast_src.value());
  EXPECT_TRUE(v.vmac.xmit_base);
}

TEST(Vrrp, UnicastWithoutPeersCanBeAFault) {
  const LoadResult result = load_text(instance_text("unicast_fault_no_peer\nunicast_peer {\n}"));
  EXPECT_TRUE(result.config.vrrp_instances.at(0).lacks_peers);
  EXPECT_NE(find(result, "unicast_peer without a peer: the instance is at fault"), nullptr);
  EXPECT_EQ(find(result, "multicast is used"), nullptr);
  EXPECT_TRUE(load_text(print(result.config)).config == result.config) << print(result.config);
  EXPECT_FALSE(instance_of("unicast_peer {\n}").lacks_peers);
  EXPECT_FALSE(instance_of("unicast_fault_no_peer").lacks_peers) << "multicast is meant";
  EXPECT_FALSE(instance_of("unicast_fault_no_peer\nunicast_peer {\n10.0.0.7\n}").lacks_peers);
}

TEST(Vrrp, OwnerIgnoreAdverts) {
  EXPECT_FALSE(instance_of("").owner_ignore_adverts);
  EXPECT_TRUE(instance_of("owner_ignore_adverts").owner_ignore_adverts);
  const std::string global = "global_defs {\nvrrp_owner_ignore_adverts\n}\n";
  EXPECT_TRUE(instance_of("", global).owner_ignore_adverts);
  EXPECT_FALSE(instance_of("priority 255\nowner_ignore_adverts off", global).owner_ignore_adverts)
      << "off is honoured";
  EXPECT_TRUE(instance_of("priority 255\nstrict_mode").owner_ignore_adverts);
}

TEST(Vrrp, TimerExpiredBackup) {
  EXPECT_EQ(instance_of("").timer_expired_backup, 0);
  EXPECT_EQ(instance_of("nopreempt\ntimer_expired_backup").timer_expired_backup, 254);
  EXPECT_EQ(instance_of("nopreempt\nthread_timer_expired 7").timer_expired_backup, 7);
  const LoadResult fine = load_text(instance_text("nopreempt\ntimer_expired_backup 7"));
  EXPECT_EQ(all(fine), "") << "nothing to say";
  EXPECT_TRUE(load_text(print(fine.config)).config == fine.config);
  EXPECT_NE(find(load_text(instance_text("timer_expired_backup")), "without nopreempt"), nullptr);
  for (const char* priority : {"0", "255", "x"}) {
    const std::string line = std::string("nopreempt\ntimer_expired_backup ") + priority;
    EXPECT_EQ(load_text(instance_text(line)).diagnostics.exit_code(), 5) << priority;
  }
}

TEST(Vrrp, UnicastTtlNeedsPeers) {
  const LoadResult result = load_text(instance_text("unicast_ttl 9\nunicast_peer {\n}"));
  EXPECT_EQ(result.config.vrrp_instances.at(0).unicast_ttl.value(), 255);
  EXPECT_NE(find(result, "unicast_peer without a peer: multicast is used"), nullptr);
  EXPECT_NE(find(result, "unicast_ttl without unicast_peer: ignored"), nullptr);
}

TEST(Vrrp, SameVridIsFineElsewhere) {
  const std::string other =
      "vrrp_instance B {\ninterface eth1\nvirtual_router_id 51\n"
      "virtual_ipaddress {\n10.1.0.1\n}\n}\n";
  EXPECT_EQ(load_text(instance_text() + other).diagnostics.exit_code(), 0);
  // The other family is another virtual router.
  EXPECT_TRUE(load_text(instance_text() + instance_text("", "B", "fe80::1")).diagnostics.can_run());
}

TEST(Vrrp, SyncGroups) {
  const LoadResult result = load_text(
      instance_text() + "vrrp_sync_group G {\n group { VI_1 VI_2 }\n}\n" +
      "vrrp_sync_group H {\n group {\n VI_1\n }\n}\n" +
      "vrrp_instance VI_2 {\ninterface eth1\nvirtual_router_id 2\nvirtual_ipaddress { 10.1.0.1 }\n"
      "track_interface { eth9 weight 5 }\n}\n");
  ASSERT_EQ(result.config.sync_groups.size(), 1U) << all(result);
  EXPECT_EQ(result.config.sync_groups[0].members.size(), 2U);
  EXPECT_TRUE(result.config.vrrp_instances[1].track_interface.empty());
  EXPECT_NE(find(result, "member of a group already"), nullptr);
}

TEST(Vrrp, Trackers) {
  const LoadResult result = load_text(
      "global_defs {\nenable_script_security\n}\n"
      "track_file f {\nfile \"/a b\"\nweight 3 reverse\ninit_file 7 overwrite\n}\n"
      "vrrp_script s {\nscript \"/bin/x 'a b' c\"\nweight -7\ninterval 2\nuser u:g\n}\n" +
      instance_text("nopreempt\ntrack_script {\ns\nt\n}\n"
                    "track_interface {\neth0\neth1 weight 10 reverse\neth2\n}"));
  const VrrpInstance& v = result.config.vrrp_instances.at(0);
  ASSERT_EQ(v.track_script.size(), 1U) << all(result);
  EXPECT_EQ(v.track_script[0].weight.value(), -7);
  ASSERT_EQ(v.track_interface.size(), 2U);
  EXPECT_TRUE(v.track_interface[0].is_reversed);
  const VrrpScript& script = result.config.vrrp_scripts.at(0);
  EXPECT_EQ(script.command.arguments, (std::vector<std::string>{"/bin/x", "a b", "c"}));
  EXPECT_EQ(script.command.group, "g");
  EXPECT_EQ(script.timeout_us.value(), 2 * kSecondUs);
  EXPECT_NE(find(result, "names no vrrp_script"), nullptr);
  EXPECT_NE(find(result, "nopreempt: a lower priority"), nullptr);
}

TEST(Vrrp, PriorityChangesAreToldByTheNearestWord) {
  const auto told = [](const std::string& global, const std::string& group,
                       const std::string& own) {
    const LoadResult result =
        load_text("global_defs {\n" + global + "\n}\n" + instance_text(own) +
                  "vrrp_sync_group G {\ngroup {\nVI_1\n}\n" + group + "\n}\n");
    return *result.config.vrrp_instances.at(0).notify_priority_changes;
  };
  const std::string on = "notify_priority_changes", off = on + " off", global = "vrrp_" + on;
  EXPECT_FALSE(told("", "", ""));
  EXPECT_TRUE(told(global, "", ""));
  EXPECT_TRUE(told("", on, ""));
  EXPECT_FALSE(told(global, off, ""));
  EXPECT_FALSE(told(global, on, off));
  EXPECT_TRUE(told("", off, on));
}

TEST(Vrrp, AWeightAloneIsReversedLikeTheDefinition) {
  const LoadResult result = load_text(
      "vrrp_track_process p {\nprocess x\nweight 3 reverse\n}\n"
      "track_file f {\nfile /x\nweight 3 reverse\n}\ntrack_file g {\nfile /y\nweight 3\n}\n" +
      instance_text("track_process {\np weight 4\n}\n"
                    "track_file {\nf weight 4 noreverse\ng weight 4 reverse\n}"));
  const VrrpInstance& v = result.config.vrrp_instances.at(0);
  EXPECT_EQ(v.track_process.at(0).weight.value(), 4) << all(result);
  EXPECT_TRUE(v.track_process[0].is_reversed);
  EXPECT_FALSE(v.track_file.at(0).is_reversed);
  EXPECT_TRUE(v.track_file.at(1).is_reversed);
}

TEST(Vrrp, TrackedProcesses) {
  const LoadResult result = load_text(
      "vrrp_track_process plain {\nprocess nginx\nweight 5\ndelay 1.5\n}\n"
      "vrrp_track_process exact {\nprocess sleep 60\n}\n"
      "vrrp_track_process initial {\nparam_match initial\nprocess sleep 60\n}\n"
      "vrrp_track_process none {\nprocess sleep\nparam_match\n}\n"
      "vrrp_track_process wrong {\nprocess x\nquorum 3\nquorum_max 2\nweight 300\n}\n"
      "vrrp_track_process empty {\nweight 3\n}\n" +
      instance_text("track_process {\nplain\nexact weight 7 reverse\nnobody\n}"));
  const auto& processes = result.config.track_processes;
  ASSERT_EQ(processes.size(), 5U) << all(result);
  EXPECT_EQ(processes[0].param_match, ParamMatch::kIgnored);
  EXPECT_FALSE(processes[0].full_command);
  EXPECT_EQ(processes[0].fork_delay_us, 1'500'000U);
  EXPECT_EQ(processes[0].terminate_delay_us, 1'500'000U);
  EXPECT_EQ(processes[1].param_match, ParamMatch::kExact);
  EXPECT_TRUE(processes[1].full_command);
  EXPECT_EQ(processes[2].param_match, ParamMatch::kInitial);
  EXPECT_EQ(processes[3].param_match, ParamMatch::kExact);
  EXPECT_TRUE(processes[3].full_command);
  EXPECT_FALSE(processes[4].quorum_max);
  EXPECT_EQ(processes[4].weight, 0);
  const VrrpInstance& v = result.config.vrrp_instances.at(0);
  ASSERT_EQ(v.track_process.size(), 2U);
  EXPECT_EQ(v.track_process[0].weight.value(), 5);
  EXPECT_EQ(v.track_process[1].weight.value(), 7);
  EXPECT_TRUE(v.track_process[1].is_reversed);
  EXPECT_NE(find(result, "quorum_max is below quorum"), nullptr);
  EXPECT_NE(find(result, "'empty' without process: skipped"), nullptr);
  EXPECT_NE(find(result, "'nobody' names no vrrp_track_process"), nullptr);
}

TEST(Vrrp, Notify) {
  const LoadResult result = load_text(instance_text(
      "notify_master \"/n.sh 'x y'\" root wheel\nnotify_master /other\nnotify /all.sh"));
  const Notify& notify = result.config.vrrp_instances.at(0).notify;
  EXPECT_EQ(notify.master.arguments, (std::vector<std::string>{"/n.sh", "x y"}));
  EXPECT_EQ(notify.master.user, "root");
  EXPECT_EQ(notify.master.group, "wheel");
  EXPECT_EQ(notify.any.arguments, std::vector<std::string>{"/all.sh"});
  EXPECT_NE(find(result, "a second notify_master is ignored"), nullptr);
  EXPECT_EQ(result.diagnostics.exit_code(), 6);
  EXPECT_TRUE(result.diagnostics.can_run());
}

TEST(Vrrp, Refusals) {
  const char* const refused[] = {
      "use_ipvlan",
  };
  for (const char* text : refused) {
    const LoadResult result = load_text(instance_text(text));
    EXPECT_FALSE(result.diagnostics.can_run()) << text;
    bool has_hint = false;
    for (const Diagnostic& d : result.diagnostics.items()) has_hint |= !d.hint.empty();
    EXPECT_TRUE(has_hint) << text;
  }
  EXPECT_FALSE(load_text("vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}"
                         "\n}\n")
                   .diagnostics.can_run());
}

TEST(Vrrp, RoundTrip) {
  const std::string text =
      "global_defs {\nrouter_id \"a # b\"\nnotification_email { a@b c@d }\nsmtp_alert\n"
      "script_user u g\nvrrp_min_garp\nlvs_timeouts tcp 60 udp 30\n"
      "state_dump_file /a\nstats_dump_file /b\njson_dump_file /c\njson_version 2\n"
      "data_use_instance\nvrrp_notify_priority_changes\nstartup_script \"/s a\" u g\n"
      "startup_script_timeout 3\nshutdown_script /e\nshutdown_script_timeout 4\n}\n"
      "instance blue\n"
      "vrrp_track_process p {\nprocess \"my server\" -x \"y z\"\nparam_match partial\n"
      "weight -254 reverse\nquorum 2\nquorum_max 5\nfork_delay 0.5\nterminate_delay 2\n}\n"
      "track_file f {\nfile \"/a b\"\nweight 3 reverse\ninit_file 7 overwrite\n}\n"
      "vrrp_script s {\nscript \"/x '' 'a b' \\\"q \\$HOME\"\nweight 5 reverse\n}\n" +
      instance_text(
          "version 3\nadvert_int 0.25\nuse_vmac v.51 02:00:00:00:00:01\nvmac_xmit_base\n"
          "no_accept\npreempt_delay 3\ntrack_script { s }\nsmtp_alert off\n"
          "track_interface { eth7 weight -3 reverse }\ntrack_file { f weight 2 }\n"
          "track_process { p weight 9 reverse }\nnotify_priority_changes off\nnotify_deleted\n"
          "notify \"/n a\" "
          "u\n"
          "mcast_src_ip 10.0.0.5\nunicast_src_ip 10.0.0.5\ngarp_master_refresh 60\n"
          "unicast_peer { 10.0.0.8 min_ttl 3 }\n"
          "virtual_ipaddress_excluded { 2001:db8::1/64 dev eth3 }") +
      "vrrp_sync_group \"my group\" { group { VI_1 }\nnotify_fault /f }\n"
      "dataplane { workers 2\nconnections 65536\nhalf_open_percent 7\nmetrics ::1 "
      "9100\nmaglev_size "
      "65537\nfailed_server drain 9\n"
      "removed_server reschedule\nidle poll\nport eth1 { vdev \"net_null0,x=1\" } "
      "port eth2 { pci 3b:00.0 } "
      "}\n";
  const LoadResult first = load_text(text);
  const LoadResult second = load_text(print(first.config));
  EXPECT_TRUE(first.config == second.config) << print(first.config) << print(second.config);
  EXPECT_EQ(first.config.vrrp_scripts.at(0).command.arguments,
            (std::vector<std::string>{"/x", "", "a b", "\"q", "$HOME"}));
  EXPECT_EQ(second.config.global.dumps.json_version, 2);
  EXPECT_EQ(second.config.global.startup.command.user, "u");
  EXPECT_EQ(second.config.track_processes.at(0).parameters,
            (std::vector<std::string>{"-x", "y z"}));
  EXPECT_EQ(second.config.dataplane.ports.at(0).vdev, "net_null0,x=1");
  EXPECT_EQ(second.config.dataplane.ports.at(1).pci, "0000:3b:00.0");
  EXPECT_EQ(second.config.dataplane.half_open_percent, 7u);
  EXPECT_EQ(second.config.dataplane.maglev_size, 65537u);
  EXPECT_EQ(net::to_string(second.config.dataplane.metrics.value()), "[::1]:9100");
  EXPECT_EQ(second.config.dataplane.failed_server.drain_s, 9u);
  EXPECT_EQ(second.config.dataplane.removed_server.drain_s, 0u);
}

TEST(Vrrp, PasswordsCanBeHidden) {
  const LoadResult result =
      load_text(instance_text("authentication {\nauth_type PASS\nauth_pass s3cret\n}"));
  EXPECT_NE(print(result.config).find("s3cret"), std::string::npos);
  EXPECT_EQ(print(result.config, Secrets::kHide).find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace keepline::config
