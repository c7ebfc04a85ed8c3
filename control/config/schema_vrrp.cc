// The keyword tables of vrrp_instance and vrrp_sync_group.
//
// PURE. One row a keyword; bound: the tables.
#include <algorithm>
#include <cstdlib>

#include "control/config/named_blocks.h"
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

constexpr std::uint64_t kMaxDelayUs = 86'400 * kSecondUs;
constexpr std::uint64_t kMaxRepeat = 10'000;
constexpr std::uint64_t kLeastAdvertUs = 10'000;
constexpr std::uint64_t kMaxAdvertUs = 255 * kSecondUs;

using Into = InstanceDraft;

void read_state(Args& a, Into& d) {
  if (a.word() == "MASTER") {
    d.state = InitialState::kMaster;
  } else {
    d.state = InitialState::kBackup;
    if (a.word() != "BACKUP") {
      a.error("unknown state '" + a.word() + "': BACKUP is used", "MASTER or BACKUP");
    }
  }
}

void read_unicast_peers(Args& args, Into& d) {
  for_each_entry(args.statement(), args.diagnostics(), [&d](Args& a) {
    const auto address = net::parse_ip(a.keyword());
    if (!address) {
      a.error("'" + a.keyword() + "' is not an IP address: skipped", "", 0);
      return;
    }
    UnicastPeer peer{*address, 0, 255, a.position()};
    for (std::size_t i = 1; i + 1 <= a.count(); i += 2) {
      const auto ttl = a.number(0, 255, i + 1);
      if (ttl && a.word(i) == "min_ttl") peer.min_ttl = static_cast<std::uint8_t>(*ttl);
      if (ttl && a.word(i) == "max_ttl") peer.max_ttl = static_cast<std::uint8_t>(*ttl);
    }
    d.instance.unicast_peers.push_back(peer);
  });
  d.is_unicast = true;
}

void read_mcast_dst(Args& a, Into& d) {
  const auto group = net::parse_ip(a.word());
  if (group && net::is_multicast(*group)) {
    d.mcast_dst = *group;
  } else {
    a.error("'" + a.word() + "' is not a multicast address: ignored");
  }
}

// `use_vmac [IFNAME] [MAC] [netlink_notify_msg] [group N]`
void read_use_vmac(Args& a, Into& d) {
  VirtualMac& vmac = d.instance.vmac;
  vmac.is_used = true;
  for (std::size_t i = 1; i <= a.count(); ++i) {
    const std::string& word = a.word(i);
    if (const auto mac = net::parse_mac(word)) {
      vmac.mac = *mac;
    } else if (word == "group") {
      ++i;
    } else if (word != "netlink_notify_msg") {
      vmac.ifname = word;
    }
  }
}

// `timer_expired_backup [PRIORITY]`: the highest one that a peer may have.
void read_timer_expired(Args& a, Into& d) {
  constexpr std::uint8_t kHighest = 254;
  const auto priority = a.count() == 0 ? kHighest : a.number(1, kHighest);
  if (priority) d.instance.timer_expired_backup = static_cast<std::uint8_t>(*priority);
}

void refuse_ipvlan(Args& a, Into&) {
  a.fatal("use_ipvlan is not built", "remove it, or use use_vmac");
}

void read_repeat(Args& a, Setting<std::uint32_t>& out) {
  if (const auto count = a.number(0, kMaxRepeat)) {
    out.set(*count == 0 ? 1 : static_cast<std::uint32_t>(*count));
  }
}

constexpr Row<Into> kInstanceRows[] = {
    {"state", kOneWord, kA, kActive, read_state},
    {"interface", kOneWord, kA, kActive,
     [](Args& a, Into& d) {
       d.instance.interface.set(a.word());
       d.instance.interface_position = a.position();
     }},
    {"virtual_router_id", kOneWord, kA, kActive,
     [](Args& a, Into& d) { a.number_to(d.instance.virtual_router_id, 1, 255); }},
    {"priority", kOneWord, kA, kActive,
     [](Args& a, Into& d) { a.number_to(d.instance.priority, 1, 255); }},
    {"advert_int", kOneWord, kA, kActive,
     [](Args& a, Into& d) {
       a.seconds_to(d.instance.advert_interval_us, kLeastAdvertUs, kMaxAdvertUs);
     }},
    {"version", kOneWord, kA, kActive,
     [](Args& a, Into& d) { a.number_to(d.instance.version, 2, 3); }},
    {"authentication", kBlockShape, kA, kActive, read_authentication},
    {"auth_hmac", kBlockShape, kB, kActive, read_auth_hmac},
    {"virtual_ipaddress", kBlockShape, kA, kActive,
     [](Args& a, Into& d) { read_vips(a, d.instance.vips); }},
    {"virtual_ipaddress_excluded", kBlockShape, kA, kActive,
     [](Args& a, Into& d) { read_vips(a, d.instance.excluded_vips); }},
    {"no_virtual_ipaddress", kBareShape, kC, kActive,
     [](Args&, Into& d) { d.instance.no_virtual_ipaddress = true; }},
    {"nopreempt", kBareShape, kA, kActive, [](Args&, Into& d) { d.preempt_off = true; }},
    {"preempt", kBareShape, kA, kActive, [](Args&, Into& d) { d.preempt_off = false; }},
    {"preempt_delay", kOneWord, kA, kActive,
     [](Args& a, Into& d) { a.seconds_to(d.instance.preempt_delay_us, 0, kMaxDelayUs); }},
    {"unicast_peer", kBlockShape, kA, kActive, read_unicast_peers},
    {"unicast_src_ip", kOneWord, kA, kActive,
     [](Args& a, Into& d) { d.instance.source = a.address(); }},
    {"unicast_ttl", kOneWord, kB, kActive,
     [](Args& a, Into& d) { a.number_to(d.instance.unicast_ttl, 0, 255); }},
    {"check_unicast_src", kFlagShape, kB, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.check_unicast_src); }},
    {"track_src_ip", kBareShape, kB, kActive,
     [](Args&, Into& d) { d.instance.track_src_ip = true; }},
    {"mcast_src_ip", kOneWord, kA, kActive,
     [](Args& a, Into& d) { d.instance.source = a.address(); }},
    {"mcast_dst_ip", kOneWord, kB, kActive, read_mcast_dst},
    {"v3_checksum_as_v2", kFlagShape, kB, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.v3_checksum_as_v2); }},
    {"skip_check_adv_addr", kFlagShape, kB, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.skip_check_adv_addr); }},
    {"strict_mode", kFlagShape, kB, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.strict); }},
    {"down_timer_adverts", kOneWord, kB, kActive,
     [](Args& a, Into& d) { a.number_to(d.instance.down_timer_adverts, 1, 100); }},
    {"lower_prio_no_advert", kFlagShape, kB, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.lower_prio_no_advert); }},
    {"higher_prio_send_advert", kFlagShape, kB, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.higher_prio_send_advert); }},
    {"owner_ignore_adverts", kFlagShape, kC, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.owner_ignore_adverts); }},
    {"timer_expired_backup", {0, 1}, kC, kActive, read_timer_expired, "thread_timer_expired"},
    {"unicast_fault_no_peer", kBareShape, kC, kActive,
     [](Args&, Into& d) { d.instance.unicast_fault_no_peer = true; }},
    {"use_vmac", kAnyWords, kA, kActive, read_use_vmac},
    {"vmac_xmit_base", kBareShape, kB, kActive,
     [](Args&, Into& d) { d.instance.vmac.xmit_base = true; }},
    {"use_ipvlan", kAnyWords, kK, kActive, refuse_ipvlan},
    {"accept", kBareShape, kB, kActive, [](Args&, Into& d) { d.instance.accept.set(true); }},
    {"no_accept", kBareShape, kB, kActive, [](Args&, Into& d) { d.instance.accept.set(false); }},
    {"garp_master_delay", kOneWord, kB, kActive,
     [](Args& a, Into& d) { a.seconds_to(d.instance.garp.master_delay_us, 0, kMaxDelayUs); }},
    {"garp_master_repeat", kOneWord, kB, kActive,
     [](Args& a, Into& d) { read_repeat(a, d.instance.garp.master_repeat); }},
    {"garp_master_refresh", kOneWord, kB, kActive,
     [](Args& a, Into& d) { a.seconds_to(d.instance.garp.master_refresh_us, 0, kMaxDelayUs); }},
    {"garp_master_refresh_repeat", kOneWord, kB, kActive,
     [](Args& a, Into& d) { read_repeat(a, d.instance.garp.master_refresh_repeat); }},
    {"garp_lower_prio_delay", kOneWord, kB, kActive,
     [](Args& a, Into& d) { a.seconds_to(d.instance.garp.lower_prio_delay_us, 0, kMaxDelayUs); }},
    {"garp_lower_prio_repeat", kOneWord, kB, kActive,
     [](Args& a, Into& d) { a.number_to(d.instance.garp.lower_prio_repeat, 0, kMaxRepeat); }},
    {"track_interface", kBlockShape, kA, kActive,
     [](Args& a, Into& d) { read_trackers(a, d.instance.track_interface); }},
    {"track_script", kBlockShape, kA, kActive,
     [](Args& a, Into& d) { read_trackers(a, d.instance.track_script); }},
    {"dont_track_primary", kBareShape, kB, kActive,
     [](Args&, Into& d) { d.instance.dont_track_primary = true; }},
    {"notify_master", kCommandShape, kA, kActive,
     [](Args& a, Into& d) { a.command_to(d.instance.notify.master); }},
    {"notify_backup", kCommandShape, kA, kActive,
     [](Args& a, Into& d) { a.command_to(d.instance.notify.backup); }},
    {"notify_fault", kCommandShape, kA, kActive,
     [](Args& a, Into& d) { a.command_to(d.instance.notify.fault); }},
    {"notify_stop", kCommandShape, kB, kActive,
     [](Args& a, Into& d) { a.command_to(d.instance.notify.stop); }},
    {"notify", kCommandShape, kA, kActive,
     [](Args& a, Into& d) { a.command_to(d.instance.notify.any); }},
    {"notify_deleted", kAnyWords, kB, kActive,
     [](Args& a, Into& d) {
       d.instance.notify.tells_deleted = true;
       if (a.count() > 0) a.command_to(d.instance.notify.deleted);
     }},
    {"notify_master_rx_lower_pri", kCommandShape, kB, kActive,
     [](Args& a, Into& d) { a.command_to(d.instance.notify.master_rx_lower_pri); }},
    {"smtp_alert", kFlagShape, kA, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.smtp_alert); }},

    {"debug", kAnyWords, kC, kNotBuilt},
    {"old_unicast_checksum", kAnyWords, kC, kNotBuilt},
    {"native_ipv6", kBareShape, kC, kDeprecated},
    {"kernel_rx_buf_size", kOneWord, kK, kKernelOnly},
    {"use_vmac_addr", kBareShape, kC, kNotBuilt},
    {"promote_secondaries", kBareShape, kK, kKernelOnly},
    {"vrf", kOneWord, kK, kKernelOnly},
    {"linkbeat_use_polling", kBareShape, kK, kKernelOnly},
    {"garp_extra_if", kAnyWords, kK, kKernelOnly, nullptr, "vmac_garp_intvl",
     "means nothing here: a virtual MAC is on the interface itself; garp_master_refresh announces "
     "again and again"},
    {"track_file", kBlockShape, kB, kActive,
     [](Args& a, Into& d) { read_trackers(a, d.instance.track_file); }},
    {"track_process", kBlockShape, kB, kActive,
     [](Args& a, Into& d) { read_trackers(a, d.instance.track_process); }},
    {"track_bfd", kBlockShape, kB, kActive,
     [](Args& a, Into& d) { read_trackers(a, d.instance.track_bfd); }},
    {"notify_priority_changes", kFlagShape, kC, kActive,
     [](Args& a, Into& d) { a.flag_to(d.instance.notify_priority_changes); }},
    {"lvs_sync_daemon_interface", kOneWord, kB, kNotBuilt},
    {"virtual_routes", kBlockShape, kK, kKernelOnly},
    {"virtual_rules", kBlockShape, kK, kKernelOnly},
};

void read_members(Args& a, SyncGroup& g) {
  for (const Word& word : words_of(a.statement())) g.members.push_back(word.text);
}

constexpr Row<SyncGroup> kGroupRows[] = {
    {"group", kBlockShape, kA, kActive, read_members},
    {"notify_master", kCommandShape, kA, kActive,
     [](Args& a, SyncGroup& g) { a.command_to(g.notify.master); }},
    {"notify_backup", kCommandShape, kA, kActive,
     [](Args& a, SyncGroup& g) { a.command_to(g.notify.backup); }},
    {"notify_fault", kCommandShape, kA, kActive,
     [](Args& a, SyncGroup& g) { a.command_to(g.notify.fault); }},
    {"notify_stop", kCommandShape, kB, kActive,
     [](Args& a, SyncGroup& g) { a.command_to(g.notify.stop); }},
    {"notify", kCommandShape, kA, kActive,
     [](Args& a, SyncGroup& g) { a.command_to(g.notify.any); }},
    {"smtp_alert", kFlagShape, kA, kActive, [](Args& a, SyncGroup& g) { a.flag_to(g.smtp_alert); }},
    {"track_interface", kBlockShape, kB, kActive,
     [](Args& a, SyncGroup& g) { read_trackers(a, g.track_interface); }},
    {"track_script", kBlockShape, kB, kActive,
     [](Args& a, SyncGroup& g) { read_trackers(a, g.track_script); }},
    {"sync_group_tracking_weight", kBareShape, kB, kActive,
     [](Args&, SyncGroup& g) { g.tracking_weight = true; }},
    {"global_tracking", kBareShape, kC, kDeprecated,
     [](Args&, SyncGroup& g) { g.tracking_weight = true; }, nullptr,
     "deprecated, please use sync_group_tracking_weight"},
    {"track_file", kBlockShape, kB, kActive,
     [](Args& a, SyncGroup& g) { read_trackers(a, g.track_file); }},
    {"track_process", kBlockShape, kB, kActive,
     [](Args& a, SyncGroup& g) { read_trackers(a, g.track_process); }},
    {"track_bfd", kBlockShape, kB, kActive,
     [](Args& a, SyncGroup& g) { read_trackers(a, g.track_bfd); }},
    {"notify_priority_changes", kFlagShape, kC, kActive,
     [](Args& a, SyncGroup& g) { a.flag_to(g.notify_priority_changes); }},
};

}  // namespace

void read_vrrp_instance(Args& a, Draft& draft) {
  InstanceDraft next;
  next.instance.name = a.word();
  next.instance.position = a.position();
  next.block = &a.statement();
  run_table(kInstanceRows, "vrrp_instance", a.statement().children, next, a.diagnostics());
  const bool is_known = std::ranges::any_of(draft.instances, [&next](const InstanceDraft& d) {
    return d.instance.name == next.instance.name;
  });
  if (is_known) {
    a.error("a second vrrp_instance '" + a.word() + "': skipped");
  } else if (has_room(a, draft.instances)) {
    draft.instances.push_back(std::move(next));
  }
}

void read_sync_group(Args& a, Draft& draft) {
  SyncGroup group;
  group.name = a.word();
  group.position = a.position();
  run_table(kGroupRows, "vrrp_sync_group", a.statement().children, group, a.diagnostics());
  if (has_name(draft.config.sync_groups, group.name)) {
    a.error("a second vrrp_sync_group '" + a.word() + "': skipped");
  } else if (has_room(a, draft.config.sync_groups)) {
    draft.config.sync_groups.push_back(std::move(group));
  }
}

}  // namespace keepline::config
