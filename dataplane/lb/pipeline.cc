#include "dataplane/lb/pipeline.h"

#include "dataplane/lb/forward/rewrite.h"
#include "dataplane/lb/icmp/echo.h"
#include "dataplane/neigh/arp.h"
#include "dataplane/net/flow.h"

namespace keepline::lb {

using net::Drop;
using net::Kind;
using net::Packet;
using net::Parsed;

struct Pipeline::Turn {
  const Snapshot& snapshot;
  const LeaseView& leases;
  net::PortId port;
  std::uint32_t now_s;
  BurstResult& result;
};

Pipeline::Pipeline(const PipelineConfig& config, std::uint32_t now_s)
    : table_(config.connections, now_s),
      timeouts_(config.timeouts),
      hash_key_(config.hash_key),
      worker_(config.worker),
      real_counters_(std::make_unique<RealCounters[]>(kMaxRealServers)),
      scheduler_state_(std::make_unique<SchedulerState[]>(kMaxServices)) {}

void Pipeline::process(const Snapshot& snapshot, const LeaseView& leases, net::PortId port,
                       std::span<const Packet> packets, std::uint32_t now_s, BurstResult& result) {
  std::array<Parsed, net::kBurstSize> parsed;
  std::array<const Service*, net::kBurstSize> services{};
  std::array<std::uint64_t, net::kBurstSize> hashes{};
  const Turn turn{snapshot, leases, port, now_s, result};
  result.neighbour_count = 0;
  counters_.packets.add(packets.size());

  for (std::size_t i = 0; i < packets.size(); ++i) parsed[i] = net::parse(packets[i]);
  // Hash and prefetch the whole burst before the first look-up waits for memory.
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const Parsed& p = parsed[i];
    if (p.kind != Kind::kFlow) continue;
    services[i] = snapshot.find_service(p.destination, p.destination_port, p.protocol);
    const bool from_client = services[i] != nullptr;
    hashes[i] = net::client_hash(from_client ? p.source : p.destination,
                                 from_client ? p.source_port : p.destination_port,
                                 static_cast<std::uint8_t>(p.protocol), hash_key_);
    table_.prefetch(hashes[i]);
  }
  for (std::size_t i = 0; i < packets.size(); ++i) {
    result.verdicts[i] = handle(turn, packets[i], parsed[i], hashes[i], services[i]);
  }
}

Verdict Pipeline::drop(Drop reason) {
  counters_.drop(reason);
  return {};
}

Verdict Pipeline::handle(const Turn& turn, const Packet& packet, Parsed& parsed, std::uint64_t hash,
                         const Service* service) {
  switch (parsed.kind) {
    case Kind::kDropped:
      return drop(parsed.drop);
    case Kind::kArp:
      return answer_arp(turn, packet, parsed);
    case Kind::kVrrp:
      counters_.adverts.add();
      return {Action::kToControl, turn.port};
    case Kind::kOther:
      return drop(Drop::kUnknown);
    case Kind::kFragment:
    case Kind::kIcmpEcho:
    case Kind::kFlow:
      break;
  }
  const net::Mac& destination = packet.at<net::EthernetHeader>(0)->destination;
  if (destination != turn.snapshot.port(turn.port).mac) {
    // A virtual MAC: a backup sees such frames when a switch floods them.
    const Vip* vip = turn.snapshot.find_vip(turn.port, destination);
    if (vip == nullptr) return drop(Drop::kNotForUs);
    if (!turn.leases.holds(vip->lease)) return drop(Drop::kNotMaster);
  }
  if (parsed.kind == Kind::kFragment) return drop(Drop::kFragment);
  if (parsed.kind == Kind::kIcmpEcho) return answer_echo(turn, packet, parsed);
  const std::uint8_t worker = turn.snapshot.worker_of(net::shard_of(hash));
  if (worker != worker_) return {Action::kHandOff, turn.port, worker};
  if (service != nullptr) return to_service(turn, packet, parsed, hash, *service);
  return from_real(turn, packet, parsed, hash);
}

Verdict Pipeline::answer_arp(const Turn& turn, const Packet& packet, const Parsed& parsed) {
  const auto* arp = packet.at<net::ArpHeader>(parsed.l3);
  if (arp->operation.value() != net::kArpRequest || arp->sender_mac.is_multicast()) {
    return drop(Drop::kBadArp);
  }
  // A gratuitous ARP is no question.
  if (arp->sender_ip == arp->target_ip) return drop(Drop::kUnknown);
  const Vip* vip = turn.snapshot.find_vip(arp->target_ip);
  if (vip == nullptr || !vip->answer || vip->port != turn.port) return drop(Drop::kUnknown);
  if (!turn.leases.answers(vip->lease)) return drop(Drop::kNotMaster);
  // A sender of 0.0.0.0 probes for conflicts (RFC 5227 §2.1.1): answered, but nobody to remember.
  if (const net::Ip4 sender(arp->sender_ip); !sender.is_zero()) {
    turn.result.neighbours[turn.result.neighbour_count++] = {sender, arp->sender_mac, turn.port};
  }
  neigh::make_arp_reply(packet, vip->mac);
  counters_.arp_replies.add();
  return {Action::kTransmit, turn.port};
}

Verdict Pipeline::answer_echo(const Turn& turn, const Packet& packet, const Parsed& parsed) {
  const Vip* vip = turn.snapshot.find_vip(parsed.destination);
  if (vip == nullptr || !vip->answer) return drop(Drop::kUnknown);
  if (!turn.leases.holds(vip->lease)) return drop(Drop::kNotMaster);
  // A virtual MAC belongs to its own link only.
  const net::Mac& mac = vip->port == turn.port ? vip->mac : turn.snapshot.port(turn.port).mac;
  if (make_echo_reply(packet, parsed, mac) == Echo::kBadChecksum) return drop(Drop::kBadIcmp);
  counters_.echo_replies.add();
  return {Action::kTransmit, turn.port};
}

Verdict Pipeline::to_service(const Turn& turn, const Packet& packet, const Parsed& parsed,
                             std::uint64_t hash, const Service& service) {
  const Vip* vip = turn.snapshot.find_vip(parsed.destination);
  if (vip == nullptr || !turn.leases.holds(vip->lease)) return drop(Drop::kNotMaster);

  const FlowKey key{parsed.source, parsed.destination, parsed.source_port, parsed.destination_port,
                    parsed.protocol};
  Connection* connection = table_.find(hash, key, Direction::kForward);
  const RealServer* real = nullptr;
  const bool starts = parsed.protocol == net::Protocol::kUdp ||
                      (parsed.tcp_flags & (net::kTcpSyn | net::kTcpAck)) == net::kTcpSyn;
  if (connection != nullptr) {
    real = turn.snapshot.find_real(connection->real_slot, connection->real_generation);
    // A client that uses its port again, or whose server has left, gets a server anew.
    const bool over =
        connection->state == TcpState::kTimeWait || connection->state == TcpState::kClose;
    const bool reopens = over && parsed.protocol == net::Protocol::kTcp;
    if (starts && (real == nullptr || reopens)) {
      forget(*connection);
      table_.remove(*connection);
      connection = nullptr;
    } else if (real == nullptr) {
      return drop(Drop::kServerGone);
    }
  }
  if (connection == nullptr) {
    if (!starts) return drop(Drop::kNoConnection);
    Drop reason = Drop::kNone;
    connection = connect(turn, packet, parsed, hash, service, reason);
    if (connection == nullptr) return drop(reason);
    real = turn.snapshot.find_real(connection->real_slot, connection->real_generation);
  }

  // The connection is settled; from here on only the way out can fail.
  connection->client_hop_port = turn.port;
  connection->client_hop_mac = packet.at<net::EthernetHeader>(0)->source;
  const bool one_sided = connection->method == Method::kDirectRouting;
  track(*connection, parsed, one_sided ? Sender::kClientOnly : Sender::kClient, turn.now_s);
  RealCounters* counters = counters_of(*connection);
  counters->packets_in.add();
  counters->bytes_in.add(parsed.l3_length);

  const neigh::NextHop hop = turn.snapshot.next_hops().resolve(real->endpoint.address);
  if (hop.reach == neigh::Reach::kNoRoute) return drop(Drop::kNoRoute);
  if (hop.reach == neigh::Reach::kNoNeighbour) return drop(Drop::kNoNeighbour);
  if (!one_sided) nat_to_real(packet, parsed, *connection);
  return send(turn, packet, parsed, hop.port, hop.mac, nullptr);
}

Connection* Pipeline::connect(const Turn& turn, const Packet& packet, const Parsed& parsed,
                              std::uint64_t hash, const Service& service, Drop& reason) {
  const RealServer* real = choose(service, scheduler_state_[service.slot]);
  if (real == nullptr) {
    reason = Drop::kNoRealServer;
    return nullptr;
  }
  // An answer tells client and real server, not the VIP: of two connections between the same ends
  // (one server behind two services) only the newer one can be served.
  const FlowKey answer{real->endpoint.address.be(), parsed.source, net::be16(real->endpoint.port),
                       parsed.source_port, parsed.protocol};
  if (Connection* older = table_.find(hash, answer, Direction::kReverse); older != nullptr) {
    forget(*older);
    table_.remove(*older);
  }
  const bool tcp = parsed.protocol == net::Protocol::kTcp;
  const TcpState state = tcp ? TcpState::kNone : TcpState::kUdp;
  Connection* connection = table_.insert(hash, turn.now_s + timeouts_.of(state));
  if (connection == nullptr) {
    reason = Drop::kTableFull;
    return nullptr;
  }
  connection->client = parsed.source;
  connection->client_port = parsed.source_port;
  connection->vip = parsed.destination;
  connection->vip_port = parsed.destination_port;
  connection->real = real->endpoint.address.be();
  connection->real_port = net::be16(real->endpoint.port);
  connection->protocol = parsed.protocol;
  connection->state = state;
  connection->method = real->method;
  connection->real_slot = real->slot;
  connection->real_generation = real->generation;
  connection->client_hop_mac = packet.at<net::EthernetHeader>(0)->source;

  RealCounters& counters = real_counters_[real->slot];
  if (counters.generation.get() != real->generation) {
    counters.generation.set(real->generation);
    for (Counter* counter :
         {&counters.active, &counters.inactive, &counters.connections, &counters.packets_in,
          &counters.bytes_in, &counters.packets_out, &counters.bytes_out}) {
      counter->set(0);
    }
  }
  counters.inactive.add();
  counters.connections.add();
  counters_.created.add();
  counters_.connections.set(table_.size());
  return connection;
}

Verdict Pipeline::from_real(const Turn& turn, const Packet& packet, const Parsed& parsed,
                            std::uint64_t hash) {
  const FlowKey key{parsed.source, parsed.destination, parsed.source_port, parsed.destination_port,
                    parsed.protocol};
  Connection* connection = table_.find(hash, key, Direction::kReverse);
  if (connection == nullptr || connection->method != Method::kNat) {
    return route(turn, packet, parsed);
  }
  const Vip* vip = turn.snapshot.find_vip(connection->vip);
  if (vip == nullptr || !turn.leases.holds(vip->lease)) return drop(Drop::kNotMaster);
  connection->replied = true;
  track(*connection, parsed, Sender::kServer, turn.now_s);
  RealCounters* counters = counters_of(*connection);
  counters->packets_out.add();
  counters->bytes_out.add(parsed.l3_length);

  neigh::NextHop hop = turn.snapshot.next_hops().resolve(net::Ip4(parsed.destination));
  if (hop.reach != neigh::Reach::kFound) {
    hop.port = connection->client_hop_port;
    hop.mac = connection->client_hop_mac;
  }
  nat_to_client(packet, parsed, *connection);
  return send(turn, packet, parsed, hop.port, hop.mac, hop.port == vip->port ? &vip->mac : nullptr);
}

// Steered here because it comes from a real server's port, but it belongs to no connection:
// ordinary traffic of that server, which this node routes if it is a router.
Verdict Pipeline::route(const Turn& turn, const Packet& packet, const Parsed& parsed) {
  if (!turn.snapshot.ip_forward()) return drop(Drop::kNoConnection);
  const neigh::NextHop hop = turn.snapshot.next_hops().resolve(net::Ip4(parsed.destination));
  if (hop.reach == neigh::Reach::kNoRoute) return drop(Drop::kNoRoute);
  if (hop.reach == neigh::Reach::kNoNeighbour) return drop(Drop::kNoNeighbour);
  return send(turn, packet, parsed, hop.port, hop.mac, nullptr);
}

void Pipeline::track(Connection& connection, const Parsed& parsed, Sender sender,
                     std::uint32_t now_s) {
  if (connection.protocol == net::Protocol::kTcp) {
    const bool was_active = connection.is_active();
    connection.state = next_state(connection.state, parsed.tcp_flags, sender);
    if (connection.is_active() != was_active) {
      RealCounters* counters = counters_of(connection);
      (was_active ? counters->active : counters->inactive).subtract();
      (was_active ? counters->inactive : counters->active).add();
    }
  }
  table_.set_expiry(connection, now_s + timeouts_.of(connection.state));
}

Verdict Pipeline::send(const Turn& turn, const Packet& packet, const Parsed& parsed,
                       net::PortId port, const net::Mac& destination, const net::Mac* source) {
  if (port >= turn.snapshot.port_count()) return drop(Drop::kNoRoute);
  if (packet.at<net::Ipv4Header>(parsed.l3)->ttl <= 1) return drop(Drop::kTtlExpired);
  if (parsed.l3_length > turn.snapshot.port(port).mtu) return drop(Drop::kTooBig);
  decrement_ttl(packet, parsed);
  set_link_header(packet, destination, source != nullptr ? *source : turn.snapshot.port(port).mac);
  return {Action::kTransmit, port};
}

void Pipeline::expire(std::uint32_t now_s, std::size_t limit) {
  table_.expire(now_s, limit, [this](Connection& connection) {
    counters_.expired.add();
    forget(connection);
  });
  counters_.connections.set(table_.size());
}

void Pipeline::forget(Connection& connection) {
  RealCounters* counters = counters_of(connection);
  (connection.is_active() ? counters->active : counters->inactive).subtract();
}

RealCounters* Pipeline::counters_of(const Connection& connection) {
  // A connection of an earlier generation of the slot must not disturb its successor's figures.
  RealCounters& counters = real_counters_[connection.real_slot];
  return counters.generation.get() == connection.real_generation ? &counters : &nobody_;
}

}  // namespace keepline::lb
