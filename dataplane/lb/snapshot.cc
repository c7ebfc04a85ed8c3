#include "dataplane/lb/snapshot.h"

namespace keepline::lb {

const Vip* Snapshot::find_vip(const net::IpAddr& address) const {
  const auto found = lookup_->vip_by_address.find(address);
  return found == lookup_->vip_by_address.end() ? nullptr : &lookup_->vips[found->second];
}

LeaseSlot Snapshot::lease_of(net::PortId port, const net::Mac& mac) const {
  for (const VirtualMac& each : lookup_->virtual_macs) {
    if (each.port == port && each.mac == mac) return each.lease;
  }
  return kNeverOurs;
}

}  // namespace keepline::lb
