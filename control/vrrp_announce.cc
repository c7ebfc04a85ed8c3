// What the VrrpDriver tells neighbours: who has the VIPs, or is about to. See vrrp_driver.h.
#include <cstddef>
#include <cstring>

#include "control/vrrp_config.h"
#include "control/vrrp_driver.h"
#include "dataplane/neigh/arp.h"
#include "dataplane/neigh/claim.h"
#include "dataplane/neigh/nd.h"

namespace keepline::control {

namespace {

constexpr std::int64_t kAnnouncementValid_us = 1'000'000;
constexpr std::int64_t kClaimValid_us = vrrp::Instance::kClaim_us;

}  // namespace

const PlacedInstance& VrrpDriver::placed_of(std::size_t instance) const {
  const Topology& topology = *running_.topology;
  return topology.instances[*topology.instance_of(static_cast<lb::LeaseSlot>(instance))];
}

void VrrpDriver::announce(std::size_t, const net::IpAddr& vip) {
  const PlacedVip* placed = running_.topology->find_vip(vip);
  if (placed != nullptr) announce(*placed, placed->mac, placed->mac);
}

void VrrpDriver::announce(const PlacedVip& vip, const net::Mac& owner, const net::Mac& from) {
  const auto send = [&](auto frame) {
    std::memcpy(frame.data() + offsetof(net::EthernetHeader, source), &from, sizeof from);
    host_.send_frame(vip.port, frame, kAnnouncementValid_us);
  };
  if (vip.address.is_v6()) {
    send(neigh::make_unsolicited_advertisement(vip.address.v6(), owner, host_.role()));
  } else {
    send(neigh::make_gratuitous_arp(vip.address.v4(), owner));
  }
}

// One of its VIPs stands for all: what hears it is the other node's lease. By the interface's own
// MAC: the virtual one is still the other node's.
void VrrpDriver::claim(std::size_t instance) {
  const PlacedInstance& placed = placed_of(instance);
  const PlacedVip* claimed = nullptr;
  for (const PlacedVip& vip : running_.topology->vips) {
    if (vip.lease != instance || !vip.is_answered()) continue;
    if (claimed == nullptr || vip.port == placed.port) claimed = &vip;
  }
  if (claimed == nullptr) return;
  const net::Mac& mac = running_.topology->ports[claimed->port].mac;
  const net::Mac routers = group_mac(placed.group);
  const auto send = [&](auto frame) { host_.send_frame(claimed->port, frame, kClaimValid_us); };
  claimed->address.is_v6() ? send(neigh::make_claim(claimed->address.v6(), mac, routers))
                           : send(neigh::make_claim(claimed->address.v4(), mac, routers));
}

// After a split brain the better master need not know that there was another one: whoever hears of
// the other first is silent from then on. Clients of this one would keep its MAC for minutes; so it
// says itself where they are to go. With a virtual MAC they know, and by unicast nobody can tell.
// Not before it has let go: a keepalived speaks first and gives its kernel the addresses then.
void VrrpDriver::lead_to_successor(std::size_t instance) {
  const PlacedInstance& placed = placed_of(instance);
  if (placed.vmac || placed.is_unicast) return;
  for (const PlacedVip& vip : running_.topology->vips) {
    if (vip.lease != instance || vip.port != placed.port) continue;
    if (!host_.may_announce(instance, placed.port)) return;
    announce(vip, told_[instance].successor, vip.mac);
  }
}

}  // namespace keepline::control
