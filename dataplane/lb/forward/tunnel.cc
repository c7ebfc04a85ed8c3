#include "dataplane/lb/forward/tunnel.h"

#include <cstddef>
#include <cstring>

#include "dataplane/lb/forward/tunnel_wire.h"
#include "dataplane/net/checksum.h"

namespace keepline::lb {

namespace {

// Source ports as Linux chooses them for tunnels.
constexpr std::uint16_t kFirstEphemeral = 32768;

std::size_t inner_length(const TunnelHeader& tunnel) {
  return tunnel.length - (tunnel.is_v6 ? sizeof(net::Ipv6Header) : sizeof(net::Ipv4Header));
}

template <typename Header>
void append(TunnelHeader& tunnel, const Header& header) {
  std::memcpy(tunnel.bytes.data() + tunnel.length, &header, sizeof header);
  tunnel.length = static_cast<std::uint8_t>(tunnel.length + sizeof header);
}

void append_ip(TunnelHeader& tunnel, const net::IpAddr& source, const net::IpAddr& server,
               std::uint8_t protocol) {
  if (server.is_v6()) {
    net::Ipv6Header ip{};
    ip.version_class_label.set(6u << 28);
    ip.next_header = protocol;
    ip.source = source.v6();
    ip.destination = server.v6();
    return append(tunnel, ip);
  }
  net::Ipv4Header ip{};
  ip.version_ihl = 0x45;
  ip.protocol = protocol;
  ip.source = source.v4().be();
  ip.destination = server.v4().be();
  append(tunnel, ip);
}

// What the outer header takes over from the inner one.
struct Inner {
  std::uint8_t traffic_class;
  std::uint8_t hops;
  bool dont_fragment;
};

Inner inner_of(const net::Packet& packet, const net::Parsed& parsed) {
  if (parsed.family == net::Family::kV4) {
    const auto* ip = packet.at<net::Ipv4Header>(parsed.l3);
    return {ip->tos, ip->ttl, (ip->fragment.value() & net::kIpv4DontFragment) != 0};
  }
  const auto* ip = packet.at<net::Ipv6Header>(parsed.l3);
  return {static_cast<std::uint8_t>(ip->version_class_label.value() >> 20), ip->hop_limit, false};
}

// Headers are put together in registers: reading back what was just written in pieces would wait.
template <typename T>
T load(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store(std::uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

std::uint64_t raw(std::uint16_t value) {
  return net::be16(value).raw();
}

void write_ipv4(std::uint8_t* to, const TunnelHeader& tunnel, const Inner& inner,
                std::size_t payload, std::uint16_t id) {
  const std::uint64_t traffic_class = std::uint64_t{inner.traffic_class} << 8;
  const std::uint64_t length = raw(static_cast<std::uint16_t>(sizeof(net::Ipv4Header) + payload));
  const std::uint64_t number = inner.dont_fragment ? 0 : raw(id);
  const std::uint64_t fragment = inner.dont_fragment ? raw(net::kIpv4DontFragment) : 0;
  const std::uint64_t checksum = static_cast<std::uint16_t>(
      ~net::checksum_fold(tunnel.sum + traffic_class + length + number + fragment + inner.hops));
  const std::uint8_t* from = tunnel.bytes.data();
  store(to,
        load<std::uint64_t>(from) | traffic_class | length << 16 | number << 32 | fragment << 48);
  store(to + 8, load<std::uint64_t>(from + 8) | inner.hops | checksum << 16);
  store(to + 16, load<std::uint32_t>(from + 16));
}

void write_ipv6(std::uint8_t* to, const TunnelHeader& tunnel, const Inner& inner,
                std::size_t payload) {
  const std::uint64_t traffic_class = net::be32(std::uint32_t{inner.traffic_class} << 20).raw();
  store(to, load<std::uint64_t>(tunnel.bytes.data()) | traffic_class |
                raw(static_cast<std::uint16_t>(payload)) << 32 | std::uint64_t{inner.hops} << 56);
  std::memcpy(to + 8, tunnel.bytes.data() + 8, 2 * sizeof(net::Ip6));
}

void finish_gre(const net::Packet& packet, std::size_t l4, std::size_t payload) {
  packet.at<GreChecksum>(l4 + sizeof(GreHeader))->checksum =
      net::checksum({packet.data + l4, payload});
}

std::uint64_t udp_pseudo_sum(const net::Packet& packet, std::size_t l3, bool is_v6,
                             std::size_t length) {
  const std::size_t addresses =
      is_v6 ? offsetof(net::Ipv6Header, source) : offsetof(net::Ipv4Header, source);
  const std::size_t size = is_v6 ? 2 * sizeof(net::Ip6) : 2 * sizeof(net::be32);
  return net::checksum_add(0, {packet.data + l3 + addresses, size}) + net::be16(kUdp).raw() +
         net::be16(static_cast<std::uint16_t>(length)).raw();
}

}  // namespace

TunnelHeader make_tunnel_header(const Tunnel& tunnel, const net::IpAddr& source,
                                const net::IpAddr& server, net::Family inside) {
  const bool v6_inside = inside == net::Family::kV6;
  const std::uint8_t protocol = v6_inside ? kIpv6InIp : kIpInIp;
  TunnelHeader header;
  header.type = tunnel.type;
  header.is_v6 = server.is_v6();
  header.checksum = tunnel.checksum;
  switch (tunnel.type) {
    case TunnelType::kIpip:
      append_ip(header, source, server, protocol);
      break;
    case TunnelType::kGre:
      append_ip(header, source, server, kGre);
      append(header, GreHeader{net::be16(tunnel.checksum ? kGreHasChecksum : 0),
                               net::be16(v6_inside ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4)});
      if (tunnel.checksum) append(header, GreChecksum{});
      break;
    case TunnelType::kGue:
      append_ip(header, source, server, kUdp);
      append(header, net::UdpHeader{{}, net::be16(tunnel.port), {}, {}});
      append(header, GueHeader{0, protocol, {}});
      break;
  }
  if (!header.is_v6) {
    header.sum = net::checksum_fold(
        net::checksum_add(0, net::Bytes(header.bytes).first(sizeof(net::Ipv4Header))));
  }
  return header;
}

net::IpAddr far_end(const TunnelHeader& tunnel) {
  if (tunnel.is_v6) {
    net::Ipv6Header ip;
    std::memcpy(&ip, tunnel.bytes.data(), sizeof ip);
    return net::IpAddr(ip.destination);
  }
  net::Ipv4Header ip;
  std::memcpy(&ip, tunnel.bytes.data(), sizeof ip);
  return net::IpAddr(net::Ip4(ip.destination));
}

bool encapsulate(net::Packet& packet, const net::Parsed& parsed, const TunnelHeader& tunnel,
                 std::uint16_t id) {
  if (packet.headroom < tunnel.length) return false;
  const Inner inner = inner_of(packet, parsed);
  packet.data -= tunnel.length;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom - tunnel.length);
  packet.length = static_cast<std::uint16_t>(parsed.l3 + tunnel.length + parsed.l3_length);
  // From the transport or GRE header on.
  const std::size_t more = inner_length(tunnel);
  const std::size_t payload = more + parsed.l3_length;
  packet.at<net::EthernetHeader>(0)->type.set(tunnel.is_v6 ? net::kEtherTypeIpv6
                                                           : net::kEtherTypeIpv4);
  std::uint8_t* l3 = packet.data + parsed.l3;
  if (tunnel.is_v6) {
    write_ipv6(l3, tunnel, inner, payload);
  } else {
    write_ipv4(l3, tunnel, inner, payload, id);
  }
  const std::size_t ip_length = tunnel.length - more;
  for (std::size_t at = ip_length; at < tunnel.length; at += 4) {
    store(l3 + at, load<std::uint32_t>(tunnel.bytes.data() + at));
  }
  if (tunnel.type == TunnelType::kGre && tunnel.checksum) {
    finish_gre(packet, parsed.l3 + ip_length, payload);
  }
  return true;
}

void finish_gue(const net::Packet& packet, const net::Parsed& parsed, const TunnelHeader& tunnel,
                std::uint16_t entropy) {
  const std::size_t more = inner_length(tunnel);
  const std::size_t payload = more + parsed.l3_length;
  const std::size_t l4 = parsed.l3 + tunnel.length - more;
  auto* udp = packet.at<net::UdpHeader>(l4);
  udp->source_port.set(static_cast<std::uint16_t>(kFirstEphemeral | entropy));
  udp->length.set(static_cast<std::uint16_t>(payload));
  if (!tunnel.checksum) return;
  udp->checksum = net::checksum_finish(net::checksum_add(
      udp_pseudo_sum(packet, parsed.l3, tunnel.is_v6, payload), {packet.data + l4, payload}));
  if (udp->checksum.raw() == 0) udp->checksum.set(0xffff);
}

}  // namespace keepline::lb
