#include "control/vip_addresses.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "control/clock.h"
#include "control/log.h"
#include "dataplane/neigh/arp.h"
#include "dataplane/neigh/nd.h"

namespace keepline::control {

namespace {

constexpr std::int64_t kAnnouncementValidUs = 1'000'000;
constexpr int kAnnouncements = 5;

HeldAddress held(const PlacedVip& vip, const Topology& topology) {
  const PlacedPort& port = topology.ports[vip.port];
  return {{port.netdev, port.ifindex}, {vip.address, vip.prefix_length}, vip.label};
}

// What the kernel has of a VIP is the same in both.
bool has_same(const Topology& topology, const PlacedVip& wanted,
              const std::function<bool(lb::LeaseSlot)>& is_held) {
  const PlacedVip* vip = topology.find_vip(wanted.address);
  return vip != nullptr && vip->is_installed() && is_held(vip->lease) && vip->port == wanted.port &&
         vip->prefix_length == wanted.prefix_length && vip->label == wanted.label;
}

}  // namespace

void VipAddresses::acquire(lb::LeaseSlot lease) {
  const auto is_done = std::make_shared<std::atomic<bool>>(false);
  std::vector<HeldAddress> addresses = addresses_of(lease);
  Acquiring& acquiring = acquiring_[lease];
  acquiring = {now_us(), is_done, {}};
  std::ranges::copy_if(addresses, std::back_inserter(acquiring.awaited),
                       [](const HeldAddress& each) { return each.address.address.is_v6(); });
  kernel_.acquire(std::move(addresses), netdevs(), [is_done] { is_done->store(true); });
}

bool VipAddresses::is_settled(lb::LeaseSlot lease) {
  const auto found = acquiring_.find(lease);
  if (found == acquiring_.end()) return true;
  Acquiring& acquiring = found->second;
  if (now_us() - acquiring.since_us > kPatience_us) return true;
  if (!acquiring.is_done->load()) return false;
  if (!acquiring.awaited.empty()) look(acquiring);
  return acquiring.awaited.empty();
}

// Once for each piece of news, however often it is asked for.
void VipAddresses::look(Acquiring& acquiring) const {
  if (acquiring.looked_at_change == mirror_.changes()) return;
  acquiring.looked_at_change = mirror_.changes();
  std::set<std::pair<unsigned, net::IpAddr>> there;
  for (const Address& each : mirror_.addresses()) there.emplace(each.ifindex, each.prefix.address);
  std::erase_if(acquiring.awaited, [&there](const HeldAddress& each) {
    return there.contains({each.netdev.ifindex, each.address.address});
  });
}

void VipAddresses::release(lb::LeaseSlot lease) {
  kernel_.release(addresses_of(lease));
}

void VipAddresses::take_over(const KernelView& view) {
  for (const PlacedVip& vip : topology().vips) {
    if (!vip.is_installed() || vip.lease == lb::kAlwaysOurs) continue;
    if (!view.has_address(vip.address)) continue;
    log::warn("{} was on this node already: taken over", net::to_string(vip.address));
    kernel_.release({held(vip, topology())});
  }
}

void VipAddresses::keep(lb::LeaseSlot lease, const KernelView& view) {
  for (const HeldAddress& each : addresses_of(lease)) {
    if (view.has_address(each.address.address)) continue;
    kernel_.acquire({each}, netdevs());
  }
}

void VipAddresses::follow(const Topology& before,
                          const std::function<bool(lb::LeaseSlot)>& is_held) {
  std::vector<HeldAddress> gone;
  for (const PlacedVip& vip : before.vips) {
    if (!vip.is_installed() || !is_held(vip.lease) || has_same(topology(), vip, is_held)) continue;
    gone.push_back(held(vip, before));
  }
  if (!gone.empty()) kernel_.release(std::move(gone));
  std::vector<HeldAddress> added;
  for (const PlacedVip& vip : topology().vips) {
    if (!vip.is_installed() || !is_held(vip.lease) || has_same(before, vip, is_held)) continue;
    added.push_back(held(vip, topology()));
  }
  if (!added.empty()) kernel_.acquire(std::move(added), netdevs());
}

void VipAddresses::announce_own(neigh::Role role, worker::Dataplane& dataplane,
                                const Topology* before) const {
  const auto send = [&](const PlacedVip& vip, net::Bytes frame) {
    for (int i = 0; i < kAnnouncements; ++i) dataplane.send(vip.port, frame, kAnnouncementValidUs);
  };
  for (const PlacedVip& vip : topology().vips) {
    if (vip.lease != lb::kAlwaysOurs || !vip.is_ours) continue;
    if (before != nullptr && before->find_vip(vip.address) != nullptr) continue;
    if (vip.address.is_v6()) {
      send(vip, neigh::make_unsolicited_advertisement(vip.address.v6(), vip.mac, role));
    } else {
      send(vip, neigh::make_gratuitous_arp(vip.address.v4(), vip.mac));
    }
  }
}

std::vector<HeldAddress> VipAddresses::addresses_of(lb::LeaseSlot lease) const {
  std::vector<HeldAddress> result;
  for (const PlacedVip& vip : topology().vips) {
    if (vip.lease == lease && vip.is_installed()) result.push_back(held(vip, topology()));
  }
  return result;
}

std::vector<Netdev> VipAddresses::netdevs() const {
  std::vector<Netdev> result;
  for (const PlacedPort& port : topology().ports) result.push_back({port.netdev, port.ifindex});
  return result;
}

}  // namespace keepline::control
