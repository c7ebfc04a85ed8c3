#include "control/vrrp_config.h"

#include <algorithm>
#include <cstring>

namespace keepline::control {

namespace {

vrrp::GarpSettings garp_of(const config::GarpOptions& garp) {
  vrrp::GarpSettings result;
  result.master_delay_us = static_cast<std::int64_t>(*garp.master_delay_us);
  result.master_repeat = *garp.master_repeat;
  result.refresh_us = static_cast<std::int64_t>(*garp.master_refresh_us);
  result.refresh_repeat = *garp.master_refresh_repeat;
  result.lower_prio_delay_us = static_cast<std::int64_t>(*garp.lower_prio_delay_us);
  result.lower_prio_repeat = *garp.lower_prio_repeat;
  result.interval_us = static_cast<std::int64_t>(*garp.interval_us);
  return result;
}

vrrp::HmacMode mode_of(config::HmacMode mode) {
  switch (mode) {
    case config::HmacMode::kEnforce:
      return vrrp::HmacMode::kEnforce;
    case config::HmacMode::kPermissive:
      return vrrp::HmacMode::kPermissive;
    case config::HmacMode::kReceiveOnly:
      return vrrp::HmacMode::kReceiveOnly;
  }
  return vrrp::HmacMode::kEnforce;
}

vrrp::AuthHmac hmac_of(const config::AuthHmac& hmac) {
  vrrp::AuthHmac result;
  for (const config::HmacKey& key : hmac.keys) {
    result.keys.push_back({key.id, {key.bytes.begin(), key.bytes.end()}});
  }
  result.active_key = hmac.active_key;
  result.time_window_s = static_cast<std::int64_t>(*hmac.time_window_s);
  result.anti_replay = hmac.is_monotonic ? vrrp::AntiReplay::kMonotonic : vrrp::AntiReplay::kTime;
  result.mode = mode_of(hmac.mode);
  return result;
}

}  // namespace

vrrp::InstanceConfig machine_config(const config::VrrpInstance& instance,
                                    const net::IpAddr& source) {
  vrrp::InstanceConfig result;
  result.name = instance.name;
  result.vrid = *instance.virtual_router_id;
  result.priority = *instance.priority;
  result.version = *instance.version == 3 ? vrrp::Version::k3 : vrrp::Version::k2;
  result.advert_interval_us = static_cast<std::int64_t>(*instance.advert_interval_us);
  for (const config::VipAddress& vip : instance.vips) result.vips.push_back(vip.address);
  result.source = source;
  result.group = instance.group;
  for (const config::UnicastPeer& peer : instance.unicast_peers) {
    result.peers.push_back({peer.address, peer.min_ttl, peer.max_ttl});
  }
  result.unicast_ttl = *instance.unicast_ttl;
  result.check_unicast_src = *instance.check_unicast_src;
  if (instance.auth.type != config::AuthType::kNone) {
    result.auth_type = instance.auth.type == config::AuthType::kPass ? vrrp::AuthType::kPassword
                                                                     : vrrp::AuthType::kHeader;
    const std::string& password = instance.auth.password;
    std::memcpy(result.auth_data.data(), password.data(),
                std::min(password.size(), result.auth_data.size()));
  }
  result.hmac = hmac_of(instance.hmac);
  result.initial_state = instance.state == config::InitialState::kMaster
                             ? vrrp::InitialState::kMaster
                             : vrrp::InitialState::kBackup;
  result.nopreempt = instance.nopreempt;
  result.preempt_delay_us = static_cast<std::int64_t>(instance.preempt_delay_us);
  result.down_timer_adverts = *instance.down_timer_adverts;
  result.lower_prio_no_advert = *instance.lower_prio_no_advert;
  result.higher_prio_send_advert = *instance.higher_prio_send_advert;
  result.owner_ignore_adverts = *instance.owner_ignore_adverts;
  result.lacks_peers = instance.lacks_peers;
  result.skip_check_adv_addr = *instance.skip_check_adv_addr;
  result.v3_checksum_as_v2 = *instance.v3_checksum_as_v2;
  result.garp = garp_of(instance.garp);
  return result;
}

net::Mac group_mac(const net::IpAddr& group) {
  if (group.is_v6()) {
    const auto& bytes = group.v6().bytes;
    return {{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}};
  }
  const std::uint32_t value = group.v4().value();
  return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>((value >> 16) & 0x7f),
           static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)}};
}

std::vector<net::IpAddr> announced_vips(const Topology& topology, lb::LeaseSlot lease) {
  std::vector<net::IpAddr> result;
  for (const PlacedVip& vip : topology.vips) {
    if (vip.lease == lease) result.push_back(vip.address);
  }
  return result;
}

}  // namespace keepline::control
