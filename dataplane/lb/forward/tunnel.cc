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

// 16 bits in wire order.
std::uint64_t raw(std::size_t value) {
  return __builtin_bswap32(static_cast<std::uint32_t>(value)) >> 16;
}

// What the outer header takes over from the inner one.
struct Inner {
  std::uint64_t traffic_class;
  std::uint64_t hops;
  std::uint64_t dont_fragment;  // the bit as it is in the header
};

Inner inner_of(const net::Ipv4Header& ip) {
  constexpr net::be16 kBit(net::kIpv4DontFragment);
  return {ip.tos, ip.ttl, std::uint64_t{ip.fragment.raw()} & kBit.raw()};
}
Inner inner_of(const net::Ipv6Header& ip) {
  return {ip.version_class_label.value() >> 20 & 0xff, ip.hop_limit, 0};
}

// A packet that may not be fragmented needs no number, but can have any (RFC 6864 §4.1).
void write_ipv4(std::uint8_t* to, const TunnelHeader& tunnel, const Inner& inner,
                std::size_t length, std::uint16_t id) {
  const std::uint64_t varies =
      inner.traffic_class << 8 | raw(length) << 16 | raw(id) << 32 | inner.dont_fragment << 48;
  const std::uint64_t checksum =
      static_cast<std::uint16_t>(~net::checksum_fold(tunnel.sum + varies + inner.hops));
  const std::uint8_t* from = tunnel.bytes.data();
  store(to, load<std::uint64_t>(from) | varies);
  store(to + 8, load<std::uint64_t>(from + 8) | inner.hops | checksum << 16);
  store(to + 16, load<std::uint32_t>(from + 16));
}

void write_ipv6(std::uint8_t* to, const TunnelHeader& tunnel, const Inner& inner,
                std::size_t payload) {
  const std::uint64_t traffic_class =
      __builtin_bswap32(static_cast<std::uint32_t>(inner.traffic_class << 20));
  store(to, load<std::uint64_t>(tunnel.bytes.data()) | traffic_class | raw(payload) << 32 |
                inner.hops << 56);
  std::memcpy(to + 8, tunnel.bytes.data() + 8, 2 * sizeof(net::Ip6));
}

void finish_gre(net::MutableBytes inside) {
  const net::be16 checksum = net::checksum(inside);
  std::memcpy(inside.data() + sizeof(GreHeader), &checksum, sizeof checksum);
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

template <typename F>
void encapsulate(net::Packet& packet, const net::Parsed& parsed, const TunnelHeader& tunnel,
                 const net::LinkAddresses& link, std::uint16_t id) {
  // Read before the first byte is written, which might be anybody's.
  const Inner inner = inner_of(*parsed.ip<F>(packet));
  const std::size_t l3 = parsed.l3;
  const std::size_t more = tunnel.length;
  const std::size_t length = more + parsed.l3_length;
  const bool is_v6 = tunnel.is_v6;
  std::uint8_t* const frame = packet.data - more;
  packet.data = frame;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom - more);
  packet.length = static_cast<std::uint16_t>(l3 + length);
  std::uint8_t* const type = frame + sizeof link;
  if (is_v6) {
    store(type, net::be16(net::kEtherTypeIpv6));
    write_ipv6(frame + l3, tunnel, inner, length - sizeof(net::Ipv6Header));
  } else {
    store(type, net::be16(net::kEtherTypeIpv4));
    write_ipv4(frame + l3, tunnel, inner, length, id);
  }
  std::memcpy(frame, &link, sizeof link);
}

template void encapsulate<net::V4>(net::Packet&, const net::Parsed&, const TunnelHeader&,
                                   const net::LinkAddresses&, std::uint16_t);
template void encapsulate<net::V6>(net::Packet&, const net::Parsed&, const TunnelHeader&,
                                   const net::LinkAddresses&, std::uint16_t);

void fill_in(const net::Packet& packet, const net::Parsed& parsed, const TunnelHeader& tunnel,
             std::uint64_t flow) {
  const std::size_t more = inner_length(tunnel);
  const std::size_t ip_length = tunnel.length - more;
  const net::MutableBytes inside(packet.data + parsed.l3 + ip_length, more + parsed.l3_length);
  std::memcpy(inside.data(), tunnel.bytes.data() + ip_length, more);
  if (tunnel.type == TunnelType::kGre && tunnel.checksum) finish_gre(inside);
  if (tunnel.type != TunnelType::kGue) return;
  auto* udp = reinterpret_cast<net::UdpHeader*>(inside.data());
  udp->source_port.set(static_cast<std::uint16_t>(kFirstEphemeral | flow));
  udp->length.set(static_cast<std::uint16_t>(inside.size()));
  if (!tunnel.checksum) return;
  udp->checksum = net::checksum_finish(
      net::checksum_add(udp_pseudo_sum(packet, parsed.l3, tunnel.is_v6, inside.size()), inside));
  if (udp->checksum.raw() == 0) udp->checksum.set(0xffff);
}

}  // namespace keepline::lb
