#include "dataplane/lb/synproxy/segment.h"

#include <algorithm>
#include <array>

#include "dataplane/lb/forward/tcp_options.h"

namespace keepline::lb {

namespace {

constexpr std::uint8_t kNop = TcpSegment::kNoOperation;

struct OptionWords {
  std::array<std::uint8_t, 40> bytes{};
  std::size_t length = 0;

  void append(std::initializer_list<std::uint8_t> more) {
    std::copy(more.begin(), more.end(), bytes.begin() + length);
    length += more.size();
  }
  void append32(std::uint32_t value) {
    append({static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
  }
};

template <typename F>
OptionWords words_of(const OwnSegment<F>& segment) {
  OptionWords words;
  if (segment.syn) {
    words.append({TcpSegment::kMss, 4, static_cast<std::uint8_t>(segment.syn->mss >> 8),
                  static_cast<std::uint8_t>(segment.syn->mss)});
    if (segment.syn->window_scale != SynOptions::kNoScale) {
      words.append({kNop, TcpSegment::kWindowScale, 3, segment.syn->window_scale});
    }
    if (segment.syn->selective) words.append({kNop, kNop, TcpSegment::kSackPermitted, 2});
  }
  if (segment.timestamps) {
    words.append({kNop, kNop, TcpSegment::kTimestamps, 10});
    words.append32(segment.timestamps->value);
    words.append32(segment.timestamps->echo);
  }
  return words;
}

std::size_t write_ip(std::uint8_t* to, const FlowKey<net::V4>& flow, std::size_t payload) {
  net::Ipv4Header ip{};
  ip.version_ihl = 0x45;
  ip.total_length.set(static_cast<std::uint16_t>(sizeof ip + payload));
  ip.fragment.set(net::kIpv4DontFragment);
  ip.ttl = 64;
  ip.protocol = static_cast<std::uint8_t>(net::Protocol::kTcp);
  ip.source = flow.source;
  ip.destination = flow.destination;
  ip.checksum = net::checksum({reinterpret_cast<const std::uint8_t*>(&ip), sizeof ip});
  std::memcpy(to, &ip, sizeof ip);
  return sizeof ip;
}

std::size_t write_ip(std::uint8_t* to, const FlowKey<net::V6>& flow, std::size_t payload) {
  net::Ipv6Header ip{};
  ip.version_class_label.set(0x60000000);
  ip.payload_length.set(static_cast<std::uint16_t>(payload));
  ip.next_header = static_cast<std::uint8_t>(net::Protocol::kTcp);
  ip.hop_limit = 64;
  ip.source = flow.source;
  ip.destination = flow.destination;
  std::memcpy(to, &ip, sizeof ip);
  return sizeof ip;
}

// Of the pseudo header: addresses lie side by side in either IP header.
template <typename F>
std::uint64_t pseudo_sum(const FlowKey<F>& flow, std::size_t length) {
  std::uint64_t sum = net::be16(static_cast<std::uint16_t>(net::Protocol::kTcp)).raw() +
                      std::uint64_t{net::be16(static_cast<std::uint16_t>(length)).raw()};
  for (const auto* address : {&flow.source, &flow.destination}) {
    sum = net::checksum_add(sum, {reinterpret_cast<const std::uint8_t*>(address), sizeof *address});
  }
  return sum;
}

}  // namespace

SegmentOptions options_of(const net::Packet& packet, const net::Parsed& parsed) {
  SegmentOptions options;
  const TcpSegment segment(packet, parsed);
  if (!segment.is_sound()) return options;
  const std::uint8_t* bytes = packet.data + parsed.l4;
  segment.for_each_option([&](std::uint8_t kind, std::size_t at, std::size_t size) {
    if (kind == TcpSegment::kMss && size == 2) {
      options.syn.mss = static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
    } else if (kind == TcpSegment::kWindowScale && size == 1) {
      options.syn.window_scale = std::min<std::uint8_t>(bytes[at], 14);
    } else if (kind == TcpSegment::kSackPermitted && size == 0) {
      options.syn.selective = true;
    } else if (kind == TcpSegment::kTimestamps && size == 8) {
      options.timestamps = {segment.read32(at), segment.read32(at + 4)};
    }
  });
  return options;
}

template <typename F>
std::size_t write_segment(std::uint8_t* to, const net::LinkAddresses& link,
                          const OwnSegment<F>& segment) {
  const OptionWords options = words_of(segment);
  const std::size_t length = sizeof(net::TcpHeader) + options.length;
  net::EthernetHeader ethernet{
      link.destination, link.source,
      net::be16(F::kFamily == net::Family::kV4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6)};
  std::memcpy(to, &ethernet, sizeof ethernet);
  const std::size_t l4 = sizeof ethernet + write_ip(to + sizeof ethernet, segment.flow, length);
  net::TcpHeader tcp{};
  tcp.source_port = segment.flow.source_port;
  tcp.destination_port = segment.flow.destination_port;
  tcp.sequence.set(segment.sequence);
  tcp.acknowledgement.set(segment.acknowledgement);
  tcp.data_offset = static_cast<std::uint8_t>(length / 4 << 4);
  tcp.flags = segment.flags;
  tcp.window.set(segment.window);
  std::memcpy(to + l4, &tcp, sizeof tcp);
  std::memcpy(to + l4 + sizeof tcp, options.bytes.data(), options.length);
  const net::be16 checksum =
      net::checksum_finish(net::checksum_add(pseudo_sum(segment.flow, length), {to + l4, length}));
  std::memcpy(to + l4 + offsetof(net::TcpHeader, checksum), &checksum, sizeof checksum);
  return l4 + length;
}

template <typename F>
bool replace_packet(net::Packet& packet, const net::LinkAddresses& link,
                    const OwnSegment<F>& segment) {
  std::array<std::uint8_t, kMostOwnSegment> frame;
  const std::size_t length = write_segment(frame.data(), link, segment);
  if (length > packet.length) {
    const std::size_t more = length - packet.length;
    if (packet.headroom < more) return false;
    packet.data -= more;
    packet.headroom = static_cast<std::uint16_t>(packet.headroom - more);
  }
  packet.length = static_cast<std::uint16_t>(length);
  std::memcpy(packet.data, frame.data(), length);
  return true;
}

void shift_to_server(const net::Packet& packet, const net::Parsed& parsed, const Stream& stream) {
  TcpSegment segment(packet, parsed);
  if (!segment.is_sound()) return;
  if ((parsed.flags & net::kTcpAck) != 0) {
    segment.write32(offsetof(net::TcpHeader, acknowledgement),
                    segment.header().acknowledgement.value() + stream.shift);
  }
  segment.for_each_option([&](std::uint8_t kind, std::size_t at, std::size_t size) {
    if (kind == TcpSegment::kSack) {
      segment.map_edges(at, size, [&](std::uint32_t edge) { return edge + stream.shift; });
    } else if (kind == TcpSegment::kTimestamps && size == 8 && stream.has_clock &&
               (parsed.flags & net::kTcpAck) != 0) {
      segment.write32(at + 4, segment.read32(at + 4) - stream.clock_shift);
    }
  });
}

void shift_to_client(const net::Packet& packet, const net::Parsed& parsed, const Stream& stream) {
  TcpSegment segment(packet, parsed);
  if (!segment.is_sound()) return;
  segment.write32(offsetof(net::TcpHeader, sequence),
                  segment.header().sequence.value() - stream.shift);
  if (stream.scale != stream.told_scale) {
    const std::uint64_t bytes = std::uint64_t{segment.header().window.value()} << stream.scale;
    const net::be16 window(
        static_cast<std::uint16_t>(std::min<std::uint64_t>(bytes >> stream.told_scale, 0xffff)));
    segment.write(offsetof(net::TcpHeader, window), &window, sizeof window);
  }
  if (!stream.has_clock) return;
  segment.for_each_option([&](std::uint8_t kind, std::size_t at, std::size_t size) {
    if (kind != TcpSegment::kTimestamps || size != 8) return;
    segment.write32(at, segment.read32(at) + stream.clock_shift);
  });
}

#define KEEPLINE_SEGMENTS_OF(F)                                                \
  template std::size_t write_segment(std::uint8_t*, const net::LinkAddresses&, \
                                     const OwnSegment<F>&);                    \
  template bool replace_packet(net::Packet&, const net::LinkAddresses&, const OwnSegment<F>&)
KEEPLINE_SEGMENTS_OF(net::V4);
KEEPLINE_SEGMENTS_OF(net::V6);
#undef KEEPLINE_SEGMENTS_OF

}  // namespace keepline::lb
