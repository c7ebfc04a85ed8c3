// FlowPath's answer to `explain`: the same decisions as a packet meets, without their effects.
#include <algorithm>

#include "dataplane/lb/flow_path.h"

namespace keepline::lb {

using Outcome = Explanation::Outcome;

namespace {

Explanation::Hop hop_to(const Snapshot& snapshot, const net::IpAddr& address) {
  const neigh::NextHop hop = snapshot.next_hops().resolve(address);
  return {hop.reach, hop.port, hop.mac, hop.address};
}

void drop(Explanation& result, net::Drop reason) {
  result.outcome = Outcome::kDropped;
  result.drop = reason;
}

// A way out that does not exist turns any outcome into a drop.
void check_hop(Explanation& result) {
  if (result.next_hop.reach == neigh::Reach::kNoRoute) drop(result, net::Drop::kNoRoute);
  if (result.next_hop.reach == neigh::Reach::kNoNeighbour) drop(result, net::Drop::kNoNeighbour);
}

}  // namespace

template <typename F>
std::uint8_t FlowPath<F>::owner_of(const Snapshot& snapshot, const net::Endpoint& source,
                                   const net::Endpoint& destination, net::Protocol protocol) const {
  const bool to_service =
      snapshot.template find_service<F>(F::address_of(destination.address),
                                        net::be16(destination.port), protocol) != nullptr;
  const FlowKey<F> key{F::address_of(source.address), F::address_of(destination.address),
                       net::be16(source.port), net::be16(destination.port), protocol};
  return home_of(snapshot, key, to_service ? Direction::kForward : Direction::kReverse).worker;
}

template <typename F>
Explanation FlowPath<F>::explain(const Snapshot& snapshot, const LeaseView& leases,
                                 const net::Endpoint& source, const net::Endpoint& destination,
                                 net::Protocol protocol, std::uint32_t now_s) const {
  Explanation result;
  const FlowKey<F> key{F::address_of(source.address), F::address_of(destination.address),
                       net::be16(source.port), net::be16(destination.port), protocol};
  const ServiceEntry* service =
      snapshot.template find_service<F>(key.destination, key.destination_port, protocol);
  const auto [hash, worker] =
      home_of(snapshot, key, service != nullptr ? Direction::kForward : Direction::kReverse);
  result.shard = net::shard_of(hash);
  result.worker = worker;
  if (service != nullptr) {
    result.is_vip = result.has_service = true;
    result.service_slot = service->slot;
    result.lease_held = leases.holds(service->lease);
    if (!result.lease_held) {
      drop(result, net::Drop::kNotMaster);
    } else if (const Entry* connection = table_.find(hash, key, Direction::kForward)) {
      explain_connection(snapshot, *connection, now_s, result);
    } else {
      explain_new(snapshot, key, hash, now_s, result);
    }
    return result;
  }
  if (const Entry* connection = table_.find(hash, key, Direction::kReverse);
      connection != nullptr && translates(connection->method)) {
    const ServiceEntry* origin = snapshot.template find_service<F>(
        connection->vip, connection->vip_port, connection->protocol);
    result.has_service = result.is_vip = origin != nullptr;
    if (origin != nullptr) result.service_slot = origin->slot;
    result.lease_held = origin != nullptr && leases.holds(origin->lease);
    explain_connection(snapshot, *connection, now_s, result);
    result.outcome = Outcome::kReturnTraffic;
    result.next_hop = connection->hop_resolved || connection->client_hop_port == net::kNoPort
                          ? hop_to(snapshot, destination.address)
                          : Explanation::Hop{neigh::Reach::kFound, connection->client_hop_port,
                                             connection->client_hop_mac, destination.address};
    if (!result.lease_held) drop(result, net::Drop::kNotMaster);
    return result;
  }
  if (const Vip* vip = snapshot.find_vip(destination.address)) {
    result.is_vip = true;
    result.lease_held = leases.holds(vip->lease);
    if (!vip->accept && result.lease_held) drop(result, net::Drop::kNotAccepted);
  } else if (snapshot.nat_origins().only_service(source, protocol)) {
    result.outcome = Outcome::kRouted;
    result.next_hop = hop_to(snapshot, destination.address);
    check_hop(result);
    if (!snapshot.ip_forward()) drop(result, net::Drop::kNoConnection);
  }
  return result;
}

template <typename F>
void FlowPath<F>::explain_connection(const Snapshot& snapshot, const Entry& connection,
                                     std::uint32_t now_s, Explanation& result) const {
  result.outcome = Outcome::kConnection;
  result.has_server = true;
  result.server = {F::generic(connection.real), connection.real_port.value()};
  const Service* service = snapshot.service(result.service_slot);
  if (connection.method == Method::kTunnel && service != nullptr) {
    const auto found = std::ranges::find(service->pool, connection.real_slot, &RealServer::slot);
    if (found != service->pool.end()) result.server.address = found->endpoint.address;
  }
  result.method = connection.method;
  result.state = connection.state;
  result.remaining_s = connection.expires_s > now_s ? connection.expires_s - now_s : 0;
  result.next_hop = hop_to(snapshot, result.server.address);
  check_hop(result);
  const RealEntry* real = snapshot.real(connection.real_slot, connection.real_generation);
  if (real == nullptr || real->until_s <= now_s) drop(result, net::Drop::kServerGone);
}

template <typename F>
void FlowPath<F>::explain_new(const Snapshot& snapshot, const FlowKey<F>& key, std::uint64_t hash,
                              std::uint32_t now_s, Explanation& result) const {
  const Service& service = *snapshot.service(result.service_slot);
  if (!service.admits(F::generic(key.source))) return drop(result, net::Drop::kDenied);
  SchedulerState cursor = std::as_const(accounts_).scheduler(service.slot);  // a copy
  const bool full = table_.size() == table_.capacity();
  const NewFlow flow = new_flow(service, key.source, key.source_port, hash, now_s);
  const RealServer* chosen = service.persistence_s != 0 ? remembered(service, key.source) : nullptr;
  if (chosen == nullptr) {
    chosen = full || overloaded(now_s) ? choose_by_hash(service, flow)
                                       : choose(service, flow, accounts_.loads(), cursor);
  }
  if (chosen == nullptr) return drop(result, net::Drop::kNoRealServer);
  result.outcome = full ? Outcome::kStateless : Outcome::kNewConnection;
  result.has_server = true;
  result.server = chosen->endpoint;
  if (result.server.port == 0) result.server.port = key.destination_port.value();
  result.method = chosen->method;
  result.next_hop = hop_to(snapshot, chosen->endpoint.address);
  check_hop(result);
}

// The members of this file only; the rest of the class is instantiated where it is defined.
template std::uint8_t FlowPath<net::V4>::owner_of(const Snapshot&, const net::Endpoint&,
                                                  const net::Endpoint&, net::Protocol) const;
template std::uint8_t FlowPath<net::V6>::owner_of(const Snapshot&, const net::Endpoint&,
                                                  const net::Endpoint&, net::Protocol) const;
template Explanation FlowPath<net::V4>::explain(const Snapshot&, const LeaseView&,
                                                const net::Endpoint&, const net::Endpoint&,
                                                net::Protocol, std::uint32_t) const;
template Explanation FlowPath<net::V6>::explain(const Snapshot&, const LeaseView&,
                                                const net::Endpoint&, const net::Endpoint&,
                                                net::Protocol, std::uint32_t) const;

}  // namespace keepline::lb
