#include "control/vrrp_driver.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <set>
#include <utility>

#include "control/log.h"
#include "control/vrrp_config.h"
#include "dataplane/net/headers.h"
#include "vrrp/sync_group.h"
#include "vrrp/text.h"

namespace keepline::control {

namespace {

template <typename Options>
vrrp::GarpGap gap_of(const Options& garp) {
  return vrrp::GarpGap(static_cast<std::int64_t>(*garp.interval_us),
                       static_cast<std::int64_t>(*garp.gna_interval_us));
}

// garp_group names interfaces; those without an instance announce nothing.
std::vector<vrrp::Speaker::SharedGap> shared_gaps(const Running& running) {
  std::vector<vrrp::Speaker::SharedGap> result;
  for (const config::GarpGroup& group : running.config->garp_groups) {
    vrrp::Speaker::SharedGap shared{{}, gap_of(group)};
    for (std::size_t id = 0; id < running.topology->ports.size(); ++id) {
      const std::string& name = running.topology->ports[id].netdev;
      if (std::ranges::find(group.interfaces, name) == group.interfaces.end()) continue;
      shared.ports.push_back(static_cast<vrrp::Port>(id));
    }
    result.push_back(std::move(shared));
  }
  return result;
}

// Instances that clients of virtual servers come to. The others of a sync group are the servers'
// way back.
std::set<std::size_t> with_services(const Running& running) {
  std::set<std::size_t> result;
  if (running.config->sync_groups.empty()) return result;
  std::set<net::IpAddr> addresses;
  for (const auto& server : running.config->virtual_servers) addresses.insert(server.address);
  for (const PlacedVip& vip : running.topology->vips) {
    if (addresses.contains(vip.address)) result.insert(vip.lease);
  }
  return result;
}

}  // namespace

VrrpDriver::VrrpDriver(boost::asio::any_io_executor executor, const Running& running,
                       VrrpHost& host)
    : timer_(std::move(executor)),
      running_(running),
      host_(host),
      speaker_(*this, vrrp::GarpGap()) {
  follow();
}

void VrrpDriver::follow() {
  for (std::size_t number = 0; number < speaker_.size(); ++number) {
    const auto lease = static_cast<lb::LeaseSlot>(number);
    if (speaker_.has(number) && !running_.topology->instance_of(lease)) speaker_.remove(number);
  }
  speaker_.pace(gap_of(running_.config->global.garp), shared_gaps(running_));
  for (std::size_t i = 0; i < running_.topology->instances.size(); ++i) follow(i);
  follow_groups();
  arm();
}

void VrrpDriver::follow(std::size_t index) {
  const config::VrrpInstance& instance = running_.config->vrrp_instances[index];
  const PlacedInstance& placed = running_.topology->instances[index];
  const std::size_t number = placed.lease;
  vrrp::InstanceConfig machine = machine_config(instance, placed.source);
  machine.sync_grouped = std::ranges::any_of(
      running_.config->sync_groups, [&instance](const config::SyncGroup& group) {
        return std::ranges::find(group.members, instance.name) != group.members.end();
      });
  std::vector<net::IpAddr> announced = announced_vips(*running_.topology, placed.lease);
  if (number >= told_.size()) told_.resize(number + 1);
  const bool virtual_adverts =
      placed.vmac && !instance.vmac.xmit_base && instance.unicast_peers.empty();
  const net::Mac& mac = virtual_adverts ? *placed.vmac : running_.topology->ports[placed.port].mac;
  const bool is_new_mac = std::exchange(told_[number].advert_mac, mac) != mac;
  if (speaker_.has(number)) {
    speaker_.reconfigure(number, std::move(machine), announced, begin_turn());
    const bool is_master = speaker_.instance(number).state() == vrrp::State::kMaster;
    for (const net::IpAddr& vip : announced) {
      if (is_new_mac && is_master) announce(number, vip);
    }
  } else {
    told_[number].since_unix_s = 0;
    speaker_.add(number, std::move(machine), placed.port, std::move(announced));
  }
}

// A group is in the state that its members are in now; that is no news.
void VrrpDriver::follow_groups() {
  groups_.clear();
  std::vector<std::vector<std::size_t>> groups;
  const std::set<std::size_t> led = with_services(running_);
  for (const config::SyncGroup& group : running_.config->sync_groups) {
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < running_.config->vrrp_instances.size(); ++i) {
      const std::string& name = running_.config->vrrp_instances[i].name;
      if (std::ranges::find(group.members, name) != group.members.end()) {
        numbers.push_back(running_.topology->instances[i].lease);
      }
    }
    std::stable_partition(numbers.begin(), numbers.end(),
                          [&](std::size_t number) { return !led.contains(number); });
    groups_.push_back({numbers, state_of(numbers)});
    groups.push_back(std::move(numbers));
  }
  speaker_.set_groups(std::move(groups), begin_turn());
}

void VrrpDriver::start(std::size_t instance) {
  if (speaker_.instance(instance).state() != vrrp::State::kInit) return;
  speaker_.start(instance, begin_turn());
  arm();
}

void VrrpDriver::leave(const std::vector<std::size_t>& instances, std::function<void()> on_left) {
  on_left_ = std::move(on_left);
  speaker_.leave(instances, begin_turn());
  arm();
}

void VrrpDriver::hand_over(const std::vector<std::size_t>& instances,
                           std::function<void()> on_done) {
  on_left_ = std::move(on_done);
  speaker_.hand_over(instances, begin_turn());
  arm();
}

void VrrpDriver::leave(std::function<void()> on_left) {
  on_left_ = std::move(on_left);
  speaker_.leave(begin_turn());
  arm();
}

void VrrpDriver::stop() {
  on_left_ = nullptr;
  speaker_.stop(begin_turn());
  timer_.cancel();
}

void VrrpDriver::handle_frame(net::PortId port, net::Bytes frame) {
  if (frame.size() <= sizeof(net::EthernetHeader)) return;
  std::memcpy(&last_sender_, frame.data() + offsetof(net::EthernetHeader, source),
              sizeof last_sender_);
  speaker_.handle_packet(port, frame.subspan(sizeof(net::EthernetHeader)), begin_turn());
  arm();
}

void VrrpDriver::set_port_fault(net::PortId port, vrrp::FaultCause cause, bool present) {
  for (std::size_t i = 0; i < speaker_.size(); ++i) {
    if (speaker_.has(i) && port_of(i) == port) set_fault(i, cause, present);
  }
}

void VrrpDriver::set_fault(std::size_t index, vrrp::FaultCause cause, bool present) {
  if (speaker_.has_left() || speaker_.instance(index).faults().has(cause) == present) return;
  log_fault(index, cause, present);
  speaker_.set_fault(index, cause, present, begin_turn());
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
  if (!speaker_.set_priority(index, effective, begin_turn())) return;
  log::info("({}) effective priority {} -> {}", name_of(index), before, effective);
  host_.priority_changed(index, effective);
  arm();
}

void VrrpDriver::master_lost(std::size_t index, const net::IpAddr& address,
                             std::int64_t interval_us) {
  if (!speaker_.master_lost(index, address, interval_us, begin_turn())) return;
  arm();
  log::warn("({}) the master {} is lost, as BFD says", name_of(index), net::to_string(address));
}

void VrrpDriver::set_source(std::size_t index, const net::IpAddr& source) {
  const bool had_none = speaker_.instance(index).faults().has(vrrp::FaultCause::kNoSourceAddress);
  if (!speaker_.has_left() && source.is_zero() != had_none) {
    log_fault(index, vrrp::FaultCause::kNoSourceAddress, source.is_zero());
  }
  if (speaker_.set_source(index, source, begin_turn())) arm();
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
  // The virtual MAC leads clients here, too: a switch learns where it is from any frame.
  const bool leads = port == port_of(instance) && may_announce(instance);
  const net::Mac& from = leads ? told_[instance].advert_mac : running_.topology->ports[port].mac;
  const net::EthernetHeader ethernet{to, from, net::be16(type)};
  std::memcpy(frame.data(), &ethernet, sizeof ethernet);
  std::memcpy(frame.data() + sizeof ethernet, packet.data(), packet.size());
  return host_.send_frame(port, std::span(frame).first(sizeof ethernet + packet.size()), valid_us);
}

bool VrrpDriver::may_announce(std::size_t instance) {
  return host_.may_announce(instance, port_of(instance));
}

std::uint64_t VrrpDriver::state_age_s(std::size_t instance) const {
  const Told& told = told_[instance];
  if (told.since_unix_s == 0) return 0;
  return static_cast<std::uint64_t>(now_us() - told.since_us) / 1'000'000;
}

std::int64_t VrrpDriver::wall_us() {
  return control::wall_us();
}

void VrrpDriver::state_changed(std::size_t instance, const vrrp::StateChanged& change) {
  told_[instance].since_unix_s = ::time(nullptr);
  told_[instance].since_us = now_us();
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
    const vrrp::State state = state_of(group.members);
    if (std::exchange(group.state, state) != state) host_.group_changed(g, state);
  }
}

vrrp::State VrrpDriver::state_of(const std::vector<std::size_t>& members) const {
  std::vector<vrrp::MemberView> views;
  for (const std::size_t member : members) {
    views.push_back(vrrp::view_of(speaker_.instance(member)));
  }
  return vrrp::group_state(views);
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
      log::warn("({}) dropped an advert from {}: {}{}", name, from, vrrp::to_string(notice.reject),
                notice.reject == vrrp::Reject::kTrailerStale
                    ? ": the clocks of the two are apart, or it is an old one"
                    : "");
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
  host_.receive_frames();
  speaker_.handle_timeout(begin_turn());
  arm();
}

// Whoever asked us to leave hears of it from here, not from inside his own call.
void VrrpDriver::arm() {
  std::int64_t wait_us = 0;
  if (!on_left_ || !is_done()) {
    const auto next_us = speaker_.next_timeout();
    if (!next_us) return;
    wait_us = std::max<std::int64_t>(*next_us - now_us(), 0);
  }
  timer_.expires_after(std::chrono::microseconds(wait_us));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (on_left_ && is_done()) std::exchange(on_left_, nullptr)();
    on_timer();
  });
}

}  // namespace keepline::control
