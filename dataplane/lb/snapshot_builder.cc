#include "dataplane/lb/snapshot_builder.h"

#include <algorithm>
#include <set>

#include "dataplane/lb/forward/tell.h"

namespace keepline::lb {

namespace {

template <typename Each>
void for_each_real(const Service& service, Each&& each) {
  for (const RealServer& real : service.pool) each(real);
  for (const LeavingServer& leaving : service.leaving) each(leaving.real);
}

bool has_slot(const Service& service, RealSlot slot) {
  bool found = false;
  for_each_real(service, [&](const RealServer& real) { found = found || real.slot == slot; });
  return found;
}

// Where answers of the service's NATed servers come from, in order.
std::vector<net::Endpoint> origins_of(const Service* service) {
  std::vector<net::Endpoint> result;
  if (service == nullptr) return result;
  for_each_real(*service, [&](const RealServer& real) {
    if (real.method == Method::kNat) result.push_back(real.endpoint);
  });
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

SnapshotBuilder::SnapshotBuilder() {
  now_.next_hops_ = std::make_shared<neigh::NextHops>();
  now_.hop_epoch_ = 1;
  now_.own_ = std::make_shared<std::vector<net::IpAddr>>();
}

void SnapshotBuilder::set_ports(std::vector<PortInfo> ports) {
  if (ports == now_.ports_) return;
  now_.ports_ = std::move(ports);
  hops_changed_ = true;
}

void SnapshotBuilder::set_vips(std::vector<Vip> vips) {
  if (vips == vips_) return;
  vips_ = std::move(vips);
  lookup_changed_ = true;
}

void SnapshotBuilder::set_own(std::vector<net::IpAddr> addresses) {
  std::sort(addresses.begin(), addresses.end());
  if (addresses == *now_.own_) return;
  now_.own_ = std::make_shared<const std::vector<net::IpAddr>>(std::move(addresses));
}

void SnapshotBuilder::set_bfd_neighbours(std::vector<BfdNeighbour> neighbours) {
  std::sort(neighbours.begin(), neighbours.end());
  now_.bfd_neighbours_ = std::move(neighbours);
}

void SnapshotBuilder::set_next_hops(std::shared_ptr<const neigh::NextHops> next_hops) {
  if (next_hops == now_.next_hops_) return;
  now_.next_hops_ = std::move(next_hops);
  if (++now_.hop_epoch_ == 0) now_.hop_epoch_ = 1;
  hops_changed_ = true;
}

void SnapshotBuilder::set_service(std::shared_ptr<const Service> service) {
  const ServiceSlot slot = service->slot;
  if (slot >= now_.services_.size()) now_.services_.resize(slot + 1);
  std::shared_ptr<const Service>& place = now_.services_[slot];
  if (place == service || (place != nullptr && *place == *service)) return;
  if (place == nullptr || place->vip != service->vip || place->protocol != service->protocol ||
      place->persistence_bits != service->persistence_bits) {
    lookup_changed_ = true;
  }
  if (place != nullptr) clear_reals(*place, service.get());

  const bool moved =
      place != nullptr && (place->protocol != service->protocol || place->vip != service->vip);
  const auto before = origins_of(place.get());
  const auto after = origins_of(service.get());
  if (moved || before != after) {
    for (const auto& real : before) now_.nat_origins_.remove(real, place->protocol, slot);
    for (const auto& real : after) now_.nat_origins_.add(real, service->protocol, slot);
  }
  place = std::move(service);
  changed_.insert(slot);
}

void SnapshotBuilder::remove_service(ServiceSlot slot) {
  if (slot >= now_.services_.size() || now_.services_[slot] == nullptr) return;
  std::shared_ptr<const Service>& place = now_.services_[slot];
  clear_reals(*place, nullptr);
  for (const auto& real : origins_of(place.get())) {
    now_.nat_origins_.remove(real, place->protocol, slot);
  }
  place = nullptr;
  changed_.erase(slot);
  lookup_changed_ = true;
}

std::unique_ptr<const Snapshot> SnapshotBuilder::build() {
  if (lookup_changed_) build_lookup();
  if (lookup_changed_ || hops_changed_) {
    for (const auto& service : now_.services_) {
      if (service != nullptr) write_reals(*service);
    }
  } else {
    for (const ServiceSlot slot : changed_) write_reals(*now_.services_[slot]);
  }
  changed_.clear();
  lookup_changed_ = hops_changed_ = false;

  std::unique_ptr<Snapshot> next(new Snapshot());
  next->ports_ = now_.ports_;
  next->next_hops_ = now_.next_hops_;
  next->hop_epoch_ = now_.hop_epoch_;
  next->ip_forward_ = now_.ip_forward_;
  next->ip6_forward_ = now_.ip6_forward_;
  next->shard_workers_ = now_.shard_workers_;
  // One worker alone has every client.
  if (std::ranges::adjacent_find(now_.shard_workers_, std::ranges::not_equal_to()) !=
      now_.shard_workers_.end()) {
    next->shard_bits4_ = now_.lookup_->client_bits4;
    next->shard_bits6_ = now_.lookup_->client_bits6;
  }
  next->lookup_ = now_.lookup_;
  next->services_ = now_.services_;
  next->reals_ = now_.reals_.share();
  next->tunnels_ = now_.tunnels_.share();
  next->nat_origins_ = now_.nat_origins_;
  next->own_ = now_.own_;
  next->bfd_neighbours_ = now_.bfd_neighbours_;
  return next;
}

void SnapshotBuilder::build_lookup() {
  auto lookup = std::make_shared<Snapshot::Lookup>();
  lookup->vips = vips_;
  std::set<std::pair<net::PortId, net::Mac>> seen;
  std::vector<ServiceIndex<net::V4>::Entry> locals4;
  std::vector<ServiceIndex<net::V6>::Entry> locals6;
  for (VipNumber number = 0; number < vips_.size(); ++number) {
    const Vip& vip = vips_[number];
    lookup->vip_by_address.emplace(vip.address, number);
    if (vip.local && vip.address.is_v6()) {
      locals6.push_back({Snapshot::local_key<net::V6>(vip.address.v6()), vip.lease, 0});
    } else if (vip.local) {
      locals4.push_back({Snapshot::local_key<net::V4>(vip.address.v4().be()), vip.lease, 0});
    }
    if (seen.emplace(vip.port, vip.mac).second) {
      lookup->virtual_macs.push_back({vip.mac, vip.port, vip.lease});
    }
  }
  lookup->has_locals = !locals4.empty() || !locals6.empty();
  lookup->locals4 = ServiceIndex<net::V4>(locals4);
  lookup->locals6 = ServiceIndex<net::V6>(locals6);
  std::vector<ServiceIndex<net::V4>::Entry> v4;
  std::vector<ServiceIndex<net::V6>::Entry> v6;
  for (const auto& service : now_.services_) {
    if (service == nullptr) continue;
    const auto vip = lookup->vip_by_address.find(service->vip.address);
    const LeaseSlot lease =
        vip == lookup->vip_by_address.end() ? kNeverOurs : vips_[vip->second].lease;
    const net::IpAddr& address = service->vip.address;
    if (const std::uint8_t wanted = service->client_bits(); wanted != 0) {
      auto& bits = address.is_v6() ? lookup->client_bits6 : lookup->client_bits4;
      bits = bits == 0 ? wanted : std::min(bits, wanted);
    }
    const net::be16 port(service->vip.port);
    if (address.is_v6()) {
      v6.push_back({{address.v6(), port, service->protocol}, lease, service->slot});
    } else {
      v4.push_back({{address.v4().be(), port, service->protocol}, lease, service->slot});
    }
  }
  lookup->v4 = ServiceIndex<net::V4>(v4);
  lookup->v6 = ServiceIndex<net::V6>(v6);
  now_.lookup_ = std::move(lookup);
}

RealEntry SnapshotBuilder::entry_of(const Service& service, const RealServer& real) {
  RealEntry entry;
  entry.generation = real.generation;
  entry.until_s = LeavingServer::kNoLimit;
  const auto vip = now_.lookup_->vip_by_address.find(service.vip.address);
  if (vip != now_.lookup_->vip_by_address.end()) entry.vip = vip->second;
  const neigh::NextHop hop = now_.next_hops_->resolve(real.endpoint.address);
  if (hop.reach == neigh::Reach::kNoRoute || hop.port >= now_.ports_.size()) return entry;
  entry.reach = hop.reach;
  entry.port = hop.port;
  entry.link = {hop.mac, now_.ports_[hop.port].mac};
  if (hop.reach == neigh::Reach::kFound) entry.mtu = now_.ports_[hop.port].mtu;
  if (real.method == Method::kTunnel) add_tunnel(service, real, entry);
  if (entry.mtu != 0) {
    const std::uint16_t told = service.vip.address.is_v6() ? tell_bytes<net::V6>(real.tell)
                                                           : tell_bytes<net::V4>(real.tell);
    entry.mtu = static_cast<std::uint16_t>(entry.mtu - told);
  }
  return entry;
}

void SnapshotBuilder::add_tunnel(const Service& service, const RealServer& real, RealEntry& entry) {
  const PortInfo& port = now_.ports_[entry.port];
  const bool v6 = real.endpoint.address.is_v6();
  if (v6 ? port.source6.is_zero() : port.source4.is_zero()) {
    entry.reach = neigh::Reach::kNoRoute;
    entry.mtu = 0;
    return;
  }
  const net::IpAddr source = v6 ? net::IpAddr(port.source6) : net::IpAddr(port.source4);
  const TunnelHeader header = make_tunnel_header(real.tunnel, source, real.endpoint.address,
                                                 net::family_of(service.vip.address));
  if (entry.mtu != 0) entry.mtu = static_cast<std::uint16_t>(entry.mtu - header.length);
  const TunnelHeader* present = now_.tunnels_.find(real.slot);
  if (present == nullptr || *present != header) now_.tunnels_.edit(real.slot) = header;
}

void SnapshotBuilder::write_reals(const Service& service) {
  for (const RealServer& real : service.pool) write(real.slot, entry_of(service, real));
  for (const LeavingServer& leaving : service.leaving) {
    RealEntry entry = entry_of(service, leaving.real);
    entry.failed = leaving.failed;
    entry.until_s = leaving.until_s;
    write(leaving.real.slot, entry);
  }
}

void SnapshotBuilder::clear_reals(const Service& service, const Service* successor) {
  for_each_real(service, [&](const RealServer& real) {
    if (successor == nullptr || !has_slot(*successor, real.slot)) write(real.slot, {});
  });
}

// An entry that stays as it is must not cost a copy of its page.
void SnapshotBuilder::write(RealSlot slot, const RealEntry& entry) {
  const RealEntry* present = now_.reals_.find(slot);
  if (present != nullptr && *present == entry) return;
  now_.reals_.edit(slot) = entry;
}

}  // namespace keepline::lb
