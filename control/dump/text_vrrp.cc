// The VRRP part of keepalived.data, and keepalived.stats: see text.h.
#include "control/config/names.h"
#include "control/dump/text.h"
#include "control/dump/words.h"
#include "vrrp/text.h"

namespace keepline::control::dump {

namespace {

using config::kSecondUs;
using config::VrrpInstance;

void add_state(const VrrpInstance& v, const InstanceState& now, const std::string& group,
               Lines& out) {
  out.line("VRRP Version", *v.version);
  if (v.is_v6) out.words("Using Native IPv6");
  if (!group.empty()) out.line("Sync group", group);
  out.line("State", vrrp::to_string(now.state));
  out.words("Flags:");
  if (!v.unicast_peers.empty()) out.item("Using unicast");
  out.line("Wantstate", vrrp::to_string(now.wanted));
  out.line("Number of config faults", 0);
  out.line("Number of interface and track script faults", now.faults);
  out.line("Last transition", time_text(now.last_transition_unix_us));
  out.line("Read timeout",
           now.deadline_unix_us == 0 ? "DISABLED" : time_text(now.deadline_unix_us));
  out.line("Master down timer", std::to_string(now.master_down_us) + " usecs");
}

void add_link(const VrrpInstance& v, const InstanceState& now, Lines& out) {
  if (v.vmac.is_used) {
    out.words("Use VMAC, i/f name " + vmac_name(v) +
              ", is_up = true, xmit_base = " + std::string(true_or_false(v.vmac.xmit_base)));
  }
  out.line("Interface", *v.interface);
  if (v.dont_track_primary) out.words("VRRP interface tracking disabled");
  if (*v.skip_check_adv_addr) out.words("Skip checking advert IP addresses");
  if (*v.strict) out.words("Enforcing strict VRRP compliance");
  const std::string from = v.source ? " (from configuration)" : "";
  out.line("Using src_ip", net::to_string(now.source) + from);
  if (v.unicast_peers.empty()) out.words("Multicast address " + net::to_string(v.group));
}

void add_garp(const config::GarpOptions& garp, Lines& out) {
  out.line("Gratuitous ARP delay", config::seconds_text(*garp.master_delay_us));
  out.line("Gratuitous ARP repeat", *garp.master_repeat);
  out.line("Gratuitous ARP refresh", *garp.master_refresh_us / kSecondUs);
  out.line("Gratuitous ARP refresh repeat", *garp.master_refresh_repeat);
  out.line("Gratuitous ARP lower priority delay", *garp.lower_prio_delay_us / kSecondUs);
  out.line("Gratuitous ARP lower priority repeat", *garp.lower_prio_repeat);
}

void add_protocol(const VrrpInstance& v, const InstanceState& now, Lines& out) {
  out.line("Down timer adverts", *v.down_timer_adverts);
  out.line("Send advert after receive lower priority advert",
           true_or_false(!*v.lower_prio_no_advert));
  out.line("Send advert after receive higher priority advert",
           true_or_false(v.higher_prio_send_advert));
  out.line("Virtual Router ID", *v.virtual_router_id);
  out.line("Priority", *v.priority);
  out.line("Effective priority", now.effective_priority);
  out.line("Total priority", now.effective_priority);
  const bool is_v2 = *v.version == 2;
  out.line("Advert interval", std::to_string(*v.advert_interval_us / (is_v2 ? kSecondUs : 1000)) +
                                  (is_v2 ? " sec" : " milli-sec"));
  out.line("Accept", enabled_or_disabled(v.accept));
  out.line("Preempt", enabled_or_disabled(!v.nopreempt));
  if (v.preempt_delay_us != 0) {
    out.line("Preempt delay", config::seconds_text(v.preempt_delay_us) + " secs");
  }
  if (v.auth.type == config::AuthType::kNone) return;
  const bool is_header = v.auth.type == config::AuthType::kHeader;
  out.line("Authentication type", is_header ? "IPSEC_AH" : "SIMPLE_PASSWORD");
  if (!is_header) out.line("Password", "********");
}

void add_addresses(const VrrpInstance& v, const InstanceState& now, Lines& out) {
  const bool is_held = now.state == vrrp::State::kMaster;
  if (!v.vips.empty()) out.words("Virtual IP (" + std::to_string(v.vips.size()) + "):");
  for (const config::VipAddress& vip : v.vips) out.item(vip_text(vip, is_held));
  if (!v.excluded_vips.empty()) out.words("Virtual IP Excluded :");
  for (const config::VipAddress& vip : v.excluded_vips) out.item(vip_text(vip, is_held));
  if (v.unicast_peers.empty()) return;
  out.line("Unicast TTL", *v.unicast_ttl);
  out.words("Check unicast src : " + std::string(yes_or_no(v.check_unicast_src)));
  out.words("Unicast Peer :");
  for (const config::UnicastPeer& peer : v.unicast_peers) {
    out.item(net::to_string(peer.address) + " min_ttl " + std::to_string(peer.min_ttl) +
             " max_ttl " + std::to_string(peer.max_ttl));
  }
}

void add_trackers(std::string_view title, std::string_view separator,
                  const std::vector<config::Tracker>& trackers, Lines& out) {
  if (!trackers.empty()) out.words(title);
  for (const config::Tracker& tracker : trackers) {
    out.item(tracker.name + std::string(separator) + "weight " + std::to_string(*tracker.weight) +
             (tracker.is_reversed ? " reverse" : ""));
  }
}

template <typename Tracking>
void add_all_trackers(const Tracking& tracking, Lines& out) {
  add_trackers("Tracked interfaces :", " ", tracking.track_interface, out);
  add_trackers("Tracked scripts :", " ", tracking.track_script, out);
  add_trackers("Tracked files :", ", ", tracking.track_file, out);
  add_trackers("Tracked processes :", ", ", tracking.track_process, out);
  add_trackers("Tracked BFDs :", ": ", tracking.track_bfd, out);
}

void add_notify(const config::Notify& notify, Lines& out) {
  const auto script = [&](std::string_view which, const config::Command& command) {
    if (command.empty()) return;
    out.line(std::string(which) + " state transition script", command_text(command));
  };
  script("Backup", notify.backup);
  script("Master", notify.master);
  script("Fault", notify.fault);
  script("Stop", notify.stop);
  script("Deleted", notify.deleted);
  script("Generic", notify.any);
  script("Master rx lower pri", notify.master_rx_lower_pri);
}

std::string group_of(const config::Config& config, const std::string& instance) {
  for (const config::SyncGroup& group : config.sync_groups) {
    for (const std::string& member : group.members) {
      if (member == instance) return group.name;
    }
  }
  return "";
}

void add_groups(const State& state, Lines& out) {
  if (state.groups.empty()) return;
  out.section("VRRP Sync groups");
  for (std::size_t i = 0; i < state.groups.size(); ++i) {
    const config::SyncGroup& group = state.config->sync_groups[i];
    out.head("VRRP Sync Group", group.name + ", " + std::string(vrrp::to_string(state.groups[i])));
    out.words("VRRP member instances :");
    for (const std::string& member : group.members) out.item(member);
    if (group.tracking_weight) out.words("sync group tracking weight set");
    out.line("Using smtp notification", yes_or_no(group.smtp_alert));
    add_all_trackers(group, out);
    add_notify(group.notify, out);
  }
}

}  // namespace

void add_instances(const State& state, Lines& out) {
  out.section("VRRP Topology");
  for (std::size_t i = 0; i < state.instances.size(); ++i) {
    const VrrpInstance& v = state.config->vrrp_instances[i];
    const InstanceState& now = state.instances[i];
    out.head("VRRP Instance", v.name);
    add_state(v, now, group_of(*state.config, v.name), out);
    add_link(v, now, out);
    add_garp(v.garp, out);
    add_protocol(v, now, out);
    add_addresses(v, now, out);
    add_all_trackers(v, out);
    out.line("Using smtp notification", yes_or_no(v.smtp_alert));
    out.line("Notify deleted", v.notify.tells_deleted ? "Deleted" : "Fault");
    add_notify(v.notify, out);
    out.line("Notify priority changes", true_or_false(v.notify_priority_changes));
  }
  add_groups(state, out);
}

std::string data_text(const State& state) {
  Lines out;
  add_global(state, out);
  add_instances(state, out);
  add_tracking(state, out);
  add_interfaces(state, out);
  return out.take();
}

std::string stats_text(const State& state) {
  std::string out;
  const auto add = [&out](std::string_view key, std::uint64_t count) {
    out.append(key).append(": ").append(std::to_string(count)).append("\n");
  };
  for (std::size_t i = 0; i < state.instances.size(); ++i) {
    const vrrp::Statistics& counted = state.instances[i].statistics;
    out += "VRRP Instance: " + state.config->vrrp_instances[i].name + "\n  Advertisements:\n";
    add("    Received", counted.advert_rcvd);
    add("    Sent", counted.advert_sent);
    add("  Became master", counted.become_master);
    add("  Released master", counted.release_master);
    out += "  Packet Errors:\n";
    add("    Length", counted.packet_len_err);
    add("    TTL", counted.ip_ttl_err);
    add("    Invalid Type", counted.invalid_type_rcvd);
    add("    Advertisement Interval", counted.advert_interval_err);
    add("    Address List", counted.addr_list_err);
    out += "  Authentication Errors:\n";
    add("    Invalid Type", counted.invalid_authtype);
    add("    Type Mismatch", counted.authtype_mismatch);
    add("    Failure", counted.auth_failure);
    out += "  Priority Zero:\n";
    add("    Received", counted.pri_zero_rcvd);
    add("    Sent", counted.pri_zero_sent);
  }
  return out;
}

}  // namespace keepline::control::dump
