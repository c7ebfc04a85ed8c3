// All that a worker needs to know to forward: one immutable value, published by RCU.
//
// PURE. Made by SnapshotBuilder off the control thread; workers load the pointer once per turn.
// Snapshots share whatever did not change between them, so a change of one service costs its size
// and a pointer per other service.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "dataplane/lb/forward/tunnel.h"
#include "dataplane/lb/lease.h"
#include "dataplane/lb/paged_array.h"
#include "dataplane/lb/service/nat_origins.h"
#include "dataplane/lb/service/service_index.h"
#include "dataplane/neigh/next_hops.h"
#include "dataplane/net/flow.h"

namespace keepline::lb {

/// What the pipeline knows of a port.
struct PortInfo {
  net::Mac mac;
  std::uint16_t mtu = 1500;  ///< Bytes of the longest IP packet.
  net::Ip4 source4;          ///< That tunnels through it come from; zero: there is none.
  net::Ip6 source6;
  /// Of a NIC that a DPDK driver owns: where the frames go that are not the dataplane's. kNoPort:
  /// there are none, steering keeps them away.
  net::PortId kernel = net::kNoPort;
  /// Of such a port to the kernel: through which NIC all leaves that comes from it.
  net::PortId nic = net::kNoPort;
  bool takes_adverts = true;  ///< Whether VRRP is ours, too.
  friend bool operator==(const PortInfo&, const PortInfo&) = default;
};

/// A virtual IP address.
struct Vip {
  net::IpAddr address;
  net::PortId port = net::kNoPort;
  LeaseSlot lease = kAlwaysOurs;
  net::Mac mac;  ///< That it is answered with: the port's, or a virtual MAC.
  bool answer =
      false;           ///< Whether ARP, ND and ICMP echo are ours (keepline installed the address).
  bool local = false;  ///< No service's address: one that FULLNAT comes from.
  bool accept = true;  ///< Whether the node itself takes what is addressed to it (RFC 9568 §6.1).
  friend bool operator==(const Vip&, const Vip&) = default;
};

/// Whom this node has a BFD session with.
struct BfdNeighbour {
  net::IpAddr address;
  bool is_multihop = false;
  friend auto operator<=>(const BfdNeighbour&, const BfdNeighbour&) = default;
};

/// The worker that all BFD sessions are with.
inline constexpr std::uint8_t kBfdWorker = 0;

using VipNumber = std::uint32_t;  ///< Index into the snapshot's VIPs.
inline constexpr VipNumber kNoVip = 0xffffffff;

/// All that forwarding to a real server takes, in half a cache line.
struct alignas(32) RealEntry {
  net::LinkAddresses link;  ///< From the port that leads to it, to the next hop.
  net::PortId port = net::kNoPort;
  neigh::Reach reach = neigh::Reach::kNoRoute;
  /// Of that port, less what a tunnel adds; zero while there is no way to send through it.
  std::uint16_t mtu = 0;
  std::uint16_t generation = 0;  ///< Zero: no real server in this slot.
  bool failed = false;           ///< See LeavingServer.
  std::uint32_t until_s = 0;     ///< When its connections end; LeavingServer::kNoLimit usually.
  VipNumber vip = kNoVip;        ///< Of its service.
  friend bool operator==(const RealEntry&, const RealEntry&) = default;
};
static_assert(sizeof(RealEntry) == 32);

/// Which worker has the connections of a shard.
using ShardWorkers = std::array<std::uint8_t, net::kShards>;

class Snapshot {
 public:
  const PortInfo& port(net::PortId id) const { return ports_[id]; }
  std::size_t port_count() const { return ports_.size(); }
  const neigh::NextHops& next_hops() const { return *next_hops_; }
  /// Changes whenever next hops do; never zero.
  std::uint32_t hop_epoch() const { return hop_epoch_; }
  /// Whether the node is a router for the family.
  bool ip_forward(net::Family family = net::Family::kV4) const {
    return family == net::Family::kV6 ? ip6_forward_ : ip_forward_;
  }
  std::uint8_t worker_of(std::uint8_t shard) const { return shard_workers_[shard]; }
  /// Bits of the client's address that its shard follows from: when a service of the family
  /// remembers or counts for clients, all that it takes for one have to be with one worker. Zero:
  /// from address and port, which spreads better.
  template <typename F>
  unsigned shard_bits() const {
    return F::kFamily == net::Family::kV4 ? shard_bits4_ : shard_bits6_;
  }

  const Vip& vip(VipNumber number) const { return lookup_->vips[number]; }
  /// nullptr: not a VIP.
  const Vip* find_vip(const net::IpAddr& address) const;
  /// Whether it is an address that FULLNAT comes from.
  template <typename F>
  bool is_local(const typename F::Address& address) const {
    return lookup_->has_locals && local_view<F>().find(local_key<F>(address)) != nullptr;
  }
  /// Lease of the virtual MAC `mac` on this port; kNeverOurs when no VIP there is answered with it.
  LeaseSlot lease_of(net::PortId port, const net::Mac& mac) const;

  template <typename F>
  typename ServiceIndex<F>::View service_view() const {
    if constexpr (F::kFamily == net::Family::kV4) return lookup_->v4.view();
    if constexpr (F::kFamily == net::Family::kV6) return lookup_->v6.view();
  }
  /// nullptr: there is none.
  template <typename F>
  const typename ServiceIndex<F>::Entry* find_service(const typename F::Address& address,
                                                      net::be16 port,
                                                      net::Protocol protocol) const {
    return service_view<F>().find(address, port, protocol);
  }
  /// nullptr: no such service.
  const Service* service(ServiceSlot slot) const {
    return slot < services_.size() ? services_[slot].get() : nullptr;
  }
  /// nullptr: the slot is empty or belongs to another generation.
  const RealEntry* real(RealSlot slot, std::uint16_t generation) const {
    const RealEntry* entry = reals_.find(slot);
    return entry != nullptr && entry->generation == generation ? entry : nullptr;
  }
  /// nullptr: packets to this real server are not tunnelled (any more).
  const TunnelHeader* tunnel(RealSlot slot) const {
    const TunnelHeader* header = tunnels_.find(slot);
    return header != nullptr && header->length != 0 ? header : nullptr;
  }
  const NatOrigins& nat_origins() const { return nat_origins_; }
  /// Whether the node itself may speak as this address, a VIP included.
  bool is_own(const net::IpAddr& address) const {
    return std::binary_search(own_->begin(), own_->end(), address);
  }
  bool has_bfd() const { return !bfd_neighbours_.empty(); }
  bool is_bfd_neighbour(const BfdNeighbour& neighbour) const {
    return std::binary_search(bfd_neighbours_.begin(), bfd_neighbours_.end(), neighbour);
  }

 private:
  friend class SnapshotBuilder;
  Snapshot() = default;

  template <typename F>
  static ServiceKey<F> local_key(const typename F::Address& address) {
    return {address, net::be16(0), net::Protocol::kTcp};
  }
  template <typename F>
  typename ServiceIndex<F>::View local_view() const {
    if constexpr (F::kFamily == net::Family::kV4) return lookup_->locals4.view();
    if constexpr (F::kFamily == net::Family::kV6) return lookup_->locals6.view();
  }

  struct VirtualMac {
    net::Mac mac;
    net::PortId port;
    LeaseSlot lease;
  };
  /// What depends on the set of VIPs and services, not on their real servers.
  struct Lookup {
    std::vector<Vip> vips;
    std::vector<VirtualMac> virtual_macs;  // one per MAC and port
    std::map<net::IpAddr, VipNumber> vip_by_address;
    ServiceIndex<net::V4> v4;
    ServiceIndex<net::V6> v6;
    // Of the VIPs that FULLNAT comes from.
    bool has_locals = false;
    ServiceIndex<net::V4> locals4;
    ServiceIndex<net::V6> locals6;
    // The fewest client_bits() of a service.
    std::uint8_t client_bits4 = 0;
    std::uint8_t client_bits6 = 0;
  };

  std::vector<PortInfo> ports_;
  std::shared_ptr<const neigh::NextHops> next_hops_;
  std::uint32_t hop_epoch_ = 0;
  bool ip_forward_ = false;
  bool ip6_forward_ = false;
  ShardWorkers shard_workers_{};
  std::uint8_t shard_bits4_ = 0;
  std::uint8_t shard_bits6_ = 0;
  std::shared_ptr<const Lookup> lookup_;
  std::vector<std::shared_ptr<const Service>> services_;  // by slot
  PagedArray<RealEntry> reals_;
  PagedArray<TunnelHeader> tunnels_;
  NatOrigins nat_origins_;
  std::shared_ptr<const std::vector<net::IpAddr>> own_;  // in order
  std::vector<BfdNeighbour> bfd_neighbours_;             // in order
};

}  // namespace keepline::lb
