// All that a worker needs to know to forward: one immutable value, published by RCU.
//
// PURE. Built off the control thread; workers load the pointer once per burst. Services are
// shared between snapshots, so a verdict copies one service and the arrays of pointers.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "dataplane/lb/lease.h"
#include "dataplane/lb/service/service.h"
#include "dataplane/neigh/next_hops.h"
#include "dataplane/net/flow.h"

namespace keepline::lb {

/// What the pipeline knows of a port.
struct PortInfo {
  net::Mac mac;
  std::uint16_t mtu = 1500;  ///< Bytes of the longest IP packet.
  friend bool operator==(const PortInfo&, const PortInfo&) = default;
};

/// A virtual IP address.
struct Vip {
  net::Ip4 address;
  net::PortId port = net::kNoPort;
  LeaseSlot lease = kAlwaysOurs;
  net::Mac mac;         ///< That it is answered with: the port's, or a virtual MAC.
  bool answer = false;  ///< Whether ARP and ICMP echo are ours (keepline installed the address).
  friend bool operator==(const Vip&, const Vip&) = default;
};

class Snapshot {
 public:
  struct Parts {
    std::vector<PortInfo> ports;
    std::vector<Vip> vips;
    std::vector<std::shared_ptr<const Service>> services;
    std::shared_ptr<const neigh::NextHops> next_hops;
    bool ip_forward = false;  ///< net.ipv4.ip_forward: whether this node is a router.
    /// Which worker has the connections of a shard.
    std::array<std::uint8_t, net::kShards> shard_workers{};
  };
  explicit Snapshot(Parts parts);

  const PortInfo& port(net::PortId id) const { return parts_.ports[id]; }
  std::size_t port_count() const { return parts_.ports.size(); }
  const neigh::NextHops& next_hops() const { return *parts_.next_hops; }
  bool ip_forward() const { return parts_.ip_forward; }
  std::uint8_t worker_of(std::uint8_t shard) const { return parts_.shard_workers[shard]; }

  /// nullptr: not a VIP.
  const Vip* find_vip(net::be32 address) const;
  const Service* find_service(net::be32 address, net::be16 port, net::Protocol protocol) const;
  /// nullptr: the slot is empty or belongs to a later generation.
  const RealServer* find_real(RealSlot slot, std::uint16_t generation) const;
  /// A VIP on this port that is answered with `mac`; nullptr: none.
  const Vip* find_vip(net::PortId port, const net::Mac& mac) const;

  const std::vector<std::shared_ptr<const Service>>& services() const { return parts_.services; }

 private:
  Parts parts_;
  std::unordered_map<std::uint32_t, const Vip*> vip_by_address_;      // raw wire order
  std::unordered_map<std::uint64_t, const Service*> service_by_key_;  // see service_key()
  std::vector<const RealServer*> real_by_slot_;
};

}  // namespace keepline::lb
