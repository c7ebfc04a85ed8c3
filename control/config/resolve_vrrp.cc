// Defaults and rules of VRRP instances. PURE; linear, VRIDs are compared through one map.
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "control/config/names.h"
#include "control/config/resolve.h"

namespace keepline::config {

namespace {

constexpr std::uint8_t kOwnerPriority = 255;

class InstanceRules {
 public:
  InstanceRules(InstanceDraft& draft, const GlobalDefs& global, Diagnostics& diagnostics)
      : draft_(draft), v_(draft.instance), global_(global), diagnostics_(diagnostics) {}

  void apply() {
    settle_family();
    settle_addresses();
    settle_inheritance();
    replace_authentication(draft_, diagnostics_);
    settle_transport();
    settle_priority();
    settle_strict();
    settle_accept();
    settle_preemption();
    settle_lateness();
    settle_interval();
    settle_auth_hmac(draft_, diagnostics_);
    settle_trackers();
    check_identity();
  }

 private:
  void settle_family();
  void settle_addresses();
  void settle_devices();
  void settle_transport();
  void settle_inheritance();
  void settle_priority();
  void settle_strict();
  void settle_accept();
  void settle_preemption();
  void settle_lateness();
  void settle_interval();
  void settle_trackers();
  void check_identity();

  void problem(std::string_view keyword, std::string message, std::string hint = {}) {
    diagnostics_.warning(position_of(*draft_.block, keyword), std::string(keyword),
                         prefix() + std::move(message), std::move(hint), Effect::kProblem);
  }
  void note(std::string_view keyword, std::string message, std::string hint = {}) {
    diagnostics_.warning(position_of(*draft_.block, keyword), std::string(keyword),
                         prefix() + std::move(message), std::move(hint));
  }
  std::string prefix() const { return "(" + v_.name + ") "; }

  InstanceDraft& draft_;
  VrrpInstance& v_;
  const GlobalDefs& global_;
  Diagnostics& diagnostics_;
};

void InstanceRules::settle_family() {
  if (!v_.vips.empty()) {
    v_.is_v6 = v_.vips.front().address.is_v6();
  } else if (v_.source) {
    v_.is_v6 = v_.source->is_v6();
  } else if (!v_.unicast_peers.empty()) {
    v_.is_v6 = v_.unicast_peers.front().address.is_v6();
  }
}

void InstanceRules::settle_addresses() {
  std::erase_if(v_.vips, [this](const VipAddress& vip) {
    if (vip.address.is_v6() == v_.is_v6) return false;
    diagnostics_.error(vip.position, "virtual_ipaddress",
                       prefix() + net::to_string(vip.address) +
                           " is of another family than the first address: skipped",
                       "virtual_ipaddress_excluded takes both families");
    return true;
  });
  // What fits into one advert: a one-byte count, and for IPv6 an Ethernet frame.
  const std::size_t most_v6 = v_.hmac.is_used() ? 89 : 90;
  const std::size_t most = v_.is_v6 ? most_v6 : 255;
  if (v_.vips.size() > most) {
    problem("virtual_ipaddress", "more than " + std::to_string(most) +
                                     " addresses: the rest is held but not advertised");
    const auto rest = v_.vips.begin() + static_cast<std::ptrdiff_t>(most);
    v_.excluded_vips.insert(v_.excluded_vips.begin(), rest, v_.vips.end());
    v_.vips.erase(rest, v_.vips.end());
  }
  settle_devices();
}

void InstanceRules::settle_devices() {
  std::erase_if(v_.excluded_vips, [this](const VipAddress& excluded) {
    const bool is_known = std::ranges::any_of(
        v_.vips, [&excluded](const VipAddress& vip) { return vip.address == excluded.address; });
    if (is_known) {
      diagnostics_.error(
          excluded.position, "virtual_ipaddress_excluded",
          prefix() + "duplicate address " + net::to_string(excluded.address) + ": skipped");
    }
    return is_known;
  });
  v_.interface.set_default(global_.default_interface);
  for (auto* list : {&v_.vips, &v_.excluded_vips}) {
    for (VipAddress& vip : *list) {
      if (vip.dev.empty()) vip.dev = v_.interface;
    }
  }
}

void InstanceRules::settle_inheritance() {
  if (v_.is_v6) {
    if (v_.version.is_set() && v_.version == 2) {
      problem("version", "VRRP version 2 is of IPv4 only: 3 is used");
    }
    v_.version.set(3);
  } else {
    v_.version.inherit(global_.vrrp_version);
  }
  v_.check_unicast_src.inherit(global_.vrrp_check_unicast_src);
  v_.strict.inherit(global_.vrrp_strict);
  v_.lower_prio_no_advert.inherit(global_.vrrp_lower_prio_no_advert);
  v_.higher_prio_send_advert.inherit(global_.vrrp_higher_prio_send_advert);
  v_.owner_ignore_adverts.inherit(global_.vrrp_owner_ignore_adverts);
  v_.down_timer_adverts.inherit(global_.vrrp_down_timer_adverts);
  v_.skip_check_adv_addr.inherit(global_.vrrp_skip_check_adv_addr);
  v_.v3_checksum_as_v2.inherit(global_.v3_checksum_as_v2);
  v_.smtp_alert.inherit(global_.smtp_alert_vrrp);
  v_.smtp_alert.inherit(global_.smtp_alert);

  GarpOptions& garp = v_.garp;
  const GarpOptions& base = global_.garp;
  garp.master_delay_us.inherit(base.master_delay_us);
  garp.master_repeat.inherit(base.master_repeat);
  garp.master_refresh_us.inherit(base.master_refresh_us);
  garp.master_refresh_repeat.inherit(base.master_refresh_repeat);
  garp.interval_us = base.interval_us;
  garp.gna_interval_us = base.gna_interval_us;
  if (global_.vrrp_min_garp) {
    garp.master_delay_us.set_default(0);
    garp.master_repeat.set_default(1);
    garp.master_refresh_us.set_default(0);
  }
  garp.lower_prio_delay_us.inherit(base.lower_prio_delay_us);
  garp.lower_prio_delay_us.set_default(garp.master_delay_us);
  garp.lower_prio_repeat.inherit(base.lower_prio_repeat);
  garp.lower_prio_repeat.set_default(garp.master_repeat);
}

void InstanceRules::settle_transport() {
  v_.group = v_.is_v6 ? net::IpAddr(global_.vrrp_mcast_group6) : global_.vrrp_mcast_group4;
  if (draft_.mcast_dst && draft_.mcast_dst->is_v6() == v_.is_v6) {
    v_.group = *draft_.mcast_dst;
  } else if (draft_.mcast_dst) {
    problem("mcast_dst_ip", "mcast_dst_ip is of another family than the addresses: ignored");
  }
  if (v_.source && v_.source->is_v6() != v_.is_v6) {
    problem("unicast_src_ip", "the source is of another family than the addresses: ignored");
    v_.source.reset();
  }
  std::erase_if(v_.unicast_peers, [this](const UnicastPeer& peer) {
    if (peer.address == v_.source) {
      note("unicast_peer", "unicast_peer " + net::to_string(peer.address) +
                               " is the node's own unicast_src_ip: skipped");
      return true;
    }
    if (peer.address.is_v6() == v_.is_v6) return false;
    diagnostics_.error(peer.position, "unicast_peer",
                       prefix() + "unicast_peer " + net::to_string(peer.address) +
                           " is of another family than the addresses: skipped");
    return true;
  });
  if (draft_.is_unicast && v_.unicast_peers.empty()) {
    v_.lacks_peers = v_.unicast_fault_no_peer;
    problem("unicast_peer",
            v_.lacks_peers ? "unicast_peer without a peer: the instance is at fault"
                           : "unicast_peer without a peer: multicast is used",
            "name the other nodes, or remove unicast_peer");
  }
  if (v_.unicast_peers.empty() && v_.unicast_ttl.is_set()) {
    problem("unicast_ttl", "unicast_ttl without unicast_peer: ignored");
    v_.unicast_ttl = Setting<std::uint8_t>(255);
  }
  // Peers that are told apart by their MAC would see two of us.
  if (!v_.unicast_peers.empty() && v_.vmac.is_used) v_.vmac.xmit_base = true;
}

void InstanceRules::settle_priority() {
  const bool wants_master = draft_.state == InitialState::kMaster;
  if (!v_.priority.is_set() && wants_master) {
    v_.priority.set_default(kOwnerPriority);
    note("state", "state MASTER without priority means priority 255, the owner of the address",
         "write a priority below 255 unless this node owns the address");
  }
  if (v_.priority == kOwnerPriority && draft_.state == InitialState::kBackup) {
    note("state", "priority 255 is the owner of the address: it starts as MASTER");
  }
  v_.state =
      wants_master || v_.priority == kOwnerPriority ? InitialState::kMaster : InitialState::kBackup;
  if (v_.version == 3 && v_.auth.type != AuthType::kNone) {
    problem("authentication", "VRRP version 3 has no authentication: ignored");
    v_.auth = {};
  }
  if (v_.auth.type == AuthType::kHeader && v_.state == InitialState::kMaster) {
    problem("authentication", "auth_type AH: starts as BACKUP, to hear the numbers of the others");
    v_.state = InitialState::kBackup;
  }
}

void InstanceRules::settle_strict() {
  const bool has_no_address = v_.vips.empty();
  if (has_no_address && (v_.version == 3 || v_.strict)) {
    diagnostics_.fatal(v_.position, "virtual_ipaddress",
                       prefix() + "no virtual address: VRRP version 3 and strict mode need one",
                       "virtual_ipaddress { ADDRESS }", Effect::kCannotRunProblem);
  } else if (has_no_address && !v_.no_virtual_ipaddress) {
    problem("virtual_ipaddress", "no virtual address",
            "write no_virtual_ipaddress if that is meant");
  }
  if (!v_.strict) return;
  if (!v_.unicast_peers.empty()) {
    diagnostics_.fatal(position_of(*draft_.block, "unicast_peer"), "unicast_peer",
                       prefix() + "strict mode does not allow unicast",
                       "remove vrrp_strict: it comes with the sample file",
                       Effect::kCannotRunProblem);
  }
  if (v_.auth.type != AuthType::kNone) {
    problem("authentication", "strict mode does not allow authentication: ignored");
    v_.auth = {};
  }
  if (v_.state == InitialState::kMaster && v_.priority != kOwnerPriority) {
    problem("state", "strict mode: only priority 255 starts as MASTER; BACKUP is used");
    v_.state = InitialState::kBackup;
  }
  if (v_.preempt_delay_us != 0) {
    problem("preempt_delay", "strict mode does not allow preempt_delay: ignored");
    v_.preempt_delay_us = 0;
  }
  if (v_.vmac.xmit_base && v_.unicast_peers.empty()) {
    problem("vmac_xmit_base", "strict mode does not allow vmac_xmit_base: ignored");
    v_.vmac.xmit_base = false;
  }
  v_.vmac.mac.reset();
  v_.lower_prio_no_advert.set(true);
  v_.higher_prio_send_advert.set(false);
  v_.owner_ignore_adverts.set(true);
  v_.down_timer_adverts.set(3);
  v_.garp.lower_prio_repeat.set(0);
  v_.garp.lower_prio_delay_us.set(0);
}

// RFC 3768 §6.4.3 knows no accept mode; RFC 9568 §6.1 has it off unless it is written. An owner has
// the addresses of its own.
void InstanceRules::settle_accept() {
  const bool is_owner = v_.priority == kOwnerPriority;
  if (is_owner) {
    if (!v_.accept) note("no_accept", "an owner (priority 255) accepts in any case: ignored");
    v_.accept.set(true);
    return;
  }
  if (!v_.strict) return;
  if (v_.accept.is_set() && v_.accept && v_.version == 2) {
    problem("accept", "strict mode does not allow accept in VRRP version 2 (RFC 3768): ignored",
            "version 3 does, or leave strict mode out");
    v_.accept.set(false);
    return;
  }
  if (v_.accept.is_set()) return;
  v_.accept.set_default(false);
  note("strict_mode",
       "strict mode: the addresses answer no ping and reach no program of this node (no_accept)",
       v_.version == 2 ? "vrrp_strict comes with the sample file; remove it unless it is meant"
                       : "vrrp_strict comes with the sample file; remove it, or write accept");
}

void InstanceRules::settle_preemption() {
  v_.nopreempt = draft_.preempt_off.value_or(false);
  const bool is_possible = v_.state == InitialState::kBackup && v_.priority < kOwnerPriority;
  if (v_.nopreempt && !is_possible) {
    problem("nopreempt", "nopreempt needs state BACKUP and a priority below 255: ignored",
            "state BACKUP on both nodes");
    v_.nopreempt = false;
  }
  if (v_.preempt_delay_us != 0 && !is_possible) {
    problem("preempt_delay", "preempt_delay needs state BACKUP and a priority below 255: ignored",
            "state BACKUP on both nodes");
    v_.preempt_delay_us = 0;
  }
  if (v_.preempt_delay_us != 0 && v_.nopreempt) {
    problem("preempt_delay", "preempt_delay means nothing with nopreempt: ignored");
    v_.preempt_delay_us = 0;
  }
}

void InstanceRules::settle_lateness() {
  if (v_.timer_expired_backup == 0 || v_.nopreempt) return;
  note("timer_expired_backup",
       "timer_expired_backup without nopreempt: a node of higher priority becomes master again");
}

void InstanceRules::settle_interval() {
  constexpr std::uint64_t kStepUs = 10'000;
  constexpr std::uint64_t kMaxV3Us = 4095 * kStepUs;  // 12 bits of centiseconds.
  const std::uint64_t step_us = v_.version == 2 ? kSecondUs : kStepUs;
  const std::uint64_t most_us = v_.version == 2 ? 255 * kSecondUs : kMaxV3Us;
  const std::uint64_t written_us = v_.advert_interval_us;
  std::uint64_t rounded_us = (written_us + step_us / 2) / step_us * step_us;
  rounded_us = std::clamp(rounded_us, step_us, most_us);
  if (rounded_us == written_us) return;
  problem("advert_int",
          "advert_int " + seconds_text(written_us) + ": VRRP version " +
              std::to_string(static_cast<int>(v_.version)) + " has steps of " +
              seconds_text(step_us) + " up to " + seconds_text(most_us) + " seconds; " +
              seconds_text(rounded_us) + " is used",
          v_.version == 2 ? "version 3 has steps of 10 ms" : "");
  v_.advert_interval_us.set(rounded_us);
}

void InstanceRules::settle_trackers() {
  std::erase_if(v_.track_interface, [this](const Tracker& tracker) {
    const bool is_own = tracker.name == v_.interface.value();
    if (is_own) {
      diagnostics_.warning(tracker.position, "track_interface",
                           prefix() + "track_interface " + tracker.name +
                               " is the instance's own interface, tracked anyway: ignored",
                           "", Effect::kProblem);
    }
    return is_own;
  });
}

void InstanceRules::check_identity() {
  if (v_.interface->empty()) {
    diagnostics_.fatal(v_.position, "interface", prefix() + "the interface must be set",
                       "interface NAME");
  }
  if (!v_.virtual_router_id.is_set()) {
    diagnostics_.fatal(
        v_.position, "virtual_router_id", prefix() + "the virtual_router_id must be set",
        "virtual_router_id 1..255, the same on all nodes", Effect::kCannotRunProblem);
  }
}

void check_duplicates(const std::vector<InstanceDraft>& drafts, Diagnostics& diagnostics) {
  std::map<std::tuple<std::string, unsigned, bool>, const VrrpInstance*> seen;
  for (const InstanceDraft& draft : drafts) {
    const VrrpInstance& v = draft.instance;
    if (!v.virtual_router_id.is_set()) continue;
    const unsigned id = v.virtual_router_id.value();
    const auto [found, is_new] = seen.try_emplace({v.interface.value(), id, v.is_v6}, &v);
    if (is_new) continue;
    diagnostics.fatal(position_of(*draft.block, "virtual_router_id"), "virtual_router_id",
                      "(" + v.name + ") virtual_router_id " + std::to_string(id) + " on " +
                          v.interface.value() + " is that of '" + found->second->name + "' already",
                      "every instance on an interface needs its own", Effect::kCannotRunProblem);
  }
}

}  // namespace

void resolve_vrrp(Draft& draft, Diagnostics& diagnostics) {
  for (InstanceDraft& instance : draft.instances) {
    InstanceRules(instance, draft.config.global, diagnostics).apply();
  }
  check_duplicates(draft.instances, diagnostics);
  for (InstanceDraft& instance : draft.instances) {
    draft.config.vrrp_instances.push_back(std::move(instance.instance));
  }
}

}  // namespace keepline::config
