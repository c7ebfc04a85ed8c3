#include "control/vrrp_driver.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "control/clock.h"
#include "control/log.h"
#include "control/vrrp_config.h"
#include "dataplane/neigh/arp.h"
#include "dataplane/neigh/nd.h"
#include "dataplane/net/headers.h"
#include "vrrp/sync_group.h"
#include "vrrp/text.h"

namespace keepline::control {

namespace {

vrrp::GarpGap gap_of(const config::Config& config) {
  if (config.vrrp_instances.empty()) return vrrp::GarpGap();
  const config::GarpOptions& garp = config.vrrp_instances.front().garp;
  return vrrp::GarpGap(static_cast<std::int64_t>(*garp.interval_us),
                       static_cast<std::int64_t>(*garp.gna_interval_us));
}

// RFC 1112 §6.4: the low 23 bits of the group; RFC 2464 §7: the low 32.
net::Mac group_mac(const net::IpAddr& group) {
  if (group.is_v6()) {
    const auto& bytes = group.v6().bytes;
    return {{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}};
  }
  const std::uint32_t value = group.v4().value();
  return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>((value >> 16) & 0x7f),
           static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)}};
}

}  // namespace

VrrpDriver::VrrpDriver(boost::asio::any_io_executor executor, const config::Config& config,
                       const Topology& topology, VrrpHost& host)
    : timer_(std::move(executor)),
      topology_(topology),
      host_(host),
      speaker_(*this, gap_of(config)) {
  for (std::size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    const config::VrrpInstance& instance = config.vrrp_instances[i];
    const PlacedInstance& placed = topology.instances[i];
    const bool virtual_adverts =
        placed.vmac && !instance.vmac.xmit_base && instance.unicast_peers.empty();
    advert_macs_.push_back(virtual_adverts ? *placed.vmac : topology.ports[placed.port].mac);
    speaker_.add(machine_config(instance, placed.source), placed.port,
                 announced_vips(topology, static_cast<lb::LeaseSlot>(i)));
  }
  since_unix_s_.assign(speaker_.size(), 0);
  for (const config::SyncGroup& group : config.sync_groups) {
    std::vector<std::size_t> indexes;
    for (std::size_t i = 0; i < config.vrrp_instances.size(); ++i) {
      const std::string& name = config.vrrp_instances[i].name;
      if (std::ranges::find(group.members, name) != group.members.end()) indexes.push_back(i);
    }
    groups_.push_back({indexes});
    speaker_.add_group(std::move(indexes));
  }
}

void VrrpDriver::start(std::size_t instance) {
  if (speaker_.instance(instance).state() != vrrp::State::kInit) return;
  speaker_.start(instance, now_us());
  arm();
}

void VrrpDriver::leave(std::function<void()> on_left) {
  on_left_ = std::move(on_left);
  speaker_.leave(now_us());
  arm();
}

void VrrpDriver::stop() {
  on_left_ = nullptr;
  speaker_.stop(now_us());
  timer_.cancel();
}

void VrrpDriver::handle_frame(net::PortId port, net::Bytes frame) {
  if (frame.size() <= sizeof(net::EthernetHeader)) return;
  speaker_.handle_packet(port, frame.subspan(sizeof(net::EthernetHeader)), now_us());
  arm();
}

void VrrpDriver::set_port_fault(net::PortId port, vrrp::FaultCause cause, bool present) {
  for (std::size_t i = 0; i < speaker_.size(); ++i) {
    if (port_of(i) == port) set_fault(i, cause, present);
  }
}

void VrrpDriver::set_fault(std::size_t index, vrrp::FaultCause cause, bool present) {
  if (speaker_.has_left() || speaker_.instance(index).faults().has(cause) == present) return;
  log_fault(index, cause, present);
  speaker_.set_fault(index, cause, present, now_us());
  arm();
}

void VrrpDriver::log_fault(std::size_t index, vrrp::FaultCause cause, bool present) const {
  if (present) {
    log::warn("({}) fault: {}", name_of(index), vrrp::to_string(cause));
  } else {
    log::info("({}) no more fault: {}", name_of(index), vrrp::to_string(cause));
  }
}

void VrrpDriver::set_priority(std::size_t index, std::uint8_t effective) {
  const std::uint8_t before = speaker_.instance(index).effective_priority();
  if (!speaker_.set_priority(index, effective, now_us())) return;
  log::info("({}) effective priority {} -> {}", name_of(index), before, effective);
  arm();
}

void VrrpDriver::set_source(std::size_t index, const net::IpAddr& source) {
  // The address first: an owner whose fault is gone speaks at once.
  if (!speaker_.set_source(index, source, now_us())) return;
  log_fault(index, vrrp::FaultCause::kNoSourceAddress, source.is_zero());
  arm();
}

// --- vrrp::Host ------------------------------------------------------------------------------

// A peer whose MAC nobody knows is away: to have said nothing to it is not to have failed.
vrrp::Host::Send VrrpDriver::send_advert(std::size_t instance, const net::IpAddr& destination,
                                         net::Bytes packet, std::int64_t valid_us) {
  net::PortId port = port_of(instance);
  net::Mac to = group_mac(destination);
  if (speaker_.instance(instance).config().is_unicast()) {
    const neigh::NextHop hop = host_.next_hop(instance, destination);
    if (hop.reach != neigh::Reach::kFound) return Send::kQueued;
    port = hop.port;
    to = hop.mac;
  }
  std::array<std::uint8_t, sizeof(net::EthernetHeader) + vrrp::kMaxAdvertBytes> frame;
  const std::uint16_t type = destination.is_v6() ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4;
  const net::Mac& from =
      port == port_of(instance) ? advert_macs_[instance] : topology_.ports[port].mac;
  const net::EthernetHeader ethernet{to, from, net::be16(type)};
  std::memcpy(frame.data(), &ethernet, sizeof ethernet);
  std::memcpy(frame.data() + sizeof ethernet, packet.data(), packet.size());
  return host_.send_frame(port, std::span(frame).first(sizeof ethernet + packet.size()), valid_us);
}

bool VrrpDriver::may_announce(std::size_t instance) {
  return host_.may_announce(port_of(instance));
}

void VrrpDriver::announce(std::size_t, const net::IpAddr& vip) {
  constexpr std::int64_t kValidUs = 1'000'000;
  const PlacedVip* placed = topology_.find_vip(vip);
  if (placed == nullptr) return;
  if (vip.is_v6()) {
    const auto frame = neigh::make_unsolicited_advertisement(vip.v6(), placed->mac, host_.role());
    host_.send_frame(placed->port, frame, kValidUs);
  } else {
    const auto frame = neigh::make_gratuitous_arp(vip.v4(), placed->mac);
    host_.send_frame(placed->port, frame, kValidUs);
  }
}

std::int64_t VrrpDriver::wall_us() {
  return control::wall_us();
}

void VrrpDriver::state_changed(std::size_t instance, const vrrp::StateChanged& change) {
  since_unix_s_[instance] = ::time(nullptr);
  log::info("({}) Entering {} STATE ({})", name_of(instance), vrrp::to_string(change.to),
            vrrp::to_string(change.reason));
  host_.state_changed(instance, change);
  note_group(instance);
}

// Members change one after the other; the group does when it is in another state as a whole.
void VrrpDriver::note_group(std::size_t instance) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    if (std::ranges::find(group.members, instance) == group.members.end()) continue;
    std::vector<vrrp::MemberView> views;
    for (const std::size_t member : group.members) {
      views.push_back(vrrp::view_of(speaker_.instance(member)));
    }
    const vrrp::State state = vrrp::group_state(views);
    if (std::exchange(group.state, state) != state) host_.group_changed(g, state);
  }
}

void VrrpDriver::noticed(std::size_t instance, const vrrp::Notice& notice) {
  const vrrp::Instance& machine = speaker_.instance(instance);
  const std::string& name = name_of(instance);
  const std::string from = net::to_string(notice.from);
  switch (notice.kind) {
    case vrrp::NoticeKind::kLowerPriorityAdvert:
      host_.lower_priority_heard(instance);
      log::info("({}) Received advert from {} with lower priority {}, ours {}", name, from,
                notice.priority, machine.effective_priority());
      return;
    case vrrp::NoticeKind::kIntervalMismatch:
      log::warn("({}) advert interval of {} is {} ms, ours is {} ms", name, from,
                notice.interval_us / 1000, machine.config().advert_interval_us / 1000);
      return;
    case vrrp::NoticeKind::kPaused:
      log::warn("({}) was not running for {} ms: listening before speaking", name,
                notice.interval_us / 1000);
      return;
    case vrrp::NoticeKind::kClockApart:
      log::warn("({}) the clock of {} is {} s ahead of ours; time_window is {} s", name, from,
                notice.interval_us / vrrp::kSecond_us, machine.config().hmac.time_window_s);
      return;
    case vrrp::NoticeKind::kRejected:
      log::warn("({}) dropped an advert from {}: {}", name, from, vrrp::to_string(notice.reject));
      return;
    case vrrp::NoticeKind::kAddressListMismatch:
    case vrrp::NoticeKind::kOwnerConflict:
    case vrrp::NoticeKind::kUnsigned:
      log::warn("({}) {}: {}", name, from, vrrp::to_string(notice.kind));
      return;
  }
}

// --- The timer -------------------------------------------------------------------------------

net::PortId VrrpDriver::port_of(std::size_t instance) const {
  return static_cast<net::PortId>(speaker_.port_of(instance));
}

const std::string& VrrpDriver::name_of(std::size_t instance) const {
  return speaker_.instance(instance).config().name;
}

void VrrpDriver::on_timer() {
  speaker_.handle_timeout(now_us());
  arm();
}

// Whoever asked us to leave hears of it from here, not from inside his own call.
void VrrpDriver::arm() {
  std::int64_t wait_us = 0;
  if (!speaker_.has_left()) {
    const auto next_us = speaker_.next_timeout();
    if (!next_us) return;
    wait_us = std::max<std::int64_t>(*next_us - now_us(), 0);
  } else if (!on_left_) {
    return;
  }
  timer_.expires_after(std::chrono::microseconds(wait_us));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (speaker_.has_left() && on_left_) return std::exchange(on_left_, nullptr)();
    on_timer();
  });
}

}  // namespace keepline::control
