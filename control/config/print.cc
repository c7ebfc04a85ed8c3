// Globals, VRRP and dataplane options as text: see print.h. PURE.
#include "control/config/print.h"

#include "control/config/hmac_key.h"
#include "control/config/names.h"
#include "control/config/writer.h"

namespace keepline::config {

namespace {

void print_mail(const GlobalDefs& g, Writer& out) {
  if (!g.mail.recipients.empty()) {
    out.open("notification_email");
    for (const std::string& recipient : g.mail.recipients) out.line(quote_word(recipient));
    out.close();
  }
  out.text("notification_email_from", g.mail.from);
  if (!g.mail.smtp_server.empty()) {
    out.line("smtp_server",
             quote_word(g.mail.smtp_server) + ' ' + std::to_string(g.mail.smtp_port));
  }
  if (g.mail.connect_timeout_us != MailOptions{}.connect_timeout_us) {
    out.seconds("smtp_connect_timeout", g.mail.connect_timeout_us);
  }
  out.text("smtp_helo_name", g.mail.helo_name);
  if (g.smtp_alert) out.flag("smtp_alert", true);
  if (g.smtp_alert_vrrp) out.flag("smtp_alert_vrrp", true);
  if (g.smtp_alert_checker) out.flag("smtp_alert_checker", true);
}

void print_garp(const GarpOptions& garp, const std::string& prefix, Writer& out) {
  out.seconds(prefix + "garp_master_delay", garp.master_delay_us);
  out.number(prefix + "garp_master_repeat", garp.master_repeat);
  out.seconds(prefix + "garp_master_refresh", garp.master_refresh_us);
  out.number(prefix + "garp_master_refresh_repeat", garp.master_refresh_repeat);
  out.seconds(prefix + "garp_lower_prio_delay", garp.lower_prio_delay_us);
  out.number(prefix + "garp_lower_prio_repeat", garp.lower_prio_repeat);
}

void print_fifo(const std::string& prefix, const NotifyFifo& fifo, Writer& out) {
  if (!fifo.path.empty()) {
    std::string words = quote_word(fifo.path);
    if (!fifo.user.empty()) words += ' ' + quote_word(fifo.user);
    if (!fifo.group.empty()) words += ' ' + quote_word(fifo.group);
    out.line(prefix + "notify_fifo", words);
  }
  out.command(prefix + "notify_fifo_script", fifo.script);
}

void print_dumps(const DumpOptions& dumps, Writer& out) {
  out.text("state_dump_file", dumps.state_file);
  out.text("stats_dump_file", dumps.stats_file);
  out.text("json_dump_file", dumps.json_file);
  out.number("json_version", dumps.json_version);
  out.flag("data_use_instance", dumps.use_instance);
}

void print_global(const GlobalDefs& g, Writer& out) {
  out.open("global_defs");
  out.text("router_id", g.router_id);
  print_mail(g, out);
  if (g.no_email_faults) out.line("no_email_faults");
  if (g.enable_script_security) out.line("enable_script_security");
  if (!g.script_user.empty() || !g.script_group.empty()) {
    out.line("script_user", quote_word(g.script_user + ':' + g.script_group));
  }
  out.number("vrrp_version", g.vrrp_version);
  out.flag("vrrp_strict", g.vrrp_strict);
  out.flag("vrrp_skip_check_adv_addr", g.vrrp_skip_check_adv_addr);
  print_garp(g.garp, "vrrp_", out);
  out.seconds("vrrp_garp_interval", g.garp.interval_us);
  out.seconds("vrrp_gna_interval", g.garp.gna_interval_us);
  out.flag("vrrp_min_garp", g.vrrp_min_garp);
  out.flag("vrrp_lower_prio_no_advert", g.vrrp_lower_prio_no_advert);
  out.flag("vrrp_higher_prio_send_advert", g.vrrp_higher_prio_send_advert);
  out.flag("vrrp_owner_ignore_adverts", g.vrrp_owner_ignore_adverts);
  out.number("vrrp_down_timer_adverts", g.vrrp_down_timer_adverts);
  out.line("vrrp_mcast_group4", net::to_string(g.vrrp_mcast_group4));
  out.line("vrrp_mcast_group6", net::to_string(g.vrrp_mcast_group6));
  out.flag("vrrp_check_unicast_src", g.vrrp_check_unicast_src);
  out.seconds("vrrp_startup_delay", g.vrrp_startup_delay_us);
  out.seconds("vrrp_delay_after_boot", g.vrrp_delay_after_boot_us);
  print_fifo("", g.fifo, out);
  print_fifo("vrrp_", g.vrrp_fifo, out);
  out.flag("v3_checksum_as_v2", g.v3_checksum_as_v2);
  out.text("default_interface", g.default_interface);
  out.line("lvs_timeouts", "tcp " + seconds_text(g.lvs_timeouts.tcp_us) + " tcpfin " +
                               seconds_text(g.lvs_timeouts.tcpfin_us) + " udp " +
                               seconds_text(g.lvs_timeouts.udp_us));
  if (g.lvs_flush) out.line("lvs_flush");
  if (g.lvs_flush_on_stop) out.line("lvs_flush_on_stop");
  out.flag("checker_log_all_failures", g.checker_log_all_failures);
  print_dumps(g.dumps, out);
  out.flag("vrrp_notify_priority_changes", g.vrrp_notify_priority_changes);
  out.command("startup_script", g.startup.command);
  out.seconds("startup_script_timeout", g.startup.timeout_us);
  out.command("shutdown_script", g.shutdown.command);
  out.seconds("shutdown_script_timeout", g.shutdown.timeout_us);
  out.close();
}

void print_vips(std::string_view keyword, const std::vector<VipAddress>& vips, Writer& out) {
  if (vips.empty()) return;
  out.open(keyword);
  for (const VipAddress& vip : vips) {
    std::string text = net::to_string(vip.address) + '/' + std::to_string(vip.prefix_length);
    if (!vip.dev.empty()) text += " dev " + quote_word(vip.dev);
    if (!vip.label.empty()) text += " label " + quote_word(vip.label);
    if (vip.no_track) text += " no_track";
    out.line(text);
  }
  out.close();
}

void print_trackers(std::string_view keyword, const std::vector<Tracker>& trackers, Writer& out) {
  if (trackers.empty()) return;
  out.open(keyword);
  for (const Tracker& tracker : trackers) {
    out.line(quote_word(tracker.name) + " weight " + std::to_string(tracker.weight) +
             (tracker.is_reversed ? " reverse" : " noreverse"));
  }
  out.close();
}

void print_notify(const Notify& notify, Writer& out) {
  out.command("notify_master", notify.master);
  out.command("notify_backup", notify.backup);
  out.command("notify_fault", notify.fault);
  out.command("notify_stop", notify.stop);
  if (notify.tells_deleted && notify.deleted.empty()) out.line("notify_deleted");
  out.command("notify_deleted", notify.deleted);
  out.command("notify", notify.any);
  out.command("notify_master_rx_lower_pri", notify.master_rx_lower_pri);
}

void print_script(const VrrpScript& script, Writer& out) {
  out.open("vrrp_script", quote_word(script.name));
  out.command("script", script.command, false);
  out.seconds("interval", script.interval_us);
  out.seconds("timeout", script.timeout_us);
  out.line("weight", std::to_string(script.weight) + (script.is_reversed ? " reverse" : ""));
  out.number("rise", script.rise);
  out.number("fall", script.fall);
  const Command& command = script.command;
  if (!command.user.empty() || !command.group.empty()) {
    out.line("user", quote_word(command.user + ':' + command.group));
  }
  if (script.init_fail) out.line("init_fail");
  out.close();
}

void print_file(const TrackFile& file, Writer& out) {
  out.open("track_file", quote_word(file.name));
  out.line("file", quote_word(file.path));
  out.line("weight", std::to_string(file.weight) + (file.is_reversed ? " reverse" : ""));
  if (file.init) {
    out.line("init_file", std::to_string(*file.init) + (file.is_overwritten ? " overwrite" : ""));
  }
  out.close();
}

void print_process(const TrackProcess& process, Writer& out) {
  out.open("vrrp_track_process", quote_word(process.name));
  std::string words = quote_word(process.process);
  for (const std::string& parameter : process.parameters) words += ' ' + quote_word(parameter);
  out.line("process", words);
  if (process.param_match != ParamMatch::kIgnored) {
    constexpr const char* kWords[] = {"", "", "initial", "partial"};
    out.line("param_match", kWords[static_cast<std::size_t>(process.param_match)]);
  }
  if (process.full_command) out.line("full_command");
  out.line("weight", std::to_string(process.weight) + (process.is_reversed ? " reverse" : ""));
  out.number("quorum", process.quorum);
  if (process.quorum_max) out.number("quorum_max", *process.quorum_max);
  out.seconds("fork_delay", process.fork_delay_us);
  out.seconds("terminate_delay", process.terminate_delay_us);
  out.close();
}

void print_bfd(const BfdInstance& bfd, Writer& out) {
  out.open("bfd_instance", quote_word(bfd.name));
  out.line("neighbor_ip", net::to_string(bfd.neighbour));
  if (bfd.source) out.line("source_ip", net::to_string(*bfd.source));
  out.number("min_rx", bfd.min_rx_ms);
  out.number("min_tx", bfd.min_tx_ms);
  out.number("idle_tx", bfd.idle_tx_ms);
  out.number("multiplier", bfd.multiplier);
  if (bfd.is_passive) out.line("passive");
  if (bfd.is_multihop) out.line("multihop");
  out.number("ttl", bfd.ttl);
  out.line("max_hops", std::to_string(*bfd.max_hops));
  out.line("weight", std::to_string(bfd.weight) + (bfd.is_reversed ? " reverse" : ""));
  if (bfd.tells_vrrp && !bfd.tells_checkers) out.line("vrrp");
  if (bfd.tells_checkers && !bfd.tells_vrrp) out.line("checker");
  out.close();
}

void print_transport(const VrrpInstance& v, Writer& out) {
  const bool is_unicast = !v.unicast_peers.empty();
  if (v.source) {
    out.line(is_unicast ? "unicast_src_ip" : "mcast_src_ip", net::to_string(*v.source));
  }
  if (v.track_src_ip) out.line("track_src_ip");
  out.line("mcast_dst_ip", net::to_string(v.group));
  if (is_unicast) {
    out.number("unicast_ttl", *v.unicast_ttl);
    out.flag("check_unicast_src", v.check_unicast_src);
    out.open("unicast_peer");
    for (const UnicastPeer& peer : v.unicast_peers) {
      out.line(net::to_string(peer.address) + " min_ttl " + std::to_string(peer.min_ttl) +
               " max_ttl " + std::to_string(peer.max_ttl));
    }
    out.close();
  }
  if (v.unicast_fault_no_peer) out.line("unicast_fault_no_peer");
  if (v.lacks_peers) {
    out.open("unicast_peer");
    out.close();
  }
  if (v.vmac.is_used) {
    std::string rest;
    if (!v.vmac.ifname.empty()) rest = quote_word(v.vmac.ifname);
    if (v.vmac.mac) rest += (rest.empty() ? "" : " ") + net::to_string(*v.vmac.mac);
    out.line("use_vmac", rest);
  }
  if (v.vmac.xmit_base) out.line("vmac_xmit_base");
}

void print_auth(const Authentication& auth, Secrets secrets, Writer& out) {
  if (auth.type == AuthType::kNone) return;
  out.open("authentication");
  out.line("auth_type", auth.type == AuthType::kPass ? "PASS" : "AH");
  out.word("auth_pass", secrets == Secrets::kShow ? auth.password : "********");
  out.close();
}

const char* word_of(HmacMode mode) {
  switch (mode) {
    case HmacMode::kEnforce:
      return "enforce";
    case HmacMode::kPermissive:
      return "permissive";
    case HmacMode::kReceiveOnly:
      return "receive-only";
  }
  return "?";
}

// A path is no secret. What stands in the configuration may have bytes that no word can have.
std::string value_of(const HmacKey& key, Secrets secrets) {
  if (!key.file.empty()) return quote_word("file:" + key.file);
  return secrets == Secrets::kShow ? to_hex_key(key.bytes) : "********";
}

void print_auth_hmac(const AuthHmac& hmac, Secrets secrets, Writer& out) {
  if (!hmac.is_used()) return;
  out.open("auth_hmac");
  for (const HmacKey& key : hmac.keys) {
    out.line("key", std::to_string(key.id) + ' ' + value_of(key, secrets));
  }
  if (hmac.active_key != 0) out.number("active_key", hmac.active_key);
  out.number("time_window", hmac.time_window_s);
  out.line("anti_replay", hmac.is_monotonic ? "monotonic" : "time");
  out.line("mode", word_of(hmac.mode));
  out.close();
}

void print_instance(const VrrpInstance& v, Secrets secrets, Writer& out) {
  out.open("vrrp_instance", quote_word(v.name));
  out.line("state", v.state == InitialState::kMaster ? "MASTER" : "BACKUP");
  out.text("interface", v.interface.value());
  if (v.virtual_router_id != 0) out.number("virtual_router_id", v.virtual_router_id);
  out.number("priority", v.priority);
  out.seconds("advert_int", v.advert_interval_us);
  out.number("version", v.version);
  print_auth(v.auth, secrets, out);
  print_auth_hmac(v.hmac, secrets, out);
  print_transport(v, out);
  if (v.no_virtual_ipaddress) out.line("no_virtual_ipaddress");
  print_vips("virtual_ipaddress", v.vips, out);
  print_vips("virtual_ipaddress_excluded", v.excluded_vips, out);
  if (v.nopreempt) out.line("nopreempt");
  if (v.preempt_delay_us != 0) out.seconds("preempt_delay", v.preempt_delay_us);
  print_garp(v.garp, "", out);
  out.flag("lower_prio_no_advert", v.lower_prio_no_advert);
  out.flag("higher_prio_send_advert", v.higher_prio_send_advert);
  out.flag("owner_ignore_adverts", v.owner_ignore_adverts);
  if (v.timer_expired_backup != 0) out.number("timer_expired_backup", v.timer_expired_backup);
  out.number("down_timer_adverts", v.down_timer_adverts);
  out.flag("skip_check_adv_addr", v.skip_check_adv_addr);
  out.flag("v3_checksum_as_v2", v.v3_checksum_as_v2);
  out.flag("strict_mode", v.strict);
  out.line(v.accept ? "accept" : "no_accept");
  if (v.dont_track_primary) out.line("dont_track_primary");
  print_trackers("track_interface", v.track_interface, out);
  print_trackers("track_script", v.track_script, out);
  print_trackers("track_file", v.track_file, out);
  print_trackers("track_process", v.track_process, out);
  print_trackers("track_bfd", v.track_bfd, out);
  print_notify(v.notify, out);
  out.flag("notify_priority_changes", v.notify_priority_changes);
  out.flag("smtp_alert", v.smtp_alert);
  out.close();
}

void print_group(const SyncGroup& group, Writer& out) {
  out.open("vrrp_sync_group", quote_word(group.name));
  out.open("group");
  for (const std::string& member : group.members) out.line(quote_word(member));
  out.close();
  print_trackers("track_interface", group.track_interface, out);
  print_trackers("track_script", group.track_script, out);
  print_trackers("track_file", group.track_file, out);
  print_trackers("track_process", group.track_process, out);
  print_trackers("track_bfd", group.track_bfd, out);
  print_notify(group.notify, out);
  out.flag("notify_priority_changes", group.notify_priority_changes);
  out.flag("smtp_alert", group.smtp_alert);
  if (group.tracking_weight) out.line("sync_group_tracking_weight");
  out.close();
}

void print_interfaces(const Config& config, Writer& out) {
  if (!config.link_delays.empty()) {
    out.open("interface_up_down_delays");
    for (const LinkDelay& delay : config.link_delays) {
      out.line(quote_word(delay.interface) + ' ' + seconds_text(delay.down_us) + ' ' +
               seconds_text(delay.up_us));
    }
    out.close();
  }
  for (const GarpGroup& group : config.garp_groups) {
    out.open("garp_group");
    out.seconds("garp_interval", group.interval_us);
    out.seconds("gna_interval", group.gna_interval_us);
    out.open("interfaces");
    for (const std::string& interface : group.interfaces) out.line(quote_word(interface));
    out.close();
    out.close();
  }
}

void print_leaving(const char* keyword, const LeavingPolicy& policy, Writer& out) {
  out.line(keyword, policy.drain_s == 0 ? "reschedule" : "drain " + std::to_string(policy.drain_s));
}

void print_dataplane(const DataplaneOptions& options, Writer& out) {
  out.open("dataplane");
  out.number("workers", options.workers);
  out.number("connections", options.connections);
  out.number("half_open_percent", options.half_open_percent);
  print_leaving("failed_server", options.failed_server, out);
  print_leaving("removed_server", options.removed_server, out);
  if (options.maglev_size != 0) out.number("maglev_size", options.maglev_size);
  out.line("idle", options.idle == IdlePolicy::kPoll ? "poll" : "adaptive");
  if (options.metrics) {
    out.line("metrics", net::to_string(options.metrics->address) + ' ' +
                            std::to_string(options.metrics->port));
  }
  for (const LocalAddresses& group : options.local_addresses) {
    out.open("local_address", group.instance.empty() ? "" : quote_word(group.instance));
    for (const net::IpAddr& address : group.addresses) out.line(net::to_string(address));
    out.close();
  }
  for (const DataplanePort& port : options.ports) {
    out.open("port", quote_word(port.interface));
    out.text("pci", port.pci);
    out.text("vdev", port.vdev);
    out.close();
  }
  out.close();
}

}  // namespace

std::string print(const Config& config, Secrets secrets) {
  Writer out;
  if (!config.global.instance.empty()) out.word("instance", config.global.instance);
  print_global(config.global, out);
  print_dataplane(config.dataplane, out);
  for (const VrrpScript& script : config.vrrp_scripts) print_script(script, out);
  for (const TrackFile& file : config.track_files) print_file(file, out);
  for (const TrackProcess& process : config.track_processes) print_process(process, out);
  print_interfaces(config, out);
  for (const BfdInstance& bfd : config.bfd_instances) print_bfd(bfd, out);
  for (const VrrpInstance& instance : config.vrrp_instances) {
    print_instance(instance, secrets, out);
  }
  for (const SyncGroup& group : config.sync_groups) print_group(group, out);
  print_services(config, out);
  return out.take();
}

}  // namespace keepline::config
