#include "control/vrrp_driver.h"

#include <algorithm>
#include <cstring>

#include "control/clock.h"
#include "control/log.h"
#include "control/vrrp_config.h"
#include "dataplane/neigh/arp.h"
#include "dataplane/net/headers.h"
#include "vrrp/sync_group.h"
#include "vrrp/text.h"

namespace keepline::control {

namespace {

// RFC 1112 §6.4: the low 23 bits of the group.
net::Mac group_mac(net::Ip4 group) {
  const std::uint32_t value = group.value();
  return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>((value >> 16) & 0x7f),
           static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)}};
}

}  // namespace

VrrpDriver::VrrpDriver(boost::asio::any_io_executor executor, const config::Config& config,
                       const Topology& topology, VrrpHost& host)
    : timer_(std::move(executor)), topology_(topology), host_(host) {
  const std::int64_t gap_us =
      config.vrrp_instances.empty()
          ? 0
          : static_cast<std::int64_t>(*config.vrrp_instances.front().garp.interval_us);
  gaps_.assign(topology.ports.size(), vrrp::GarpGap(gap_us));
  members_.reserve(config.vrrp_instances.size());
  for (std::size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    add_instance(config.vrrp_instances[i], topology.instances[i]);
  }
  add_groups(config);
}

void VrrpDriver::add_instance(const config::VrrpInstance& instance, const PlacedInstance& placed) {
  const net::Mac port_mac = topology_.ports[placed.port].mac;
  vrrp::InstanceConfig config = machine_config(instance, placed.source);
  const bool virtual_adverts = placed.vmac && !instance.vmac.xmit_base;
  const vrrp::GarpSettings garp = config.garp;
  const auto lease = static_cast<lb::LeaseSlot>(members_.size());
  members_.push_back({vrrp::Instance(std::move(config)),
                      vrrp::Announcer(garp, announced_vips(topology_, lease)), placed.port,
                      virtual_adverts ? *placed.vmac : port_mac, kNoGroup});
  router_.add(placed.port, *instance.virtual_router_id,
              static_cast<std::uint32_t>(members_.size() - 1));
}

void VrrpDriver::add_groups(const config::Config& config) {
  for (const config::SyncGroup& group : config.sync_groups) {
    std::vector<std::size_t> indexes;
    for (std::size_t i = 0; i < config.vrrp_instances.size(); ++i) {
      const auto& names = group.members;
      if (std::find(names.begin(), names.end(), config.vrrp_instances[i].name) == names.end()) {
        continue;
      }
      vrrp::InstanceConfig grouped = members_[i].machine.config();
      grouped.sync_grouped = true;
      members_[i].machine = vrrp::Instance(std::move(grouped));
      members_[i].group = groups_.size();
      indexes.push_back(i);
    }
    groups_.push_back(std::move(indexes));
  }
}

void VrrpDriver::start() {
  const std::int64_t now = now_us();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    if (member.machine.config().source.is_zero()) {
      log::warn("({}) fault: {}", member.machine.config().name,
                vrrp::to_string(vrrp::FaultCause::kNoSourceAddress));
      member.machine.handle_fault(vrrp::FaultCause::kNoSourceAddress, now);
    }
    member.machine.start(now);
    settle(i);
  }
  arm();
}

void VrrpDriver::leave(std::function<void()> on_left) {
  const std::int64_t now = now_us();
  on_left_ = std::move(on_left);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const vrrp::Instance& machine = members_[i].machine;
    // Without a valid lease (we were stopped for a while) somebody else is master by now.
    if (machine.state() != vrrp::State::kMaster || !machine.lease().valid(now)) continue;
    const vrrp::Departure departure(machine.config(), now);
    send_advert(i, vrrp::kReleasePriority);
    host_.grant_lease(i, departure.end_us() - now);
    departures_.emplace(i, departure);
  }
  check_departures();
}

void VrrpDriver::check_departures() {
  const std::int64_t now = now_us();
  std::optional<std::int64_t> earliest;
  for (const auto& [index, departure] : departures_) {
    if (departure.end_us() > now && (!earliest || departure.end_us() < *earliest)) {
      earliest = departure.end_us();
    }
  }
  if (!earliest) {
    stop();
    on_left_();
    return;
  }
  timer_.expires_after(std::chrono::microseconds(*earliest - now));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) check_departures();
  });
}

void VrrpDriver::stop() {
  const std::int64_t now = now_us();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    members_[i].machine.stop(now);
    carry_out(i);
  }
  stopped_ = true;
  timer_.cancel();
}

void VrrpDriver::handle_frame(net::PortId port, net::Bytes frame) {
  if (stopped_ || frame.size() <= sizeof(net::EthernetHeader)) return;
  const net::Bytes packet = frame.subspan(sizeof(net::EthernetHeader));
  const std::int64_t now = now_us();
  auto advert = vrrp::parse_advert(packet);
  const auto vrid = advert ? std::optional(advert->vrid) : advert.error().vrid;
  if (!vrid) {
    reject_on_port(port, advert.error(), now);
    return;
  }
  const auto index = router_.find(port, *vrid);
  if (!index) return;
  // Only now is it known which group the instance listens to.
  if (const net::Ip4 group = members_[*index].machine.config().group;
      group != vrrp::kMulticastGroup) {
    advert = vrrp::parse_advert(packet, group);
  }
  if (const auto leaving = departures_.find(*index); leaving != departures_.end()) {
    // The successor speaks: it answers ARP from now on, we only forward what is still on its way.
    const bool is_successor = advert && advert->priority != vrrp::kReleasePriority &&
                              !vrrp::check_advert(*advert, members_[*index].machine.config());
    if (is_successor && leaving->second.handle_successor(now) == vrrp::Departure::News::kFirst) {
      host_.mute(*index);
      check_departures();
    }
    return;
  }
  if (on_left_) return;
  if (advert) {
    members_[*index].machine.handle_advert(*advert, now);
  } else {
    members_[*index].machine.handle_reject(advert.error(), now);
  }
  settle(*index);
  arm();
}

// Too short to say whose it is: counted by all that listen there.
void VrrpDriver::reject_on_port(net::PortId port, const vrrp::Rejection& rejection,
                                std::int64_t now) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].port != port) continue;
    members_[i].machine.handle_reject(rejection, now);
    settle(i);
  }
  arm();
}

void VrrpDriver::set_port_fault(net::PortId port, vrrp::FaultCause cause, bool present) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].port == port) set_fault(i, cause, present);
  }
}

void VrrpDriver::set_fault(std::size_t index, vrrp::FaultCause cause, bool present) {
  vrrp::Instance& machine = members_[index].machine;
  if (stopped_ || machine.faults().has(cause) == present) return;
  if (present) {
    log::warn("({}) fault: {}", machine.config().name, vrrp::to_string(cause));
    machine.handle_fault(cause, now_us());
  } else {
    log::info("({}) no more fault: {}", machine.config().name, vrrp::to_string(cause));
    machine.handle_fault_cleared(cause, now_us());
  }
  settle(index);
  arm();
}

void VrrpDriver::set_priority(std::size_t index, std::uint8_t effective) {
  vrrp::Instance& machine = members_[index].machine;
  if (stopped_ || machine.effective_priority() == effective) return;
  log::info("({}) effective priority {} -> {}", machine.config().name, machine.effective_priority(),
            effective);
  machine.set_priority(effective, now_us());
  settle(index);
  arm();
}

void VrrpDriver::set_source(std::size_t index, net::Ip4 source) {
  vrrp::Instance& machine = members_[index].machine;
  if (!source.is_zero()) machine.set_source(source);
  set_fault(index, vrrp::FaultCause::kNoSourceAddress, source.is_zero());
}

// Whatever a verb has set going is finished before the next event: first the instance's own
// actions, then those of its sync group.
void VrrpDriver::settle(std::size_t index) {
  carry_out(index);
  if (members_[index].group != kNoGroup) settle_group(members_[index].group);
}

void VrrpDriver::settle_group(std::size_t group) {
  const std::vector<std::size_t>& indexes = groups_[group];
  for (std::size_t round = 0; round < vrrp::kGroupRounds; ++round) {
    std::vector<vrrp::MemberView> views;
    for (const std::size_t index : indexes) views.push_back(vrrp::view_of(members_[index].machine));
    const auto commands = vrrp::evaluate_group(views);
    if (commands.empty()) return;
    for (const vrrp::MemberCommand& command : commands) {
      const std::size_t index = indexes[command.member];
      members_[index].machine.handle_group(command.command, now_us());
      carry_out(index);
    }
  }
}

void VrrpDriver::carry_out(std::size_t index) {
  while (auto action = members_[index].machine.poll_action()) perform(index, *action);
}

void VrrpDriver::perform(std::size_t index, const vrrp::Action& action) {
  Member& member = members_[index];
  const std::string& name = member.machine.config().name;
  if (const auto* advert = std::get_if<vrrp::SendAdvert>(&action)) {
    send_advert(index, advert->priority);
  } else if (const auto* grant = std::get_if<vrrp::GrantLease>(&action)) {
    // An advert that did not leave has told nobody that we are still here.
    if (!member.advert_failed) host_.grant_lease(index, grant->until_us - now_us());
    member.advert_failed = false;
  } else if (std::holds_alternative<vrrp::RevokeLease>(action)) {
    host_.revoke_lease(index);
  } else if (std::holds_alternative<vrrp::AcquireVips>(action)) {
    host_.acquire_addresses(index);
  } else if (std::holds_alternative<vrrp::ReleaseVips>(action)) {
    member.announcer.stop();
    host_.release_addresses(index);
  } else if (const auto* garp = std::get_if<vrrp::StartGarpBurst>(&action)) {
    if (garp->reason == vrrp::GarpReason::kBecameMaster) {
      member.announcer.start(now_us());
    } else {
      heard_lower_priority(index);
    }
    announce(index, now_us());
  } else if (const auto* change = std::get_if<vrrp::StateChanged>(&action)) {
    member.since_unix_s = ::time(nullptr);
    member.advert_failed = false;
    log::info("({}) Entering {} STATE ({})", name, vrrp::to_string(change->to),
              vrrp::to_string(change->reason));
  } else if (const auto* notice = std::get_if<vrrp::Notice>(&action)) {
    log_notice(member, *notice);
  }
}

// Clients may have been led astray for all VIPs of the group, not only for this instance's.
void VrrpDriver::heard_lower_priority(std::size_t index) {
  const std::int64_t now = now_us();
  if (members_[index].group == kNoGroup) {
    members_[index].announcer.lower_priority_heard(now);
    return;
  }
  for (const std::size_t other : groups_[members_[index].group]) {
    members_[other].announcer.lower_priority_heard(now);
    if (other != index) announce(other, now);
  }
}

void VrrpDriver::send_advert(std::size_t index, std::uint8_t priority) {
  Member& member = members_[index];
  // Said goodbye already: a second one would disturb the successor.
  if (departures_.contains(index)) return;
  const vrrp::InstanceConfig& config = member.machine.config();
  std::array<std::uint8_t, sizeof(net::EthernetHeader) + vrrp::kMaxAdvertBytes> frame;
  const net::EthernetHeader ethernet{group_mac(config.group), member.advert_mac,
                                     net::be16(net::kEtherTypeIpv4)};
  std::memcpy(frame.data(), &ethernet, sizeof ethernet);
  const auto length =
      vrrp::encode_advert(config, priority, std::span(frame).subspan(sizeof ethernet));
  if (!length) return;
  const std::int64_t valid_us = config.advert_interval_us * config.down_timer_adverts;
  const auto sent =
      host_.send_frame(member.port, std::span(frame).first(sizeof ethernet + *length), valid_us);
  member.advert_failed = sent == VrrpHost::Send::kFailed;
}

void VrrpDriver::announce(std::size_t index, std::int64_t now) {
  constexpr std::size_t kPerTurn = 256;
  constexpr std::int64_t kValidUs = 1'000'000;
  Member& member = members_[index];
  for (std::size_t i = 0; i < kPerTurn; ++i) {
    // Adverts share the way out: announcements leave them room, and go on when there is more.
    if (!host_.may_announce(member.port)) return;
    const auto vip = member.announcer.poll(now, gaps_[member.port]);
    if (!vip) return;
    const PlacedVip* placed = topology_.find_vip(*vip);
    if (placed == nullptr) continue;
    const neigh::ArpFrame frame = neigh::make_gratuitous_arp(*vip, placed->mac);
    host_.send_frame(placed->port, frame, kValidUs);
  }
}

void VrrpDriver::log_notice(const Member& member, const vrrp::Notice& notice) {
  const vrrp::InstanceConfig& config = member.machine.config();
  const std::string from = net::to_string(notice.from);
  switch (notice.kind) {
    case vrrp::NoticeKind::kLowerPriorityAdvert:
      log::info("({}) Received advert from {} with lower priority {}, ours {}", config.name, from,
                notice.priority, member.machine.effective_priority());
      return;
    case vrrp::NoticeKind::kIntervalMismatch:
      log::warn("({}) advert interval of {} is {} ms, ours is {} ms", config.name, from,
                notice.interval_us / 1000, config.advert_interval_us / 1000);
      return;
    case vrrp::NoticeKind::kPaused:
      log::warn("({}) was not running for {} ms: listening before speaking", config.name,
                notice.interval_us / 1000);
      return;
    case vrrp::NoticeKind::kRejected:
      log::warn("({}) dropped an advert from {}: {}", config.name, from,
                vrrp::to_string(notice.reject));
      return;
    case vrrp::NoticeKind::kAddressListMismatch:
    case vrrp::NoticeKind::kOwnerConflict:
      log::warn("({}) {}: {}", config.name, from, vrrp::to_string(notice.kind));
      return;
  }
}

void VrrpDriver::on_timer() {
  if (on_left_) return;
  const std::int64_t now = now_us();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto due = members_[i].machine.next_timeout();
    if (due && *due <= now) {
      members_[i].machine.handle_timeout(now);
      settle(i);
    }
    announce(i, now);
  }
  arm();
}

void VrrpDriver::arm() {
  if (stopped_ || on_left_) return;
  std::optional<std::int64_t> earliest;
  const auto consider = [&earliest](std::optional<std::int64_t> when) {
    if (when && (!earliest || *when < *earliest)) earliest = when;
  };
  for (const Member& member : members_) {
    consider(member.machine.next_timeout());
    consider(member.announcer.next_timeout(gaps_[member.port]));
  }
  if (!earliest) return;
  timer_.expires_after(std::chrono::microseconds(std::max<std::int64_t>(*earliest - now_us(), 0)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) on_timer();
  });
}

}  // namespace keepline::control
