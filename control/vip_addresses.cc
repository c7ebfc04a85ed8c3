#include "control/vip_addresses.h"

#include "control/log.h"
#include "dataplane/neigh/arp.h"
#include "dataplane/neigh/nd.h"

namespace keepline::control {

namespace {

constexpr std::int64_t kAnnouncementValidUs = 1'000'000;
constexpr int kAnnouncements = 5;

}  // namespace

VipAddresses::VipAddresses(const Topology& topology, KernelExecutor& kernel)
    : topology_(topology), kernel_(kernel) {}

void VipAddresses::acquire(lb::LeaseSlot lease) {
  kernel_.acquire(addresses_of(lease), netdevs());
}

void VipAddresses::release(lb::LeaseSlot lease) {
  kernel_.release(addresses_of(lease));
}

void VipAddresses::take_over(const KernelView& view) {
  for (const PlacedVip& vip : topology_.vips) {
    if (!vip.is_installed() || vip.lease == lb::kAlwaysOurs) continue;
    if (!view.has_address(vip.address)) continue;
    log::warn("{} was on this node already: taken over", net::to_string(vip.address));
    kernel_.release({held(vip)});
  }
}

void VipAddresses::keep(lb::LeaseSlot lease, const KernelView& view) {
  for (const HeldAddress& each : addresses_of(lease)) {
    if (view.has_address(each.address.address)) continue;
    kernel_.acquire({each}, netdevs());
  }
}

void VipAddresses::announce_own(neigh::Role role, worker::Dataplane& dataplane) const {
  const auto send = [&](const PlacedVip& vip, net::Bytes frame) {
    for (int i = 0; i < kAnnouncements; ++i) dataplane.send(vip.port, frame, kAnnouncementValidUs);
  };
  for (const PlacedVip& vip : topology_.vips) {
    if (vip.lease != lb::kAlwaysOurs || !vip.is_ours) continue;
    if (vip.address.is_v6()) {
      send(vip, neigh::make_unsolicited_advertisement(vip.address.v6(), vip.mac, role));
    } else {
      send(vip, neigh::make_gratuitous_arp(vip.address.v4(), vip.mac));
    }
  }
}

std::vector<HeldAddress> VipAddresses::addresses_of(lb::LeaseSlot lease) const {
  std::vector<HeldAddress> result;
  for (const PlacedVip& vip : topology_.vips) {
    if (vip.lease == lease && vip.is_installed()) result.push_back(held(vip));
  }
  return result;
}

HeldAddress VipAddresses::held(const PlacedVip& vip) const {
  const PlacedPort& port = topology_.ports[vip.port];
  return {{port.netdev, port.ifindex}, {vip.address, vip.prefix_length}, vip.label};
}

std::vector<Netdev> VipAddresses::netdevs() const {
  std::vector<Netdev> result;
  for (const PlacedPort& port : topology_.ports) result.push_back({port.netdev, port.ifindex});
  return result;
}

}  // namespace keepline::control
