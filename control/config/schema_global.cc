// The keyword table of global_defs.
//
// PURE. One row a keyword; bound: the table.
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

void read_recipients(Args& a, GlobalDefs& g) {
  for (const Word& word : words_of(a.statement())) g.mail.recipients.push_back(word.text);
}

void read_smtp_server(Args& a, GlobalDefs& g) {
  g.mail.smtp_server = a.word();
  if (a.count() < 2) return;
  if (const auto port = a.port(2, 1)) g.mail.smtp_port = *port;
}

// `user [group]`, or user:group in one word.
void read_script_user(Args& a, GlobalDefs& g) {
  const std::string& word = a.word();
  const std::size_t colon = word.find(':');
  g.script_user = word.substr(0, colon);
  g.script_group = colon == std::string::npos ? a.word(2) : word.substr(colon + 1);
}

void read_lvs_timeouts(Args& a, GlobalDefs& g) {
  constexpr std::uint64_t kMaxSeconds = 31 * 86'400;
  struct Timeout {
    std::string_view name;
    std::uint64_t& target_us;
  };
  Timeout timeouts[] = {{"tcp", g.lvs_timeouts.tcp_us},
                        {"tcpfin", g.lvs_timeouts.tcpfin_us},
                        {"udp", g.lvs_timeouts.udp_us}};
  for (std::size_t i = 1; i <= a.count(); i += 2) {
    bool is_known = false;
    for (Timeout& timeout : timeouts) {
      if (a.word(i) != timeout.name) continue;
      is_known = true;
      const auto seconds = a.number(0, kMaxSeconds, i + 1);
      if (seconds && *seconds != 0) timeout.target_us = *seconds * kSecondUs;
    }
    if (!is_known) {
      a.error("unknown timeout '" + a.word(i) + "'", "tcp, tcpfin or udp", i);
      return;
    }
  }
}

void read_fifo(Args& a, NotifyFifo& fifo) {
  fifo.path = a.word();
  fifo.user = a.word(2);
  fifo.group = a.word(3);
}

void read_mcast_group6(Args& a, GlobalDefs& g) {
  const auto group = net::parse_ip(a.word());
  if (group && group->is_v6() && net::is_multicast(*group)) {
    g.vrrp_mcast_group6 = group->v6();
  } else {
    a.error("'" + a.word() + "' is not an IPv6 multicast address: ignored");
  }
}

void read_mcast_group4(Args& a, GlobalDefs& g) {
  const auto group = net::parse_ip4(a.word());
  if (group && group->is_multicast()) {
    g.vrrp_mcast_group4 = *group;
  } else {
    a.error("'" + a.word() + "' is not an IPv4 multicast address: ignored");
  }
}

// Whole seconds; repeats of 0 mean 1.
constexpr std::uint64_t kMaxDelayUs = 86'400 * kSecondUs;
constexpr std::uint64_t kMaxRepeat = 10'000;

void read_repeat(Args& a, Setting<std::uint32_t>& out) {
  if (const auto count = a.number(0, kMaxRepeat)) {
    out.set(*count == 0 ? 1 : static_cast<std::uint32_t>(*count));
  }
}

constexpr std::uint64_t kMaxScriptTimeoutUs = 1000 * kSecondUs;

constexpr Row<GlobalDefs> kGlobalRows[] = {
    {"router_id", kOneWord, kA, kActive, [](Args& a, GlobalDefs& g) { g.router_id = a.word(); }},
    {"notification_email", kBlockShape, kA, kActive, read_recipients},
    {"notification_email_from", kOneWord, kA, kActive,
     [](Args& a, GlobalDefs& g) { g.mail.from = a.word(); }},
    {"smtp_server", {1, 2}, kA, kActive, read_smtp_server},
    {"smtp_connect_timeout", kOneWord, kA, kActive,
     [](Args& a, GlobalDefs& g) {
       a.seconds_to(g.mail.connect_timeout_us, 0);
       if (g.mail.connect_timeout_us == 0) g.mail.connect_timeout_us = kSecondUs;
     }},
    {"smtp_helo_name", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { g.mail.helo_name = a.word(); }},
    {"smtp_alert", kFlagShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.smtp_alert); }},
    {"smtp_alert_vrrp", kFlagShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.smtp_alert_vrrp); }},
    {"smtp_alert_checker", kFlagShape, kB, kNotActedOn,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.smtp_alert_checker); }},
    {"enable_script_security", kBareShape, kA, kActive,
     [](Args&, GlobalDefs& g) { g.enable_script_security = true; }},
    {"script_user", {1, 2}, kA, kActive, read_script_user},
    {"vrrp_version", kOneWord, kA, kActive,
     [](Args& a, GlobalDefs& g) { a.number_to(g.vrrp_version, 2, 3); }},
    {"vrrp_strict", kFlagShape, kA, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.vrrp_strict); }},
    {"vrrp_skip_check_adv_addr", kFlagShape, kA, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.vrrp_skip_check_adv_addr); }},
    {"vrrp_garp_master_delay", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.seconds_to(g.garp.master_delay_us, 0, kMaxDelayUs); }},
    {"vrrp_garp_master_repeat", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { read_repeat(a, g.garp.master_repeat); }},
    {"vrrp_garp_master_refresh", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.seconds_to(g.garp.master_refresh_us, 0, kMaxDelayUs); }},
    {"vrrp_garp_master_refresh_repeat", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { read_repeat(a, g.garp.master_refresh_repeat); }},
    {"vrrp_garp_lower_prio_delay", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.seconds_to(g.garp.lower_prio_delay_us, 0, kMaxDelayUs); }},
    {"vrrp_garp_lower_prio_repeat", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.number_to(g.garp.lower_prio_repeat, 0, kMaxRepeat); }},
    // 0 is an error in keepalived, but the widely copied sample has it and means "no gap".
    {"vrrp_garp_interval", kOneWord, kA, kActive,
     [](Args& a, GlobalDefs& g) { a.seconds_to(g.garp.interval_us, 0, kMaxDelayUs); }},
    {"vrrp_gna_interval", kOneWord, kA, kActive,
     [](Args& a, GlobalDefs& g) { a.seconds_to(g.garp.gna_interval_us, 0, kMaxDelayUs); }},
    {"vrrp_min_garp", kFlagShape, kC, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.vrrp_min_garp); }},
    {"vrrp_lower_prio_no_advert", kFlagShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.vrrp_lower_prio_no_advert); }},
    {"vrrp_higher_prio_send_advert", kFlagShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.vrrp_higher_prio_send_advert); }},
    {"vrrp_owner_ignore_adverts", kFlagShape, kC, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.vrrp_owner_ignore_adverts); }},
    {"vrrp_down_timer_adverts", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.number_to(g.vrrp_down_timer_adverts, 1, 100); }},
    {"vrrp_startup_delay", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.seconds_to(g.vrrp_startup_delay_us, 0, kMaxDelayUs); }},
    {"vrrp_delay_after_boot", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.seconds_to(g.vrrp_delay_after_boot_us, 0, kMaxDelayUs); }},
    {"notify_fifo", {1, 3}, kB, kActive, [](Args& a, GlobalDefs& g) { read_fifo(a, g.fifo); }},
    {"vrrp_notify_fifo",
     {1, 3},
     kB,
     kActive,
     [](Args& a, GlobalDefs& g) { read_fifo(a, g.vrrp_fifo); }},
    {"notify_fifo_script", kCommandShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.command_to(g.fifo.script); }},
    {"vrrp_notify_fifo_script", kCommandShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.command_to(g.vrrp_fifo.script); }},
    {"vrrp_mcast_group4", kOneWord, kB, kActive, read_mcast_group4},
    {"vrrp_mcast_group6", kOneWord, kB, kActive, read_mcast_group6},
    {"vrrp_check_unicast_src", kFlagShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.vrrp_check_unicast_src); }},
    {"v3_checksum_as_v2", kFlagShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.v3_checksum_as_v2); }},
    {"default_interface", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { g.default_interface = a.word(); }},
    {"lvs_timeouts", kCommandShape, kB, kActive, read_lvs_timeouts},
    {"lvs_flush", kBareShape, kA, kActive, [](Args&, GlobalDefs& g) { g.lvs_flush = true; }},
    {"lvs_flush_on_stop",
     {0, 1},
     kB,
     kActive,
     [](Args&, GlobalDefs& g) { g.lvs_flush_on_stop = true; },
     "lvs_flush_onstop"},
    {"checker_log_all_failures", kFlagShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.checker_log_all_failures); }},
    // Read where text is expanded, before there are keywords.
    {"random_seed", kOneWord, kC, kActive},

    {"no_email_faults", kBareShape, kB, kActive,
     [](Args&, GlobalDefs& g) { g.no_email_faults = true; }},
    {"no_checker_emails", kBareShape, kB, kNotBuilt},
    {"startup_script", kCommandShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.command_to(g.startup.command); }},
    {"shutdown_script", kCommandShape, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.command_to(g.shutdown.command); }},
    {"startup_script_timeout", kOneWord, kC, kActive,
     [](Args& a, GlobalDefs& g) {
       a.seconds_to(g.startup.timeout_us, kSecondUs, kMaxScriptTimeoutUs);
     }},
    {"shutdown_script_timeout", kOneWord, kC, kActive,
     [](Args& a, GlobalDefs& g) {
       a.seconds_to(g.shutdown.timeout_us, kSecondUs, kMaxScriptTimeoutUs);
     }},
    {"use_symlink_paths", kFlagShape, kC, kNotBuilt},
    {"set_supplementary_groups", kFlagShape, kC, kNotBuilt},
    {"umask", kAnyWords, kC, kNotBuilt},
    {"process_names", kFlagShape, kC, kNotBuilt},
    {"process_name", kAnyWords, kC, kNotBuilt},
    {"vrrp_process_name", kAnyWords, kC, kNotBuilt},
    {"checker_process_name", kAnyWords, kC, kNotBuilt, nullptr, "lvs_process_name"},
    {"bfd_process_name", kAnyWords, kC, kNotBuilt},
    {"vrrp_garp_extra_if", kAnyWords, kK, kKernelOnly, nullptr, "vrrp_vmac_garp_intvl",
     "means nothing here: a virtual MAC is on the interface itself; garp_master_refresh announces "
     "again and again"},
    {"vrrp_notify_priority_changes", kFlagShape, kC, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.vrrp_notify_priority_changes); }},
    {"log_unknown_vrids", kFlagShape, kC, kNotBuilt},
    {"dynamic_interfaces", kAnyWords, kB, kNotBuilt},
    {"lvs_sync_daemon", kAnyWords, kB, kNotBuilt},
    {"rs_init_notifies", kFlagShape, kC, kNotBuilt},
    {"max_auto_priority", kAnyWords, kK, kKernelOnly},
    {"min_auto_priority_delay", kAnyWords, kK, kKernelOnly},
    {"disable_local_igmp", kFlagShape, kK, kKernelOnly},
    {"vrrp_iptables", kAnyWords, kK, kKernelOnly},
    {"vrrp_ipsets", kAnyWords, kK, kKernelOnly},
    {"nftables", kAnyWords, kK, kKernelOnly},
    {"nftables_priority", kAnyWords, kK, kKernelOnly},
    {"nftables_ifindex", kAnyWords, kK, kKernelOnly},
    {"nftables_counters", kAnyWords, kK, kKernelOnly},
    {"nftables_ipvs", kAnyWords, kK, kKernelOnly},
    {"nftables_ipvs_priority", kAnyWords, kK, kKernelOnly},
    {"nftables_ipvs_start_fwmark", kAnyWords, kK, kKernelOnly},
    {"vrrp_rx_bufs_policy", kAnyWords, kK, kKernelOnly},
    {"vrrp_rx_bufs_multiplier", kAnyWords, kK, kKernelOnly},
    {"vmac_prefix", kAnyWords, kK, kKernelOnly},
    {"vmac_addr_prefix", kAnyWords, kK, kKernelOnly},
    {"iproute_usr_dir", kAnyWords, kK, kKernelOnly},
    {"iproute_etc_dir", kAnyWords, kK, kKernelOnly},
};

// Process, dump, SNMP and D-Bus keywords: most are not read, the list is long, so names only.
constexpr Row<GlobalDefs> unread(const char* name, Class popularity, Status status) {
  return {name, kAnyWords, popularity, status};
}

constexpr Row<GlobalDefs> kProcessRows[] = {
    unread("vrrp_priority", kK, kKernelOnly),
    unread("checker_priority", kK, kKernelOnly),
    unread("bfd_priority", kK, kKernelOnly),
    unread("vrrp_no_swap", kK, kKernelOnly),
    unread("checker_no_swap", kK, kKernelOnly),
    unread("bfd_no_swap", kK, kKernelOnly),
    {"vrrp_rt_priority", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.number_to(g.vrrp_rt_priority, 1, 99); }},
    {"checker_rt_priority", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.number_to(g.checker_rt_priority, 1, 99); }},
    {"bfd_rt_priority", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.number_to(g.bfd_rt_priority, 1, 99); }},
    unread("vrrp_cpu_affinity", kC, kNotBuilt),
    unread("checker_cpu_affinity", kC, kNotBuilt),
    unread("bfd_cpu_affinity", kC, kNotBuilt),
    unread("vrrp_rlimit_rttime", kK, kKernelOnly),
    unread("checker_rlimit_rttime", kK, kKernelOnly),
    unread("bfd_rlimit_rttime", kK, kKernelOnly),
    unread("vrrp_rlimit_rtime", kK, kKernelOnly),
    unread("checker_rlimit_rtime", kK, kKernelOnly),
    unread("bfd_rlimit_rtime", kK, kKernelOnly),
    unread("vrrp_netlink_cmd_rcv_bufs", kK, kKernelOnly),
    unread("vrrp_netlink_cmd_rcv_bufs_force", kK, kKernelOnly),
    unread("vrrp_netlink_monitor_rcv_bufs", kK, kKernelOnly),
    unread("vrrp_netlink_monitor_rcv_bufs_force", kK, kKernelOnly),
    unread("lvs_netlink_cmd_rcv_bufs", kK, kKernelOnly),
    unread("lvs_netlink_cmd_rcv_bufs_force", kK, kKernelOnly),
    unread("lvs_netlink_monitor_rcv_bufs", kK, kKernelOnly),
    unread("lvs_netlink_monitor_rcv_bufs_force", kK, kKernelOnly),
    unread("process_monitor_rcv_bufs", kK, kKernelOnly),
    unread("process_monitor_rcv_bufs_force", kK, kKernelOnly),
    unread("lvs_notify_fifo", kB, kNotBuilt),
    unread("lvs_notify_fifo_script", kB, kNotBuilt),
    unread("fifo_write_vrrp_states_on_reload", kC, kNotBuilt),
    unread("enable_snmp_vrrp", kC, kNotBuilt),
    unread("enable_snmp_keepalived", kC, kNotBuilt),
    unread("enable_snmp_rfc", kC, kNotBuilt),
    unread("enable_snmp_rfcv2", kC, kNotBuilt),
    unread("enable_snmp_rfcv3", kC, kNotBuilt),
    unread("enable_snmp_checker", kC, kNotBuilt),
    unread("enable_traps", kC, kNotBuilt),
    unread("snmp_socket", kC, kNotBuilt),
    unread("snmp_vs_stats_update_interval", kC, kNotBuilt),
    unread("snmp_rs_stats_update_interval", kC, kNotBuilt),
    unread("enable_dbus", kC, kNotBuilt),
    unread("dbus_service_name", kC, kNotBuilt),
    unread("dbus_no_interface_name", kC, kNotBuilt),
    unread("reload_check_config", kB, kNotBuilt),
    unread("reload_time_file", kC, kNotBuilt),
    unread("reload_repeat", kC, kNotBuilt),
    unread("reload_file", kC, kNotBuilt),
    unread("include_check", kC, kNotBuilt),
    unread("config_save_dir", kC, kNotBuilt),
    unread("tmp_config_directory", kC, kNotBuilt),
    {"data_use_instance", kFlagShape, kC, kActive,
     [](Args& a, GlobalDefs& g) { a.flag_to(g.dumps.use_instance); }},
    {"json_version", kOneWord, kB, kActive,
     [](Args& a, GlobalDefs& g) { a.number_to(g.dumps.json_version, 1, 2); }},
    {"state_dump_file", kOneWord, kC, kActive,
     [](Args& a, GlobalDefs& g) { g.dumps.state_file = a.word(); }},
    {"stats_dump_file", kOneWord, kC, kActive,
     [](Args& a, GlobalDefs& g) { g.dumps.stats_file = a.word(); }},
    {"json_dump_file", kOneWord, kC, kActive,
     [](Args& a, GlobalDefs& g) { g.dumps.json_file = a.word(); }},
    unread("linkbeat", kK, kKernelOnly),
    unread("linkbeat_use_polling", kK, kKernelOnly),
};

// One table for the run, so that a misspelt keyword is compared with all of them.
constexpr std::size_t kGlobalCount = std::size(kGlobalRows);
constexpr std::size_t kProcessCount = std::size(kProcessRows);

struct AllRows {
  Row<GlobalDefs> rows[kGlobalCount + kProcessCount];
};

constexpr AllRows join() {
  AllRows all{};
  for (std::size_t i = 0; i < kGlobalCount; ++i) all.rows[i] = kGlobalRows[i];
  for (std::size_t i = 0; i < kProcessCount; ++i) all.rows[kGlobalCount + i] = kProcessRows[i];
  return all;
}

constexpr AllRows kAllRows = join();

}  // namespace

void read_global_defs(Args& args, Config& config) {
  run_table(kAllRows.rows, "global_defs", args.statement().children, config.global,
            args.diagnostics());
}

}  // namespace keepline::config
