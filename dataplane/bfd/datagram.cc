#include "dataplane/bfd/datagram.h"

#include <cstring>

#include "dataplane/net/checksum.h"

namespace keepline::bfd {

namespace {

constexpr auto kUdp = static_cast<std::uint8_t>(net::Protocol::kUdp);
constexpr std::uint8_t kTrafficClass = 0xc0;  // CS6, as routers mark what keeps them together
constexpr std::size_t kUdpBytes = sizeof(net::UdpHeader) + kPacketBytes;

template <typename Header>
std::uint64_t pseudo_sum(const Header& ip, std::uint16_t length) {
  return net::pseudo_header_sum(ip.source, ip.destination, kUdp, length);
}

template <typename Header>
void append(Frame& frame, const Header& header) {
  std::memcpy(frame.bytes.data() + frame.length, &header, sizeof header);
  frame.length += sizeof header;
}

net::Ipv4Header ipv4_header(const SessionConfig& session, const Way& way) {
  net::Ipv4Header ip{};
  ip.version_ihl = 0x45;
  ip.tos = kTrafficClass;
  ip.total_length.set(static_cast<std::uint16_t>(sizeof ip + kUdpBytes));
  ip.fragment.set(net::kIpv4DontFragment);
  ip.ttl = session.ttl;
  ip.protocol = kUdp;
  ip.source = way.source.v4().be();
  ip.destination = session.neighbour.v4().be();
  ip.checksum = net::checksum({reinterpret_cast<const std::uint8_t*>(&ip), sizeof ip});
  return ip;
}

net::Ipv6Header ipv6_header(const SessionConfig& session, const Way& way) {
  net::Ipv6Header ip{};
  ip.version_class_label.set(6u << 28 | std::uint32_t{kTrafficClass} << 20);
  ip.payload_length.set(kUdpBytes);
  ip.next_header = kUdp;
  ip.hop_limit = session.ttl;
  ip.source = way.source.v6();
  ip.destination = session.neighbour.v6();
  return ip;
}

}  // namespace

tl::expected<void, Discard> read_datagram(const net::Packet& frame, const net::Parsed& parsed,
                                          Datagram& datagram) {
  const bool is_v6 = parsed.family == net::Family::kV6;
  const std::size_t end = std::size_t{parsed.l3} + parsed.l3_length;
  const auto* udp = frame.at<const net::UdpHeader>(parsed.l4);
  std::uint64_t sum = 0;
  datagram.is_multihop = parsed.ports.destination.value() == net::kBfdMultihopPort;
  datagram.payload = {};
  if (is_v6) {
    const auto* ip = parsed.ip<net::V6>(frame);
    datagram.source = ip->source;
    datagram.destination = ip->destination;
    datagram.ttl = ip->hop_limit;
  } else {
    const auto* ip = parsed.ip<net::V4>(frame);
    datagram.source = net::Ip4(ip->source);
    datagram.destination = net::Ip4(ip->destination);
    datagram.ttl = ip->ttl;
  }
  if (end < parsed.l4 + sizeof *udp || end > frame.length) return tl::unexpected(Discard::kUdp);
  const std::uint16_t length = udp->length.value();
  if (length < sizeof *udp || parsed.l4 + std::size_t{length} > end) {
    return tl::unexpected(Discard::kUdp);
  }
  const net::Bytes whole = net::Bytes(frame.bytes()).subspan(parsed.l4, length);
  sum = is_v6 ? pseudo_sum(*parsed.ip<net::V6>(frame), length)
              : pseudo_sum(*parsed.ip<net::V4>(frame), length);
  // Without a checksum only over IPv4 (RFC 8200 §8.1).
  const bool has_checksum = udp->checksum.raw() != 0;
  if (has_checksum ? net::checksum_finish(net::checksum_add(sum, whole)).raw() != 0 : is_v6) {
    return tl::unexpected(Discard::kChecksum);
  }
  datagram.payload = whole.subspan(sizeof *udp);
  return {};
}

Frame make_frame(const ControlPacket& packet, const SessionConfig& session, const Way& way) {
  Frame frame;
  const bool is_v6 = session.neighbour.is_v6();
  const std::uint16_t type = is_v6 ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4;
  append(frame, net::EthernetHeader{way.link.destination, way.link.source, net::be16(type)});
  std::uint64_t sum = 0;
  if (is_v6) {
    const net::Ipv6Header ip = ipv6_header(session, way);
    sum = pseudo_sum(ip, kUdpBytes);
    append(frame, ip);
  } else {
    const net::Ipv4Header ip = ipv4_header(session, way);
    sum = pseudo_sum(ip, kUdpBytes);
    append(frame, ip);
  }
  net::UdpHeader udp{net::be16(session.source_port), net::be16(session.port()),
                     net::be16(kUdpBytes), net::be16(0)};
  const auto payload = encode_packet(packet);
  sum = net::checksum_add(sum, {reinterpret_cast<const std::uint8_t*>(&udp), sizeof udp});
  udp.checksum = net::checksum_finish(net::checksum_add(sum, payload));
  if (udp.checksum.raw() == 0) udp.checksum.set(0xffff);  // RFC 768: zero says that there is none
  append(frame, udp);
  append(frame, payload);
  return frame;
}

}  // namespace keepline::bfd
