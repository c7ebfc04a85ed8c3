#include "vrrp/speaker.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include "vrrp/sync_group.h"

namespace keepline::vrrp {

namespace {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

void Speaker::pace(const GarpGap& gap, const std::vector<SharedGap>& shared) {
  gap_ = gap;
  for (auto& [port, current] : gaps_) current = std::make_shared<GarpGap>(gap);
  for (const SharedGap& each : shared) {
    const auto common = std::make_shared<GarpGap>(each.gap);
    for (const Port port : each.ports) gaps_[port] = common;
  }
}

void Speaker::add(std::size_t number, InstanceConfig config, Port port,
                  std::vector<net::IpAddr> announced) {
  const Member unused{Instance(InstanceConfig()), Announcer({}, {}), 0, kNoGroup, false, false};
  if (number >= members_.size()) members_.resize(number + 1, unused);
  router_.add(port, config.vrid, config.group.is_v6(), static_cast<std::uint32_t>(number));
  if (auto& gap = gaps_[port]; gap == nullptr) gap = std::make_shared<GarpGap>(gap_);
  const GarpSettings garp = config.garp;
  members_[number] = {Instance(std::move(config)), Announcer(garp, std::move(announced)), port};
}

void Speaker::reconfigure(std::size_t number, InstanceConfig config,
                          std::vector<net::IpAddr> announced, std::int64_t now_us) {
  Member& member = members_[number];
  if (stopped_ || member.is_leaving()) return;
  member.announcer.configure(config.garp, std::move(announced));
  member.machine.reconfigure(std::move(config), now_us);
  settle(number, now_us);
  announce(number, now_us);
}

void Speaker::remove(std::size_t number) {
  Member& member = members_[number];
  const InstanceConfig& config = member.machine.config();
  router_.remove(member.port, config.vrid, config.group.is_v6());
  leave_groups(number);
  member.is_used = false;
}

void Speaker::set_groups(std::vector<std::vector<std::size_t>> groups, std::int64_t now_us) {
  groups_ = std::move(groups);
  for (Member& member : members_) member.group = kNoGroup;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    for (const std::size_t index : groups_[group]) members_[index].group = group;
  }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    // One that is alone now has nobody's fault to share.
    if (members_[i].group == kNoGroup) set_fault(i, FaultCause::kSyncGroup, false, now_us);
  }
  for (std::size_t group = 0; group < groups_.size(); ++group) settle_group(group, now_us);
}

void Speaker::start(std::int64_t now_us) {
  for (std::size_t i = 0; i < members_.size(); ++i) start(i, now_us);
}

void Speaker::start(std::size_t index, std::int64_t now_us) {
  if (stopped_ || members_[index].is_leaving() || !members_[index].is_used) return;
  members_[index].machine.start(now_us);
  settle(index, now_us);
}

void Speaker::stop(std::int64_t now_us) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    members_[i].machine.stop(now_us);
    carry_out(i, now_us);
    if (members_[i].lingering.lingers()) end_linger(i, now_us);
  }
  stopped_ = true;
}

void Speaker::handle_packet(Port port, net::Bytes packet, std::int64_t now_us) {
  if (stopped_) return;
  const auto advert = parse_advert(packet);
  const auto vrid = advert ? std::optional(advert->vrid) : advert.error().vrid;
  if (!vrid) return reject_on_port(port, advert.error(), now_us);
  const bool is_v6 = advert ? advert->source.is_v6() : advert.error().source.is_v6();
  const auto index = router_.find(port, *vrid, is_v6);
  if (!index) return;
  if (members_[*index].is_leaving()) {
    if (advert) handle_while_leaving(*index, *advert, now_us);
    return;
  }
  leave_if_broken(*index, now_us);
  if (advert) {
    const auto result = members_[*index].machine.handle_advert(*advert, now_us, host_.wall_us());
    const bool is_backup = members_[*index].machine.state() == State::kBackup;
    if (result == AdvertResult::kUsed && is_backup) {
      hear_successor(*index, *advert, now_us);
      hasten_group(*index, now_us);
    }
  } else {
    members_[*index].machine.handle_reject(advert.error(), now_us);
  }
  settle(*index, now_us);
}

// Of a master that loses one cable, BFD tells here, and a priority 0 on its other arms. Nobody has
// to wait there for the skew of an advert interval.
void Speaker::hasten_group(std::size_t index, std::int64_t now_us) {
  std::int64_t interval_us = 0;
  for (const std::size_t other : group_of(index)) {
    interval_us = std::max(interval_us, members_[other].machine.lost_interval_us());
  }
  if (interval_us == 0) return;
  for (const std::size_t other : group_of(index)) {
    members_[other].machine.hasten_succession(interval_us, now_us);
  }
}

// Too short to say whose it is: counted by all that listen there.
void Speaker::reject_on_port(Port port, const Rejection& rejection, std::int64_t now_us) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].port != port || members_[i].is_leaving() || !members_[i].is_used) continue;
    members_[i].machine.handle_reject(rejection, now_us);
    settle(i, now_us);
  }
}

void Speaker::handle_timeout(std::int64_t now_us) {
  if (stopped_) return;
  if (is_leaving()) finish_departures(now_us);
  for (std::size_t i = 0; i < members_.size() && !stopped_; ++i) {
    if (members_[i].lingering.leads(now_us)) lead_on(i, now_us);
    if (members_[i].lingering.is_due(now_us)) linger_less(i, now_us);
    if (!is_active(i)) continue;
    if (members_[i].is_leaving()) {
      try_goodbye_again(i, now_us);
    } else {
      time_out(i, now_us);
    }
    const std::size_t group = members_[i].group;
    if (group == kNoGroup || groups_[group].front() == i) announce(i, now_us);
  }
}

void Speaker::time_out(std::size_t index, std::int64_t now_us) {
  Instance& machine = members_[index].machine;
  if (machine.leads()) wait_for_addresses(index, now_us);
  const auto due_us = machine.next_timeout();
  if (!due_us || *due_us > now_us) return;
  leave_if_broken(index, now_us);
  machine.handle_timeout(now_us);
  settle(index, now_us);
}

// Whether something of it is due by itself: not of one that leaves and was succeeded.
bool Speaker::is_active(std::size_t index) const {
  const Member& member = members_[index];
  return member.is_used && (!member.is_leaving() || serves_alone(index));
}

// It has said goodbye, and nobody has come yet.
bool Speaker::serves_alone(std::size_t index) const {
  const auto departure = departures_.find(index);
  return departure != departures_.end() && !departure->second.is_succeeded();
}

std::optional<std::int64_t> Speaker::next_timeout() const {
  std::optional<std::int64_t> earliest_us;
  const auto consider = [&earliest_us](std::optional<std::int64_t> when_us) {
    if (when_us && (!earliest_us || *when_us < *earliest_us)) earliest_us = when_us;
  };
  if (stopped_) return earliest_us;
  if (leaves_for_good()) consider(released_us());
  for (std::size_t index = 0; index < members_.size(); ++index) {
    const Member& member = members_[index];
    consider(member.lingering.next_us());
    if (member.leaving == Leaving::kToBackup) consider(departures_.at(index).end_us());
    if (!is_active(index)) continue;
    consider(member.is_leaving() ? departures_.at(index).says_us() : member.machine.next_timeout());
    const auto announces_us = member.announcer.next_timeout(*gaps_.at(member.port));
    if (announces_us) consider(std::max(*announces_us, member.announces_from_us));
    if (member.arrival.leads_nobody()) consider(member.announces_from_us);
  }
  return earliest_us;
}

bool Speaker::set_fault(std::size_t index, FaultCause cause, bool present, std::int64_t now_us) {
  Instance& machine = members_[index].machine;
  if (stopped_ || machine.faults().has(cause) == present) return false;
  // A recovery would make an owner master again, beside the successor that it has called.
  if (members_[index].is_leaving() && !present) return false;
  if (present) {
    machine.handle_fault(cause, now_us);
  } else {
    machine.handle_fault_cleared(cause, now_us);
  }
  settle(index, now_us);
  if (present) end_handing_over(index);
  // At fault nothing lingers: then there may be nothing left to wait for.
  if (is_leaving()) finish_departures(now_us);
  return true;
}

bool Speaker::set_priority(std::size_t index, std::uint8_t effective, std::int64_t now_us) {
  Instance& machine = members_[index].machine;
  if (stopped_ || machine.effective_priority() == effective) return false;
  machine.set_priority(effective, now_us);
  settle(index, now_us);
  return true;
}

bool Speaker::master_lost(std::size_t index, const net::IpAddr& address, std::int64_t interval_us,
                          std::int64_t now_us) {
  if (stopped_ || !has(index) || members_[index].is_leaving()) return false;
  Instance& machine = members_[index].machine;
  const std::int64_t before_us = machine.deadline_us();
  machine.handle_master_lost(address, interval_us, now_us);
  hasten_group(index, now_us);
  settle(index, now_us);
  return machine.deadline_us() < before_us;
}

bool Speaker::set_source(std::size_t index, const net::IpAddr& source, std::int64_t now_us) {
  if (!source.is_zero()) members_[index].machine.set_source(source);
  return set_fault(index, FaultCause::kNoSourceAddress, source.is_zero(), now_us);
}

// Members of a group renew their leases at different times, so a pause may break only some. Those
// take the others along before these speak again: one more advert would make peers wait for them.
void Speaker::leave_if_broken(std::size_t index, std::int64_t now_us) {
  if (members_[index].group == kNoGroup) return;
  for (const std::size_t other : groups_[members_[index].group]) {
    Instance& machine = members_[other].machine;
    if (machine.state() != State::kMaster || machine.lease().valid(now_us)) continue;
    machine.handle_timeout(now_us);
    settle(other, now_us);
  }
}

// Whatever a verb has set going is finished before the next event: first the instance's own
// actions, then those of its sync group. Clients are led here when all members are masters.
void Speaker::settle(std::size_t index, std::int64_t now_us) {
  carry_out(index, now_us);
  if (members_[index].group != kNoGroup) settle_group(members_[index].group, now_us);
  announce(index, now_us);
}

void Speaker::settle_group(std::size_t group, std::int64_t now_us) {
  const std::vector<std::size_t>& indexes = groups_[group];
  for (std::size_t round = 0; round < kGroupRounds; ++round) {
    std::vector<MemberView> views;
    for (const std::size_t index : indexes) views.push_back(view_of(members_[index].machine));
    const auto commands = evaluate_group(views);
    if (commands.empty()) return;
    for (const MemberCommand& command : commands) {
      const std::size_t index = indexes[command.member];
      Instance& machine = members_[index].machine;
      machine.handle_group(command.command, now_us);
      carry_out(index, now_us);
      // One whose first advert does not leave spoils it for those that have not spoken yet.
      const bool is_refused = machine.state() != State::kMaster;
      if (command.command == GroupCommand::kBecomeMaster && is_refused) break;
    }
  }
}

void Speaker::carry_out(std::size_t index, std::int64_t now_us) {
  while (auto action = members_[index].machine.poll_action()) perform(index, *action, now_us);
}

void Speaker::perform(std::size_t index, const Action& action, std::int64_t now_us) {
  Member& member = members_[index];
  std::visit(Overloaded{
                 [&](const SendAdvert& advert) {
                   send_advert(index, advert.priority);
                   if (member.advert_failed) member.machine.handle_unsent(now_us);
                 },
                 [&](const GrantLease& grant) {
                   member.arrival.handle_lease();
                   const Host::Answers answers = answers_of(index);
                   // An advert that did not leave has told nobody that we are still here.
                   if (!member.advert_failed) {
                     host_.grant_lease(index, grant.until_us - now_us, answers);
                   }
                   member.advert_failed = false;
                 },
                 [&](const RevokeLease&) { host_.revoke_lease(index); },
                 [&](const Linger& way) { linger(index, way.is_succeeded, now_us); },
                 [&](const AcquireVips&) {
                   member.lingering.end();
                   member.successor.forget();
                   host_.acquire_addresses(index);
                 },
                 [&](const ReleaseVips&) {
                   member.announcer.stop();
                   host_.release_addresses(index);
                 },
                 [&](const StartGarpBurst& burst) {
                   if (burst.reason == GarpReason::kBecameMaster) member.announcer.start(now_us);
                   if (burst.reason == GarpReason::kLowerPriorityAdvert) {
                     heard_lower_priority(index, now_us);
                   }
                 },
                 [](const WantMaster&) {},
                 [&](const StateChanged& change) {
                   member.advert_failed = false;
                   const bool succeeds = change.from == State::kBackup;
                   if (succeeds && change.to == State::kMaster) {
                     member.announcer.confirm_at(now_us + Instance::kLead_us + kConfirm_us);
                   }
                   member.arrival.handle_state(change.to == State::kMaster);
                   const bool may_linger = change.to == State::kBackup;
                   if (member.lingering.lingers() && !may_linger) end_linger(index, now_us);
                   host_.state_changed(index, change);
                 },
                 [&](const Notice& notice) { host_.noticed(index, notice); },
             },
             action);
}

// To several peers: sent, if it could be sent to any of them.
void Speaker::send_advert(std::size_t index, std::uint8_t priority) {
  Member& member = members_[index];
  const InstanceConfig& config = member.machine.config();
  const std::int64_t valid_us = config.advert_interval_us * config.down_timer_adverts;
  member.advert_failed = true;
  // One number for all peers: each of them hears numbers that grow.
  const std::uint64_t sequence = member.machine.next_sequence(host_.wall_us());
  const auto send_to = [&](const net::IpAddr& destination) {
    std::array<std::uint8_t, kMaxAdvertBytes> packet;
    const auto length = encode_advert(config, priority, destination, packet, sequence);
    if (!length) return;
    const auto sent =
        host_.send_advert(index, destination, std::span(packet).first(*length), valid_us);
    if (sent == Host::Send::kQueued) member.advert_failed = false;
  };
  if (config.lacks_peers) return;
  if (!config.is_unicast()) return send_to(config.group);
  for (const Peer& peer : config.peers) send_to(peer.address);
}

}  // namespace keepline::vrrp
