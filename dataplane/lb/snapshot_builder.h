// Makes snapshots, one after the other, each sharing with the one before what did not change.
//
// PURE; one object, used by one thread (the builder's). Setters compare with what is there, so
// setting everything again costs comparisons only.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "dataplane/lb/snapshot.h"

namespace keepline::lb {

class SnapshotBuilder {
 public:
  SnapshotBuilder();

  void set_ports(std::vector<PortInfo> ports);
  void set_vips(std::vector<Vip> vips);
  /// See Snapshot::is_own.
  void set_own(std::vector<net::IpAddr> addresses);
  /// See Snapshot::is_bfd_neighbour.
  void set_bfd_neighbours(std::vector<BfdNeighbour> neighbours);
  /// Taken for changed when it is another object.
  void set_next_hops(std::shared_ptr<const neigh::NextHops> next_hops);
  void set_ip_forward(bool v4, bool v6 = false) {
    now_.ip_forward_ = v4;
    now_.ip6_forward_ = v6;
  }
  void set_shard_workers(const ShardWorkers& workers) { now_.shard_workers_ = workers; }
  /// Adds or replaces the service of its slot (below kMaxServices). Real slots (below
  /// kMaxRealServers) belong to one service at a time.
  void set_service(std::shared_ptr<const Service> service);
  void remove_service(ServiceSlot slot);

  std::unique_ptr<const Snapshot> build();

 private:
  void build_lookup();
  RealEntry entry_of(const Service& service, const RealServer& real);
  void add_tunnel(const Service& service, const RealServer& real, RealEntry& entry);
  void write_reals(const Service& service);
  void clear_reals(const Service& service, const Service* successor);
  void write(RealSlot slot, const RealEntry& entry);

  Snapshot now_;
  std::vector<Vip> vips_;
  std::set<ServiceSlot> changed_;  // whose real servers are to be written
  bool lookup_changed_ = true;     // VIPs or the set of services
  bool hops_changed_ = true;       // ports, VIPs or next hops: all real servers are to be written
};

}  // namespace keepline::lb
