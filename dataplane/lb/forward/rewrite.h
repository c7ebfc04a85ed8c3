// Rewriting frames on their way through: NAT in both directions, direct routing, plain routing.
//
// PURE; called by workers on frames that parse() accepted. Checksums are updated incrementally
// (RFC 1624) with deltas that were computed once per connection, so that a payload damaged before
// it came to us is still seen as damaged by the receiver. Every function also takes one from TTL
// or hop limit (RFC 1812 §5.3.1); the caller has checked that it is above 1.
#pragma once

#include <cstring>

#include "dataplane/lb/conn/connection.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/crc32c.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

namespace detail {

// TTL is the low byte of its 16-bit word as it lies in memory: one less is adding 0xfffe (minus
// one in ones' complement).
inline constexpr std::uint16_t kTtlDelta = 0xfffe;
inline constexpr std::uint16_t kTwoHops = 0xfffd;

[[gnu::always_inline]] inline void touch_ip(net::Ipv4Header& ip, std::uint16_t delta) {
  --ip.ttl;
  net::ChecksumDelta::apply_delta(ip.checksum, delta);
}
[[gnu::always_inline]] inline void touch_ip(net::Ipv6Header& ip, std::uint16_t) {
  --ip.hop_limit;
}

// SCTP's checksum is about its packet alone, so that addresses do not matter. Not inlined: the way
// of other protocols stays short.
[[gnu::noinline]] inline void update_sctp(const net::Packet& packet, const net::Parsed& parsed) {
  auto* header = packet.at<net::SctpHeader>(parsed.l4);
  std::uint32_t before = 0;
  std::uint32_t after = 0;
  static_assert(sizeof parsed.ports == sizeof before);
  std::memcpy(&before, &parsed.ports, sizeof before);
  std::memcpy(&after, header, sizeof after);
  const auto length = static_cast<std::size_t>(parsed.l3 + parsed.l3_length - parsed.l4);
  std::uint32_t checksum = 0;
  std::memcpy(&checksum, header->checksum, sizeof checksum);
  checksum ^= net::crc32c_change(before ^ after, length);
  std::memcpy(header->checksum, &checksum, sizeof checksum);
}

// A UDP checksum of zero means "none" in IPv4: it stays none, and a computed zero is sent as
// 0xffff (RFC 768).
[[gnu::always_inline]] inline void update_transport(const net::Packet& packet,
                                                    const net::Parsed& parsed,
                                                    std::uint16_t delta) {
  if (parsed.protocol == net::Protocol::kTcp) {
    net::ChecksumDelta::apply_delta(packet.at<net::TcpHeader>(parsed.l4)->checksum, delta);
    return;
  }
  if (parsed.protocol == net::Protocol::kSctp) [[unlikely]]
    return update_sctp(packet, parsed);
  net::be16& field = packet.at<net::UdpHeader>(parsed.l4)->checksum;
  if (field.raw() == 0) return;
  net::ChecksumDelta::apply_delta(field, delta);
  if (field.raw() == 0) field.set(0xffff);
}

inline std::uint16_t complement(std::uint16_t delta) {
  return static_cast<std::uint16_t>(~delta);
}

}  // namespace detail

/// Remaining hops of the packet.
template <typename F>
std::uint8_t hops_left(const net::Packet& packet, const net::Parsed& parsed) {
  if constexpr (F::kFamily == net::Family::kV4) return parsed.ip<F>(packet)->ttl;
  if constexpr (F::kFamily == net::Family::kV6) return parsed.ip<F>(packet)->hop_limit;
}

/// What replacing VIP:port by real:port and client:port by local:port changes; kept in the
/// connection.
template <typename F>
void set_deltas(Connection<F>& connection) {
  net::ChecksumDelta delta;
  delta.replace(connection.vip, connection.real);
  delta.replace(connection.client, connection.local);
  connection.ip_delta = net::ChecksumDelta::sum(delta.folded(), detail::kTtlDelta);
  delta.replace(connection.vip_port, connection.real_port);
  delta.replace(connection.client_port, connection.local_port);
  connection.transport_delta = delta.folded();
}

/// The change of the IP header's checksum on the way back.
template <typename F>
std::uint16_t ip_delta_back(const Connection<F>& connection) {
  return net::ChecksumDelta::sum(detail::complement(connection.ip_delta), detail::kTwoHops);
}

/// Client -> real server: destination VIP:port becomes real:port, source client:port local:port.
/// Without FULLNAT the latter are the same: asking costs less than an IPv6 address written twice.
template <typename F>
[[gnu::always_inline]] inline void nat_to_real(const net::Packet& packet, const net::Parsed& parsed,
                                               const Connection<F>& connection) {
  auto* ip = packet.at<typename F::Header>(parsed.l3);
  if (connection.method == Method::kFullNat) ip->source = connection.local;
  ip->destination = connection.real;
  // Every protocol has its ports in the same place, so one view serves all.
  auto* ports = packet.at<net::UdpHeader>(parsed.l4);
  ports->source_port = connection.local_port;
  ports->destination_port = connection.real_port;
  detail::touch_ip(*ip, connection.ip_delta);
  detail::update_transport(packet, parsed, connection.transport_delta);
}

/// Real server -> client: source real:port becomes VIP:port, destination local:port client:port.
template <typename F>
[[gnu::always_inline]] inline void nat_to_client(const net::Packet& packet,
                                                 const net::Parsed& parsed,
                                                 const Connection<F>& connection) {
  auto* ip = packet.at<typename F::Header>(parsed.l3);
  ip->source = connection.vip;
  if (connection.method == Method::kFullNat) ip->destination = connection.client;
  auto* ports = packet.at<net::UdpHeader>(parsed.l4);
  ports->source_port = connection.vip_port;
  ports->destination_port = connection.client_port;
  detail::touch_ip(*ip, ip_delta_back(connection));
  detail::update_transport(packet, parsed, detail::complement(connection.transport_delta));
}

/// The same for a fragment without a transport header.
template <typename F>
void nat_fragment_to_real(const net::Packet& packet, const net::Parsed& parsed,
                          const Connection<F>& connection) {
  auto* ip = packet.at<typename F::Header>(parsed.l3);
  ip->source = connection.local;
  ip->destination = connection.real;
  detail::touch_ip(*ip, connection.ip_delta);
}
template <typename F>
void nat_fragment_to_client(const net::Packet& packet, const net::Parsed& parsed,
                            const Connection<F>& connection) {
  auto* ip = packet.at<typename F::Header>(parsed.l3);
  ip->source = connection.vip;
  ip->destination = connection.client;
  detail::touch_ip(*ip, ip_delta_back(connection));
}

/// Direct routing and plain routing: only a hop less.
template <typename F>
[[gnu::always_inline]] inline void pass_on(const net::Packet& packet, const net::Parsed& parsed) {
  detail::touch_ip(*packet.at<typename F::Header>(parsed.l3), detail::kTtlDelta);
}

/// Addresses the frame for its next link.
inline void set_link_header(const net::Packet& packet, const net::LinkAddresses& link) {
  std::memcpy(packet.data, &link, sizeof link);
}

}  // namespace keepline::lb
