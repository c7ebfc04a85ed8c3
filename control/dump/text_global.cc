// The global part of keepalived.data, and the node's interfaces: see text.h.
#include <utility>

#include "control/config/names.h"
#include "control/dump/text.h"
#include "control/dump/words.h"

namespace keepline::control::dump {

namespace {

std::string_view on_off_or_unset(const config::Setting<bool>& setting) {
  if (!setting.is_set()) return "unset";
  return *setting ? "on" : "off";
}

std::string whole_seconds(std::uint64_t us) {
  return std::to_string(us / config::kSecondUs);
}

void add_mail(const config::GlobalDefs& g, Lines& out) {
  if (!g.mail.smtp_server.empty()) {
    out.head("Smtp server", g.mail.smtp_server);
    out.head("Smtp server port", g.mail.smtp_port);
    if (!g.mail.helo_name.empty()) out.head("Smtp HELO name", g.mail.helo_name);
    out.head("Smtp server connection timeout", whole_seconds(g.mail.connect_timeout_us));
    if (!g.mail.from.empty()) out.head("Email notification from", g.mail.from);
    out.raw(" Email notification to:\n");
    for (const std::string& recipient : g.mail.recipients) out.words(recipient);
  }
  out.head("Default smtp_alert", on_off_or_unset(g.smtp_alert));
  out.head("Default smtp_alert_vrrp", on_off_or_unset(g.smtp_alert_vrrp));
  out.head("Default smtp_alert_checker", on_off_or_unset(g.smtp_alert_checker));
}

void add_garp(const config::GarpOptions& garp, Lines& out) {
  out.head("Gratuitous ARP delay", config::seconds_text(*garp.master_delay_us));
  out.head("Gratuitous ARP repeat", *garp.master_repeat);
  out.head("Gratuitous ARP refresh timer", whole_seconds(*garp.master_refresh_us));
  out.head("Gratuitous ARP refresh repeat", *garp.master_refresh_repeat);
  out.head("Gratuitous ARP lower priority delay", whole_seconds(*garp.lower_prio_delay_us));
  out.head("Gratuitous ARP lower priority repeat", *garp.lower_prio_repeat);
}

void add_interface(const State& state, const Link& link, Lines& out) {
  const auto first = [&](bool is_v6) -> std::string {
    for (const Address& address : state.kernel->addresses) {
      const net::IpAddr& own = address.prefix.address;
      if (address.ifindex == link.ifindex && own.is_v6() == is_v6) return net::to_string(own);
    }
    return "(none)";
  };
  out.head("Name", link.name);
  out.line("index", link.ifindex);
  out.line("IPv4 address", first(false));
  out.line("IPv6 address", first(true));
  if (link.is_ethernet) out.line("MAC", net::to_string(link.mac));
  out.line("State", link.is_up ? "UP, RUNNING" : "DOWN");
  out.line("MTU", link.mtu);
  out.line("HW Type", link.is_ethernet ? "ETHERNET" : "OTHER");
  bool is_first = true;
  const auto tracked_by = [&](const std::string& name, int weight) {
    if (std::exchange(is_first, false)) out.words("Tracking VRRP instances :");
    out.item(name + ", weight " + std::to_string(weight));
  };
  for (const config::VrrpInstance& instance : state.config->vrrp_instances) {
    if (*instance.interface == link.name && !instance.dont_track_primary) {
      tracked_by(instance.name, 0);
    }
    for (const config::Tracker& tracker : instance.track_interface) {
      if (tracker.name == link.name) tracked_by(instance.name, *tracker.weight);
    }
  }
}

}  // namespace

void add_global(const State& state, Lines& out) {
  const config::GlobalDefs& g = state.config->global;
  out.section("Global definitions");
  if (!g.instance.empty()) out.head("Instance name", g.instance);
  if (!g.router_id.empty()) out.head("Router ID", g.router_id);
  add_mail(g, out);
  out.head("Checkers log all failures", true_or_false(g.checker_log_all_failures));
  if (g.dumps.use_instance) out.raw(" Use instance name in data dumps\n");
  if (!g.default_interface.empty()) out.head("Default interface", g.default_interface);
  out.head("LVS flush", true_or_false(g.lvs_flush));
  out.head("LVS flush on stop", enabled_or_disabled(g.lvs_flush_on_stop));
  out.head("VRRP notify priority changes", true_or_false(g.vrrp_notify_priority_changes));
  out.head("VRRP IPv4 mcast group", net::to_string(g.vrrp_mcast_group4));
  out.head("VRRP IPv6 mcast group", net::to_string(g.vrrp_mcast_group6));
  add_garp(g.garp, out);
  out.head("Num adverts before down", *g.vrrp_down_timer_adverts);
  out.head("Send advert after receive lower priority advert",
           true_or_false(!*g.vrrp_lower_prio_no_advert));
  out.head("Send advert after receive higher priority advert",
           true_or_false(g.vrrp_higher_prio_send_advert));
  out.head("Gratuitous ARP interval",
           decimal_seconds(static_cast<std::int64_t>(*g.garp.interval_us)));
  out.head("Gratuitous NA interval",
           decimal_seconds(static_cast<std::int64_t>(*g.garp.gna_interval_us)));
  out.head("VRRP default protocol version", *g.vrrp_version);
  out.head("VRRP check unicast_src", true_or_false(g.vrrp_check_unicast_src));
  out.head("VRRP skip check advert addresses", true_or_false(g.vrrp_skip_check_adv_addr));
  out.head("VRRP strict mode", true_or_false(g.vrrp_strict));
  out.head("VRRP realtime priority", int{g.vrrp_rt_priority});
  out.head("Checker realtime priority", int{g.checker_rt_priority});
  out.head("BFD realtime priority", int{g.bfd_rt_priority});
  out.raw(g.enable_script_security ? " Script security enabled\n" : " Script security disabled\n");
}

std::string parent_data_text(const State& state) {
  Lines out;
  add_global(state, out);
  return out.take();
}

void add_interfaces(const State& state, Lines& out) {
  out.section("Interfaces");
  for (const Link& link : state.kernel->links) add_interface(state, link, out);
}

}  // namespace keepline::control::dump
