#include "dataplane/lb/forward/tell.h"

#include <array>
#include <cstring>

#include "dataplane/lb/forward/tcp_options.h"

namespace keepline::lb {

namespace {

using net::Packet;
using net::Parsed;

constexpr std::uint8_t kAddressOption = 254;  // of the kernel modules named toa
constexpr std::size_t kMostBytes = tell_bytes<net::V6>(Tell::kProxy);

struct Words {
  std::array<std::uint8_t, kMostBytes> bytes;
  std::size_t length = 0;

  template <typename T>
  void append(const T& value) {
    std::memcpy(bytes.data() + length, &value, sizeof value);
    length += sizeof value;
  }
};

template <typename F>
Words option_of(const Connection<F>& connection) {
  Words words;
  words.append(kAddressOption);
  words.append(static_cast<std::uint8_t>(tell_bytes<F>(Tell::kOption)));
  words.append(connection.client_port);
  words.append(connection.client);
  return words;
}

template <typename F>
Words proxy_header_of(const Connection<F>& connection) {
  static constexpr std::array<std::uint8_t, 12> kSignature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                              0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
  constexpr std::uint8_t kVersionAndProxy = 0x21;
  constexpr std::uint8_t kFamily = F::kFamily == net::Family::kV4 ? 0x10 : 0x20;
  const std::uint8_t transport = connection.protocol == net::Protocol::kUdp ? 2 : 1;
  Words words;
  words.append(kSignature);
  words.append(kVersionAndProxy);
  words.append(static_cast<std::uint8_t>(kFamily | transport));
  words.append(net::be16(2 * sizeof connection.client + 4));
  words.append(connection.client);
  words.append(connection.vip);
  words.append(connection.client_port);
  words.append(connection.vip_port);
  return words;
}

void grow_ip(const Packet& packet, const Parsed& parsed, std::size_t by) {
  if (parsed.family == net::Family::kV6) {
    auto& length = packet.at<net::Ipv6Header>(parsed.l3)->payload_length;
    length.set(static_cast<std::uint16_t>(length.value() + by));
    return;
  }
  auto* ip = packet.at<net::Ipv4Header>(parsed.l3);
  const net::be16 more(static_cast<std::uint16_t>(ip->total_length.value() + by));
  net::ChecksumDelta delta;
  delta.replace(ip->total_length, more);
  delta.apply(ip->checksum);
  ip->total_length = more;
}

// Puts the words into the packet at this place; the transport checksum becomes that of the packet
// with them, as `also` more is changed in it and its pseudo header.
bool insert(Packet& packet, const Parsed& parsed, std::size_t at, const Words& words,
            net::ChecksumDelta also, std::size_t checksum_at) {
  if (packet.headroom < words.length) return false;
  std::memmove(packet.data - words.length, packet.data, at);
  packet.data -= words.length;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom - words.length);
  packet.length = static_cast<std::uint16_t>(packet.length + words.length);
  std::memcpy(packet.data + at, words.bytes.data(), words.length);
  grow_ip(packet, parsed, words.length);
  // In the pseudo header's length, too. All lengths are even: no byte changes its side of a word.
  also.replace(net::be16(0), net::be16(static_cast<std::uint16_t>(words.length)));
  const auto sum = net::checksum_fold(net::checksum_add(0, {words.bytes.data(), words.length}));
  net::ChecksumDelta::apply_delta(*packet.at<net::be16>(checksum_at),
                                  net::ChecksumDelta::sum(also.folded(), sum));
  return true;
}

// What the sequence number is ahead of another by, which may be negative.
std::int32_t ahead(std::uint32_t sequence, std::uint32_t of) {
  return static_cast<std::int32_t>(sequence - of);
}

template <typename F>
Told add_option(Packet& packet, const Parsed& parsed, const Connection<F>& connection,
                const TcpSegment& segment) {
  const bool completes =
      (parsed.flags & net::kTcpAck) != 0 && (parsed.flags & (net::kTcpSyn | net::kTcpRst)) == 0;
  const Words words = option_of(connection);
  if (!completes || segment.header_length() + words.length > TcpSegment::kMostHeader) {
    return Told::kDone;
  }
  auto& header = segment.header();
  const std::uint8_t offset = header.data_offset;
  const auto more = static_cast<std::uint8_t>(offset + (words.length / 4 << 4));
  net::ChecksumDelta delta;
  delta.replace(net::be16(static_cast<std::uint16_t>(offset << 8)),
                net::be16(static_cast<std::uint16_t>(more << 8)));
  header.data_offset = more;
  return insert(packet, parsed, parsed.l4 + sizeof(net::TcpHeader), words, delta,
                parsed.l4 + offsetof(net::TcpHeader, checksum))
             ? Told::kDone
             : Told::kNoHeadroom;
}

template <typename F>
Told tell_in_stream(Packet& packet, const Parsed& parsed, const Connection<F>& connection,
                    TcpSegment& segment, std::uint32_t first) {
  const bool syn = (parsed.flags & net::kTcpSyn) != 0;
  if (syn && segment.payload() == 0) return Told::kDone;
  const std::uint32_t sequence = segment.header().sequence.value();
  const Words words = proxy_header_of(connection);
  // Of what comes behind the header, however far: numbers go round.
  const bool done = connection.tell == Tell::kProxyDone && !syn;
  const std::int32_t distance = syn ? 0 : ahead(sequence, first);
  if (done || distance > 0) {
    segment.write32(offsetof(net::TcpHeader, sequence),
                    sequence + static_cast<std::uint32_t>(words.length));
    return Told::kDone;
  }
  if (distance < 0) return Told::kDone;
  if ((parsed.flags & net::kTcpRst) != 0) return Told::kDone;
  net::ChecksumDelta delta;
  if ((parsed.flags & net::kTcpUrg) != 0) {
    auto& urgent = segment.header().urgent;
    const net::be16 further(static_cast<std::uint16_t>(urgent.value() + words.length));
    delta.replace(urgent, further);
    urgent = further;
  }
  return insert(packet, parsed, parsed.l4 + segment.header_length(), words, delta,
                parsed.l4 + offsetof(net::TcpHeader, checksum))
             ? Told::kDone
             : Told::kNoHeadroom;
}

template <typename F>
Told tell_in_datagram(Packet& packet, const Parsed& parsed, const Connection<F>& connection) {
  const Words words = proxy_header_of(connection);
  auto* udp = packet.at<net::UdpHeader>(parsed.l4);
  const bool has_checksum = udp->checksum.raw() != 0;
  const net::be16 longer(static_cast<std::uint16_t>(udp->length.value() + words.length));
  net::ChecksumDelta delta;
  delta.replace(udp->length, longer);
  if (!insert(packet, parsed, parsed.l4 + sizeof(net::UdpHeader), words, delta,
              parsed.l4 + offsetof(net::UdpHeader, checksum))) {
    return Told::kNoHeadroom;
  }
  udp = packet.at<net::UdpHeader>(parsed.l4);
  udp->length = longer;
  if (!has_checksum) {
    udp->checksum.set(0);
  } else if (udp->checksum.raw() == 0) {
    udp->checksum.set(0xffff);
  }
  return Told::kDone;
}

}  // namespace

template <typename F>
Told tell_server(Packet& packet, const Parsed& parsed, const Connection<F>& connection,
                 std::uint32_t first) {
  // The later fragments have their places in the datagram as it was.
  if (parsed.kind == net::Kind::kFragment) return Told::kFragment;
  if (parsed.protocol == net::Protocol::kUdp) return tell_in_datagram(packet, parsed, connection);
  if (parsed.protocol != net::Protocol::kTcp) return Told::kDone;
  TcpSegment segment(packet, parsed);
  if (!segment.is_sound()) return Told::kDone;
  return connection.tell == Tell::kOption
             ? add_option(packet, parsed, connection, segment)
             : tell_in_stream(packet, parsed, connection, segment, first);
}

template <typename F>
void hear_server(const Packet& packet, const Parsed& parsed, Connection<F>& connection,
                 std::uint32_t& first) {
  if (parsed.protocol != net::Protocol::kTcp) return;
  TcpSegment segment(packet, parsed);
  if (!segment.is_sound()) return;
  const bool syn = (parsed.flags & net::kTcpSyn) != 0;
  if (connection.tell == Tell::kOption) {
    // Whatever else it says, it has had the segment that completes the handshake.
    if (!syn && connection.state == FlowState::kEstablished) connection.tell = Tell::kNothing;
    return;
  }
  if (syn) {
    first = segment.header().acknowledgement.value();
    connection.tell = Tell::kProxy;
    return;
  }
  constexpr std::int32_t kLength = tell_bytes<F>(Tell::kProxy);
  const bool done = connection.tell == Tell::kProxyDone;
  const auto in_clients_numbers = [first, done](std::uint32_t sequence) {
    const std::int32_t distance = ahead(sequence, first);
    if (!done && distance <= 0) return sequence;
    return !done && distance < kLength ? first : sequence - static_cast<std::uint32_t>(kLength);
  };
  if ((parsed.flags & net::kTcpAck) != 0) {
    const std::uint32_t acknowledged = segment.header().acknowledgement.value();
    if (ahead(acknowledged, first) >= kLength) connection.tell = Tell::kProxyDone;
    segment.write32(offsetof(net::TcpHeader, acknowledgement), in_clients_numbers(acknowledged));
  }
  segment.for_each_option([&](std::uint8_t kind, std::size_t at, std::size_t size) {
    if (kind == TcpSegment::kSack) segment.map_edges(at, size, in_clients_numbers);
  });
}

template Told tell_server(Packet&, const Parsed&, const Connection<net::V4>&, std::uint32_t);
template Told tell_server(Packet&, const Parsed&, const Connection<net::V6>&, std::uint32_t);
template void hear_server(const Packet&, const Parsed&, Connection<net::V4>&, std::uint32_t&);
template void hear_server(const Packet&, const Parsed&, Connection<net::V6>&, std::uint32_t&);

}  // namespace keepline::lb
