#include "tests/sim/schedule.h"

#include <algorithm>
#include <cstdlib>

namespace keepline::vrrp::sim {

namespace {

net::IpAddr numbered(const Schedule& schedule, std::size_t lan, std::uint8_t last, bool local) {
  const auto number = static_cast<std::uint8_t>(lan + 1);
  if (schedule.ipv6 == 0) {
    return net::Ip4(0x0a000000u | std::uint32_t{number} << 8 | last);
  }
  net::Ip6 address;
  address.bytes[0] = 0xfe;
  address.bytes[1] = local ? 0x80 : 0xc0;
  address.bytes[14] = number;
  address.bytes[15] = last;
  return address;
}

}  // namespace

// Ascending on every LAN: in a sync group a tie must not be broken in two ways.
net::IpAddr address_of(const Schedule& schedule, std::size_t node, std::size_t lan) {
  return numbered(schedule, lan, static_cast<std::uint8_t>(node + 1), true);
}

net::IpAddr vip_of(const Schedule& schedule, std::size_t lan, std::size_t number) {
  return numbered(schedule, lan, static_cast<std::uint8_t>(100 + number), number == 0);
}

std::int64_t longest_interval_us(const Schedule& schedule) {
  std::int64_t longest_us = 0;
  for (const NodePlan& node : schedule.nodes) longest_us = std::max(longest_us, node.interval_us);
  for (const Fault& fault : schedule.faults) {
    if (fault.kind == FaultKind::kReloadInterval) longest_us = std::max(longest_us, fault.value);
  }
  return longest_us;
}

std::int64_t time_window_s(const Schedule& schedule) {
  const std::int64_t longest_us = longest_interval_us(schedule);
  if (longest_us <= kSecond_us / 10) return 1;
  return 1 + (longest_us + kSecond_us - 1) / kSecond_us;
}

std::int64_t worst_drift_ppm(const Schedule& schedule, std::size_t node) {
  std::int64_t worst = std::abs(schedule.nodes[node].drift_ppm);
  for (const Fault& fault : schedule.faults) {
    const bool is_of_node = static_cast<std::size_t>(fault.node) == node;
    if (fault.kind == FaultKind::kSpeed && is_of_node) {
      worst = std::max(worst, std::abs(fault.value));
    }
  }
  return worst;
}

namespace {

// In the middle of a change of keys: all know both, and not all sign with the same.
AuthHmac hmac_of(const Schedule& schedule, std::size_t node) {
  AuthHmac hmac;
  for (const std::uint8_t id : {1, 2}) {
    hmac.keys.push_back({id, std::vector<std::uint8_t>(kLeastHmacKeyBytes, id)});
  }
  hmac.active_key = static_cast<std::uint8_t>(1 + node % 2);
  hmac.time_window_s = time_window_s(schedule);
  hmac.anti_replay = schedule.auth == 2 ? AntiReplay::kMonotonic : AntiReplay::kTime;
  return hmac;
}

}  // namespace

InstanceConfig config_of(const Schedule& schedule, std::size_t node, std::size_t lan) {
  const NodePlan& plan = schedule.nodes[node];
  InstanceConfig config;
  config.name = "VI";
  config.vrid = static_cast<std::uint8_t>(51 + lan);
  config.priority = static_cast<std::uint8_t>(plan.priority);
  config.version = static_cast<Version>(schedule.version);
  config.advert_interval_us = plan.interval_us;
  for (std::int64_t i = 0; i < schedule.vips; ++i) {
    config.vips.push_back(vip_of(schedule, lan, static_cast<std::size_t>(i)));
  }
  config.source = address_of(schedule, node, lan);
  if (schedule.ipv6 != 0) config.group = kMulticastGroup6;
  for (std::size_t peer = 0; peer < schedule.nodes.size() && schedule.unicast != 0; ++peer) {
    if (peer != node) config.peers.push_back(Peer{address_of(schedule, peer, lan)});
  }
  config.initial_state = plan.initial_master != 0 ? InitialState::kMaster : InitialState::kBackup;
  config.nopreempt = plan.nopreempt != 0;
  config.preempt_delay_us = plan.preempt_delay_us;
  config.down_timer_adverts = static_cast<std::uint8_t>(plan.down_adverts);
  config.owner_ignore_adverts = plan.owner_ignore_adverts != 0;
  if (schedule.auth != 0) config.hmac = hmac_of(schedule, node);
  config.lower_prio_no_advert = plan.lower_prio_no_advert != 0;
  config.higher_prio_send_advert = plan.higher_prio_send_advert != 0;
  config.skip_check_adv_addr = plan.skip_check_adv_addr != 0;
  config.sync_grouped = schedule.grouped();
  config.garp.master_delay_us = plan.garp_delay_us;
  config.garp.master_repeat = static_cast<std::uint32_t>(plan.garp_repeat);
  config.garp.refresh_us = plan.garp_refresh_us;
  config.garp.lower_prio_delay_us = plan.garp_lower_delay_us;
  config.garp.lower_prio_repeat = static_cast<std::uint32_t>(plan.garp_lower_repeat);
  return config;
}

}  // namespace keepline::vrrp::sim
