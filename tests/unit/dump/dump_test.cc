#include <gtest/gtest.h>

#include "control/dump/counters.h"
#include "control/dump/json.h"
#include "control/dump/json_writer.h"
#include "control/dump/paths.h"
#include "control/dump/signals.h"
#include "control/dump/text.h"
#include "control/dump/words.h"
#include "tests/unit/plan/support.h"

namespace keepline::control::dump {
namespace {

// A backup that hears a master of priority 200, and has counted 1, 2, 3...
State state_of(const std::string& text) {
  State state;
  state.config = std::make_shared<const config::Config>(config_of(text));
  state.kernel = std::make_shared<const KernelView>(usual_kernel());
  for (const config::VrrpInstance& instance : state.config->vrrp_instances) {
    InstanceState now;
    now.state = now.wanted = vrrp::State::kBackup;
    now.effective_priority = *instance.priority;
    now.master_priority = 200;
    now.master_interval_us = 250'000;
    now.last_transition_unix_us = 1'795'863'408'056'560;
    vrrp::Statistics& s = now.statistics;
    std::uint64_t next = 1;
    for (std::uint64_t* counter :
         {&s.advert_rcvd, &s.advert_sent, &s.become_master, &s.release_master, &s.packet_len_err,
          &s.advert_interval_err, &s.ip_ttl_err, &s.invalid_type_rcvd, &s.addr_list_err,
          &s.invalid_authtype, &s.authtype_mismatch, &s.auth_failure, &s.pri_zero_rcvd,
          &s.pri_zero_sent}) {
      *counter = next++;
    }
    state.instances.push_back(now);
  }
  return state;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kStats =
    R"("stats":{"advert_rcvd":1,"advert_sent":2,"become_master":3,"release_master":4,)"
    R"("packet_len_err":5,"advert_interval_err":6,"ip_ttl_err":7,"invalid_type_rcvd":8,)"
    R"("addr_list_err":9,"invalid_authtype":10,"authtype_mismatch":11,"auth_failure":12,)"
    R"("pri_zero_rcvd":13,"pri_zero_sent":14})";

TEST(DumpJson, FieldsAndNumbersAsKeepalivedHasThem) {
  const std::string text = json_text(state_of(
      instance("authentication {\n auth_type PASS\n auth_pass hunter2\n }\n garp_master_delay 0.5\n"
               "notify \"/bin/x \\\"a\\\"\"")));
  EXPECT_TRUE(has(text, R"([{"data":{"iname":"VI_1","dont_track_primary":0,)")) << text;
  EXPECT_TRUE(has(text, R"("master_priority":200,"last_transition":1795863408.056560,)")) << text;
  EXPECT_TRUE(has(text, R"("garp_delay":0.5,"garp_refresh":0,"garp_rep":5,)")) << text;
  EXPECT_TRUE(has(text, R"("adver_int":1,"master_adver_int":0.25,"accept":1,)")) << text;
  EXPECT_TRUE(has(text, R"("state":1,"wantstate":1,"version":2,"smtp_alert":false,)")) << text;
  EXPECT_TRUE(has(text, R"("script":"'/bin/x' '\"a\"'",)")) << text;
  EXPECT_TRUE(has(text, R"("vips":["192.0.2.100 dev eth0 scope global"],"auth_type":1,)")) << text;
  EXPECT_TRUE(has(text, R"("auth_data":"********"},)")) << text;
  EXPECT_TRUE(has(text, std::string(kStats) + "}]\n")) << text;
  EXPECT_FALSE(has(text, "hunter2"));
  EXPECT_FALSE(has(text, "track_script")) << "empty lists are left out";
}

TEST(DumpJson, TheSecondVersionIsAnObject) {
  const std::string text = json_text(state_of("global_defs {\n json_version 2\n}\n" + instance()));
  EXPECT_TRUE(text.starts_with(R"({"vrrp":[{"data":{"iname":"VI_1",)")) << text;
  EXPECT_TRUE(text.ends_with("}}]}\n")) << text;
}

TEST(DumpJson, TheSecondVersionHasTheProcesses) {
  State state = state_of(
      "global_defs {\n json_version 2\n}\nvrrp_track_process p {\n process x -a b\n"
      " param_match partial\n weight 3 reverse\n quorum_max 9\n fork_delay 0.5\n}\n" +
      instance("track_process {\n p\n }"));
  state.processes["p"] = {vrrp::Outcome::kGood, 2, ProcessQuorum::Wait::kTermination};
  const std::string text = json_text(state);
  EXPECT_TRUE(has(text, R"("track_process":["p"])")) << text;
  EXPECT_TRUE(has(text, R"(}],"track_process":[{"process":"p","parameters":"-a b",)"
                        R"("param_match":"partial","min_processes":1,"max_processes":9,)"
                        R"("current_processes":2,"have_quorum":true,"weight":-3,)"
                        R"("terminate_delay":0,"fork_delay":0.5,)"
                        R"("fork_delay_timer_running":false,)"
                        R"("terminate_delay_timer_running":true,"full_command":true}]})"))
      << text;
}

TEST(DumpJson, WhatCannotStandInAStringIsEscaped) {
  JsonWriter out;
  out.open_array();
  out.string("a\"b\\c\n\x01");
  out.string("/é");
  out.close_array();
  EXPECT_EQ(out.take(), "[\"a\\\"b\\\\c\\u000a\\u0001\",\"/é\"]");
}

TEST(DumpText, AddressesAreMarkedWhileTheyAreHeld) {
  State state = state_of(instance("", "eth0", "192.0.2.100/24 label eth0:1"));
  EXPECT_TRUE(has(data_text(state), "     192.0.2.100/24 dev eth0 scope global label eth0:1\n"));
  state.instances[0].state = vrrp::State::kMaster;
  EXPECT_TRUE(
      has(data_text(state), "     192.0.2.100/24 dev eth0 scope global label eth0:1 set\n"));
}

TEST(DumpText, NoPasswordIsTold) {
  const std::string text =
      data_text(state_of(instance("authentication {\n auth_type PASS\n auth_pass hunter2\n }")));
  EXPECT_TRUE(has(text, "   Password = ********\n"));
  EXPECT_FALSE(has(text, "hunter2"));
}

TEST(DumpText, AScriptBeforeItsFirstResultIsNeitherGoodNorBad) {
  const std::string script = "vrrp_script s {\n script /bin/true\n}\n";
  State state = state_of(script + instance("track_script {\n s weight 3\n }"));
  state.scripts["s"] = vrrp::Outcome::kUnknown;
  EXPECT_TRUE(has(data_text(state),
                  "   Status = INIT\n   Tracking instances :\n"
                  "     VI_1, weight 3\n   State = idle\n"));
  state.scripts["s"] = vrrp::Outcome::kBad;
  state.running_scripts.insert("s");
  const std::string text = data_text(state);
  EXPECT_TRUE(has(text, "   Status = BAD\n"));
  EXPECT_TRUE(has(text, "   State = running\n"));
}

TEST(DumpText, ServersWithTheirHealthAndChecks) {
  State state = state_of(server("192.0.2.100 80", {"10.0.0.2 8080 {weight 3\n TCP_CHECK {\n}}"}));
  state.health = {{Health::kDown}};
  const std::string text = check_data_text(state);
  EXPECT_TRUE(has(text, " VIP = 192.0.2.100, VPORT = 80\n")) << text;
  EXPECT_TRUE(has(text, "     RIP = 10.0.0.2, RPORT = 8080, WEIGHT = 3\n")) << text;
  EXPECT_TRUE(has(text, "     Status = DOWN\n")) << text;
  EXPECT_TRUE(has(text, " TCP_CHECK = [10.0.0.2]:8080\n")) << text;
  state.health = {{Health::kUp}};
  EXPECT_TRUE(has(check_data_text(state), "     Status = UP\n"));
}

TEST(DumpText, StatsAreByInstance) {
  const std::string text = stats_text(state_of(instance()));
  EXPECT_EQ(text,
            "VRRP Instance: VI_1\n  Advertisements:\n    Received: 1\n    Sent: 2\n"
            "  Became master: 3\n  Released master: 4\n  Packet Errors:\n    Length: 5\n"
            "    TTL: 7\n    Invalid Type: 8\n    Advertisement Interval: 6\n"
            "    Address List: 9\n  Authentication Errors:\n    Invalid Type: 10\n"
            "    Type Mismatch: 11\n    Failure: 12\n  Priority Zero:\n    Received: 13\n"
            "    Sent: 14\n");
}

TEST(DumpCounters, CountFromWhenTheyWereCleared) {
  State state = state_of(instance());
  Counters counters;
  counters.subtract(state);
  EXPECT_EQ(state.instances[0].statistics.pri_zero_sent, 14u);
  counters.clear(state);
  State later = state;
  later.instances[0].statistics.advert_sent += 5;
  counters.subtract(later);
  EXPECT_EQ(later.instances[0].statistics.advert_sent, 5u);
  EXPECT_EQ(later.instances[0].statistics.pri_zero_sent, 0u);
  // Made anew by a reload, it has less than before.
  State anew = state;
  anew.instances[0].statistics = {};
  anew.instances[0].statistics.advert_sent = 1;
  counters.subtract(anew);
  EXPECT_EQ(anew.instances[0].statistics.advert_sent, 1u);
}

TEST(DumpPaths, KeepalivedsNamesUnlessTheyAreMoved) {
  config::DumpOptions options;
  Paths paths = paths_of(options, "/tmp", "blue");
  EXPECT_EQ(paths.data, "/tmp/keepalived.data");
  EXPECT_EQ(paths.check_data, "/tmp/keepalived_check.data");
  EXPECT_EQ(paths.bfd_data, "/tmp/keepalived_bfd.data");
  EXPECT_EQ(paths.stats, "/tmp/keepalived.stats");
  EXPECT_EQ(paths.json, "/tmp/keepalived.json");
  options.use_instance = true;
  options.json_file = "/x/j";
  paths = paths_of(options, "/tmp", "blue");
  EXPECT_EQ(paths.data, "/tmp/keepalived.blue.data");
  EXPECT_EQ(paths.check_data, "/tmp/keepalived_check.blue.data");
  EXPECT_EQ(paths.parent_data, "/tmp/keepalived_parent.blue.data");
  EXPECT_EQ(paths.stats, "/tmp/keepalived.stats");
  EXPECT_EQ(paths.json, "/x/j");
  options.use_instance = false;
  options.state_file = "/x.y/state";
  EXPECT_EQ(paths_of(options, "/tmp", "blue").check_data, "/x.y/state_check");
  options.state_file = "/x.y/state.txt";
  EXPECT_EQ(paths_of(options, "/tmp", "blue").data, "/x.y/state.txt");
  EXPECT_EQ(paths_of(options, "/tmp", "blue").check_data, "/x.y/state_check.txt");
}

TEST(DumpSignals, NamesOfSignum) {
  EXPECT_EQ(signal_number("DATA"), SIGUSR1);
  EXPECT_EQ(signal_number("JSON"), SIGRTMIN + 2);
  EXPECT_EQ(signal_number("data"), std::nullopt);
}

TEST(DumpText, BfdSessions) {
  State state = state_of(
      "bfd_instance b {\n neighbor_ip 10.0.0.2\n source_ip 10.0.0.5\n min_rx 20\n min_tx 30\n"
      " multiplier 3\n}\n" +
      instance("track_bfd {\n b weight 10\n }"));
  std::string text = bfd_data_text(state);
  EXPECT_TRUE(has(text,
                  " BFD Instance = b\n   Neighbor IP = 10.0.0.2\n   Source IP = 10.0.0.5\n"
                  "   Required min RX interval = 20000 us\n"
                  "   Desired min TX interval = 30000 us\n"));
  EXPECT_TRUE(has(text, "   local state = Down\n")) << text;
  EXPECT_TRUE(has(text, "   last_seen = [never]\n")) << text;
  BfdState& now = state.sessions["b"];
  now.state = now.remote_state = bfd::State::kUp;
  now.discriminator = 0x74f4a17b;
  now.remote_discriminator = 1;
  now.tx_interval_us = 30'000;
  now.last_heard_unix_us = 1'795'863'408'056'560;
  text = bfd_data_text(state);
  EXPECT_TRUE(has(text, "   local discriminator = 0x74f4a17b\n")) << text;
  EXPECT_TRUE(has(text, "   remote detection time = 90000 us\n")) << text;
  EXPECT_TRUE(has(text, "   last_seen = 1795863408.056560 (")) << text;
  text = data_text(state);
  EXPECT_TRUE(has(text, "   Tracked BFDs :\n     b: weight 10\n")) << text;
  EXPECT_TRUE(has(text, " VRRP Track BFD = b\n   Weight = 0\n   Bfd is up\n")) << text;
}

}  // namespace
}  // namespace keepline::control::dump
