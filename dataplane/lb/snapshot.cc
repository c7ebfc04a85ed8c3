#include "dataplane/lb/snapshot.h"

namespace keepline::lb {

namespace {

std::uint64_t service_key(net::be32 address, net::be16 port, net::Protocol protocol) {
  return (std::uint64_t{address.raw()} << 24) | (std::uint64_t{port.raw()} << 8) |
         static_cast<std::uint8_t>(protocol);
}

}  // namespace

Snapshot::Snapshot(Parts parts) : parts_(std::move(parts)) {
  if (parts_.next_hops == nullptr) parts_.next_hops = std::make_shared<neigh::NextHops>();
  for (const Vip& vip : parts_.vips) vip_by_address_.emplace(vip.address.be().raw(), &vip);
  for (const auto& service : parts_.services) {
    service_by_key_.emplace(
        service_key(service->vip.address.be(), net::be16(service->vip.port), service->protocol),
        service.get());
    for (const RealServer& real : service->pool) {
      if (real.slot >= real_by_slot_.size()) real_by_slot_.resize(real.slot + 1);
      real_by_slot_[real.slot] = &real;
    }
  }
}

const Vip* Snapshot::find_vip(net::be32 address) const {
  const auto found = vip_by_address_.find(address.raw());
  return found == vip_by_address_.end() ? nullptr : found->second;
}

const Service* Snapshot::find_service(net::be32 address, net::be16 port,
                                      net::Protocol protocol) const {
  const auto found = service_by_key_.find(service_key(address, port, protocol));
  return found == service_by_key_.end() ? nullptr : found->second;
}

const RealServer* Snapshot::find_real(RealSlot slot, std::uint16_t generation) const {
  if (slot >= real_by_slot_.size()) return nullptr;
  const RealServer* real = real_by_slot_[slot];
  return real != nullptr && real->generation == generation ? real : nullptr;
}

const Vip* Snapshot::find_vip(net::PortId port, const net::Mac& mac) const {
  for (const Vip& vip : parts_.vips) {
    if (vip.port == port && vip.mac == mac) return &vip;
  }
  return nullptr;
}

}  // namespace keepline::lb
