// The stage of the golden tests: the real pipeline between in-memory ports.
//
// World is what the kernel and the configuration would say; a test may change it and publish()
// again. turn() is one round of a worker. counters() and connections() are texts, so that a test
// says everything that it expects at once and anything more is a failure.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/lb/pipeline.h"
#include "dataplane/lb/snapshot_builder.h"
#include "dataplane/port/memory_port.h"
#include "tests/golden/frames.h"

namespace keepline::testing {

inline constexpr net::PortId kOutside = 0;
inline constexpr net::PortId kInside = 1;
inline constexpr lb::LeaseSlot kLease = 7;

/// A client on the outside link and one behind the router; two servers inside.
struct Names {
  net::Mac outside_mac = mac("02:00:00:00:00:01");
  net::Mac inside_mac = mac("02:00:00:00:00:02");
  net::Mac virtual_mac = mac("00:00:5e:00:01:33");
  net::Mac client_mac = mac("02:00:00:00:0c:07");
  net::Mac router_mac = mac("02:00:00:00:0c:01");
  net::Mac server1_mac = mac("02:00:00:00:0a:02");
  net::Mac server2_mac = mac("02:00:00:00:0a:03");
  net::Ip4 vip = ip("192.0.2.100");
  net::Ip4 client = ip("192.0.2.7");
  net::Ip4 far_client = ip("203.0.113.9");
  net::Ip4 inside = ip("10.0.0.5");
  net::IpAddr inside6 = net::parse_ip("fd00::5").value();
  net::Ip4 server1 = ip("10.0.0.2");
  net::Ip4 server2 = ip("10.0.0.3");
  net::IpAddr vip6 = net::parse_ip("2001:db8::100").value();
  net::IpAddr client6 = net::parse_ip("2001:db8::7").value();
  net::IpAddr server6 = net::parse_ip("fd00::2").value();
  net::IpAddr other_server6 = net::parse_ip("fd00::3").value();
};
inline const Names kNames;

struct World {
  std::vector<lb::PortInfo> ports;
  std::vector<lb::Vip> vips;
  std::vector<lb::Service> services;
  std::vector<neigh::Route> routes;
  std::vector<neigh::Neighbour> neighbours;
  std::vector<net::IpAddr> own;  ///< Addresses of the node itself.
  std::vector<lb::BfdNeighbour> bfd_neighbours;
  bool ip_forward = false;
  std::array<std::uint8_t, net::kShards> shard_workers{};  ///< The stage's pipeline is worker 0's.
};

/// `world` as the planner would publish it.
std::unique_ptr<const lb::Snapshot> snapshot_of(const World& world);
/// The same as the next one of a builder that has made others: what changed is told apart.
std::unique_ptr<const lb::Snapshot> snapshot_of(const World& world, lb::SnapshotBuilder& builder);

inline lb::RealServer real_server(lb::RealSlot slot, net::Endpoint at,
                                  lb::Method method = lb::Method::kNat, std::uint32_t weight = 1) {
  lb::RealServer real;
  real.slot = slot;
  real.generation = 1;
  real.method = method;
  real.endpoint = at;
  real.weight = weight;
  return real;
}

inline lb::Service service(lb::ServiceSlot slot, net::Endpoint vip, net::Protocol protocol,
                           std::vector<lb::RealServer> pool) {
  lb::Service result;
  result.slot = slot;
  result.vip = vip;
  result.protocol = protocol;
  result.pool = std::move(pool);
  result.seal();
  result.build_ring();
  return result;
}

/// TCP 80 by NAT to both servers' 8080, UDP 53 by NAT to server1's 5353, TCP 443 by direct routing
/// to server2.
inline World usual_world() {
  World world;
  world.ports.resize(2);
  world.ports[kOutside].mac = kNames.outside_mac;
  world.ports[kOutside].source4 = ip("192.0.2.5");
  world.ports[kInside].mac = kNames.inside_mac;
  world.ports[kInside].source4 = kNames.inside;
  world.ports[kInside].source6 = kNames.inside6.v6();
  world.vips = {{kNames.vip, kOutside, kLease, kNames.virtual_mac, true}};
  world.services = {
      service(0, {kNames.vip, 80}, net::Protocol::kTcp,
              {real_server(1, {kNames.server1, 8080}), real_server(2, {kNames.server2, 8080})}),
      service(1, {kNames.vip, 53}, net::Protocol::kUdp, {real_server(3, {kNames.server1, 5353})}),
      service(2, {kNames.vip, 443}, net::Protocol::kTcp,
              {real_server(4, {kNames.server2, 443}, lb::Method::kDirectRouting)})};
  world.routes = {{{ip("192.0.2.0"), 24}, kOutside, {}, 0},
                  {{ip("10.0.0.0"), 24}, kInside, {}, 0},
                  {{ip("0.0.0.0"), 0}, kOutside, ip("192.0.2.1"), 0}};
  world.neighbours = {{kNames.client, kOutside, kNames.client_mac},
                      {ip("192.0.2.1"), kOutside, kNames.router_mac},
                      {kNames.server1, kInside, kNames.server1_mac},
                      {kNames.server2, kInside, kNames.server2_mac}};
  return world;
}

class Stage {
 public:
  static constexpr std::uint32_t kStart_s = 1000;

  explicit Stage(std::size_t capacity = 1000, unsigned half_open_percent = 100);

  World world = usual_world();
  std::uint32_t now_s = kStart_s;

  /// Makes `world` what the pipeline sees from now on.
  void publish();
  void make_master() { leases_.grant(kLease, 0, 1'000'000); }
  void take_over() {
    revoke();
    leases_.grant(kLease, now_s, 1'000'000);
  }
  void revoke() { leases_.revoke(kLease); }
  void mute() { leases_.mute(kLease); }

  /// One frame in, one turn. Returns what was sent, of all ports; there is at most one.
  std::vector<FrameBytes> put(net::PortId port, FrameBytes frame);
  /// The same, without what is sent back where the frame came from: ICMP errors about it (see
  /// icmp_error_test.cc).
  std::vector<FrameBytes> refused(net::PortId port, FrameBytes frame);
  void arrive(net::PortId port, FrameBytes frame) { ports_[port].arrive(std::move(frame)); }
  void turn();
  std::vector<FrameBytes> take_sent(net::PortId port) { return ports_[port].take_sent(); }
  void expire(std::size_t limit = 1000) { pipeline_->expire(now_s, limit); }

  /// Everything that is not zero and was counted since the last call, such as
  /// "packets=1 arp_replies=1"; drops by their names. `connections` is a gauge and always as it is.
  std::string counters();
  /// Figures of a real server: "active=0 inactive=1 connections=1 in=1/40 out=0/0".
  std::string real(lb::RealSlot slot) const;
  /// The table, a line each: "TCP 192.0.2.7:5000 192.0.2.100:80 10.0.0.2:8080 SYN_RECV 60s".
  std::string connections() const;
  /// Senders of ARP requests that were reported, "192.0.2.7@02:..:07%0".
  const std::string& neighbours() const { return neighbours_; }
  /// How many frames were handed to control.
  std::size_t to_control() const { return to_control_; }
  /// The workers that frames were handed over to, such as "3 3".
  const std::string& handed_off() const { return handed_off_; }

 private:
  void carry_out(const lb::Burst& burst);

  std::array<port::MemoryPort, 3> ports_;
  lb::LeaseTable leases_{1};  // its ticks are seconds
  std::unique_ptr<lb::Pipeline> pipeline_;
  lb::SnapshotBuilder builder_;
  std::unique_ptr<const lb::Snapshot> snapshot_;
  std::array<lb::Burst, 3> bursts_;  // of the ports
  std::vector<std::uint64_t> counted_;
  std::string neighbours_;
  std::size_t to_control_ = 0;
  std::string handed_off_;
};

/// A segment from the client on the outside link to the VIP, as it arrives.
inline Datagram from_client(std::uint16_t client_port = 5000, std::uint8_t flags = net::kTcpSyn,
                            std::uint16_t vip_port = 80) {
  Datagram d;
  d.to = kNames.virtual_mac;
  d.from = kNames.client_mac;
  d.source = {kNames.client, client_port};
  d.destination = {kNames.vip, vip_port};
  d.flags = flags;
  return d;
}

/// The same as it has to leave towards server1's 8080.
inline Datagram to_server(Datagram d, net::Endpoint real = {kNames.server1, 8080},
                          const net::Mac& to = kNames.server1_mac) {
  d.to = to;
  d.from = kNames.inside_mac;
  d.destination = real;
  --d.ttl;
  return d;
}

/// server1's answer as it arrives.
inline Datagram from_server(std::uint16_t client_port, std::uint8_t flags,
                            net::Endpoint real = {kNames.server1, 8080}) {
  Datagram d;
  d.to = kNames.inside_mac;
  d.from = kNames.server1_mac;
  d.source = real;
  d.destination = {kNames.client, client_port};
  d.flags = flags;
  return d;
}

/// The same as it has to leave towards the client on the outside link.
inline Datagram to_client(Datagram d, std::uint16_t vip_port = 80) {
  d.to = kNames.client_mac;
  d.from = kNames.virtual_mac;
  d.source = {kNames.vip, vip_port};
  --d.ttl;
  return d;
}

/// All frames as text, for one comparison: one a line.
std::string text(const std::vector<FrameBytes>& frames);
inline std::string text(const FrameBytes& frame) {
  return hex(frame) + '\n';
}
inline std::string text(const Datagram& d) {
  return text(bytes_of(d));
}
inline constexpr const char* kNothing = "";

}  // namespace keepline::testing
