#include "dataplane/lb/icmp/error.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "dataplane/net/checksum.h"

namespace keepline::lb {

using net::Family;
using net::Packet;
using net::Parsed;

namespace {

constexpr std::uint8_t kHops = 64;
// The longest error: RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c).
constexpr std::size_t kLongest4 = 576;
constexpr std::size_t kLongest6 = 1280;

std::size_t icmp_length(const Parsed& error) {
  return static_cast<std::size_t>(error.l3 + error.l3_length - error.l4);
}

// What the checksum covers besides the message.
template <typename F>
std::uint64_t pseudo_sum(const Packet& packet, const Parsed& error) {
  if constexpr (F::kFamily == Family::kV4) return 0;
  const auto* ip = packet.at<net::Ipv6Header>(error.l3);
  return net::pseudo_header_sum(ip->source, ip->destination, net::kIpv6Icmp,
                                static_cast<std::uint16_t>(icmp_length(error)));
}

template <typename F>
net::be16 icmp_checksum(const Packet& packet, const Parsed& error) {
  return net::checksum_finish(net::checksum_add(pseudo_sum<F>(packet, error),
                                                {packet.data + error.l4, icmp_length(error)}));
}

template <typename F>
void finish_icmp(const Packet& packet, const Parsed& error) {
  auto* icmp = packet.at<net::IcmpHeader>(error.l4);
  icmp->checksum = net::be16();
  icmp->checksum = icmp_checksum<F>(packet, error);
}

void finish_ip(const Packet& packet, std::size_t l3) {
  auto* ip = packet.at<net::Ipv4Header>(l3);
  ip->checksum = net::be16();
  ip->checksum = net::checksum({packet.data + l3, ip->header_length()});
}

template <typename F>
void take_hop(const Packet& packet, const Parsed& parsed) {
  if constexpr (F::kFamily == Family::kV4) {
    --packet.at<net::Ipv4Header>(parsed.l3)->ttl;
    finish_ip(packet, parsed.l3);
  } else {
    --packet.at<net::Ipv6Header>(parsed.l3)->hop_limit;
  }
}

// Address and port of a quoted packet, and its checksums as far as they are quoted.
template <typename F>
void replace_quoted(const Packet& packet, const Parsed& quoted, typename F::Address& address,
                    net::be16& port, const typename F::Address& new_address, net::be16 new_port) {
  net::ChecksumDelta delta;
  delta.replace(address, new_address);
  if constexpr (F::kFamily == Family::kV4) {
    delta.apply(packet.at<net::Ipv4Header>(quoted.l3)->checksum);
  }
  delta.replace(port, new_port);
  address = new_address;
  port = new_port;
  // Of SCTP its receiver looks at the verification tag (RFC 9260 §10).
  if (quoted.protocol == net::Protocol::kSctp) return;
  const bool tcp = quoted.protocol == net::Protocol::kTcp;
  const std::size_t at =
      quoted.l4 + (tcp ? offsetof(net::TcpHeader, checksum) : offsetof(net::UdpHeader, checksum));
  if (at + sizeof(net::be16) <= static_cast<std::size_t>(quoted.l3 + quoted.l3_length)) {
    auto& field = *packet.at<net::be16>(at);
    if (tcp || field.raw() != 0) delta.apply(field);
  }
}

std::optional<Parsed> quoted4(const Packet& packet, std::uint16_t l3, std::size_t length) {
  Parsed quoted;
  if (length < sizeof(net::Ipv4Header)) return std::nullopt;
  const auto* ip = packet.at<net::Ipv4Header>(l3);
  if ((ip->version_ihl >> 4) != 4 || ip->header_length() < sizeof(net::Ipv4Header) ||
      (ip->fragment.value() & net::kIpv4OffsetMask) != 0) {
    return std::nullopt;
  }
  quoted.l4 = static_cast<std::uint16_t>(l3 + ip->header_length());
  quoted.protocol = static_cast<net::Protocol>(ip->protocol);
  return quoted;
}

std::optional<Parsed> quoted6(const Packet& packet, std::uint16_t l3, std::size_t length) {
  Parsed quoted;
  if (length < sizeof(net::Ipv6Header)) return std::nullopt;
  const auto* ip = packet.at<net::Ipv6Header>(l3);
  if ((packet.data[l3] >> 4) != 6) return std::nullopt;
  std::size_t at = l3 + sizeof(net::Ipv6Header);
  std::uint8_t next = ip->next_header;
  for (int i = 0; i < net::kMaxExtensionHeaders && net::is_ipv6_extension(next); ++i) {
    if (at + 8 > l3 + length) return std::nullopt;
    next = packet.data[at];
    at += (std::size_t{packet.data[at + 1]} + 1) * 8;
  }
  if (at > l3 + length) return std::nullopt;
  quoted.l4 = static_cast<std::uint16_t>(at);
  quoted.protocol = static_cast<net::Protocol>(next);
  return quoted;
}

}  // namespace

template <typename F>
std::optional<Parsed> quoted_in(const Packet& packet, const Parsed& error) {
  return quoted_at<F>(packet, static_cast<std::uint16_t>(error.l4 + sizeof(net::IcmpHeader)),
                      icmp_length(error) - sizeof(net::IcmpHeader));
}

template <typename F>
std::optional<Parsed> quoted_at(const Packet& packet, std::uint16_t l3, std::size_t length) {
  std::optional<Parsed> quoted =
      F::kFamily == Family::kV4 ? quoted4(packet, l3, length) : quoted6(packet, l3, length);
  // Eight bytes are the least that anybody quotes of the transport header (RFC 792).
  if (!quoted || quoted->l4 + sizeof(net::UdpHeader) > l3 + length) return std::nullopt;
  if (!net::has_ports(quoted->protocol)) return std::nullopt;
  quoted->kind = net::Kind::kFlow;
  quoted->family = F::kFamily;
  quoted->l3 = l3;
  quoted->l3_length = static_cast<std::uint16_t>(length);
  std::memcpy(&quoted->ports, packet.data + quoted->l4, sizeof quoted->ports);
  return quoted;
}

template <typename F>
bool icmp_checksum_ok(const Packet& packet, const Parsed& error) {
  return icmp_checksum<F>(packet, error).raw() == 0;
}

template <typename F>
void error_to_real(const Packet& packet, const Parsed& error, const Parsed& quoted,
                   const Connection<F>& connection) {
  auto* about = packet.at<typename F::Header>(quoted.l3);
  auto* ports = packet.at<net::UdpHeader>(quoted.l4);
  replace_quoted<F>(packet, quoted, about->source, ports->source_port, connection.real,
                    connection.real_port);
  replace_quoted<F>(packet, quoted, about->destination, ports->destination_port, connection.local,
                    connection.local_port);
  auto* ip = packet.at<typename F::Header>(error.l3);
  ip->destination = connection.real;
  // A server that need not know the way to clients need not know that to their routers either.
  if (connection.has_own_local()) ip->source = connection.local;
  take_hop<F>(packet, error);
  finish_icmp<F>(packet, error);
}

template <typename F>
void error_to_client(const Packet& packet, const Parsed& error, const Parsed& quoted,
                     const Connection<F>& connection) {
  auto* about = packet.at<typename F::Header>(quoted.l3);
  auto* ports = packet.at<net::UdpHeader>(quoted.l4);
  replace_quoted<F>(packet, quoted, about->destination, ports->destination_port, connection.vip,
                    connection.vip_port);
  replace_quoted<F>(packet, quoted, about->source, ports->source_port, connection.client,
                    connection.client_port);
  auto* ip = packet.at<typename F::Header>(error.l3);
  ip->source = connection.vip;
  ip->destination = connection.client;
  take_hop<F>(packet, error);
  finish_icmp<F>(packet, error);
}

namespace {

struct TypeAndCode {
  std::uint8_t type;
  std::uint8_t code;
};

template <typename F>
TypeAndCode type_of(Refusal refusal) {
  constexpr bool kV4 = F::kFamily == Family::kV4;
  switch (refusal) {
    case Refusal::kTooBig:
      return kV4 ? TypeAndCode{net::kIcmpUnreachable, net::kIcmpTooBig}
                 : TypeAndCode{net::kIcmp6TooBig, 0};
    case Refusal::kTtlExpired:
      return {kV4 ? net::kIcmpTimeExceeded : net::kIcmp6TimeExceeded, 0};
    case Refusal::kHostUnreachable:
      return kV4 ? TypeAndCode{net::kIcmpUnreachable, net::kIcmpHostUnreachable}
                 : TypeAndCode{net::kIcmp6Unreachable, net::kIcmp6AddressUnreachable};
    case Refusal::kPortUnreachable:
      break;
  }
  return kV4 ? TypeAndCode{net::kIcmpUnreachable, net::kIcmpPortUnreachable}
             : TypeAndCode{net::kIcmp6Unreachable, net::kIcmp6PortUnreachable};
}

// Nobody answers to such a source (RFC 1812 §4.3.2.7), and a router may cut what may be cut.
bool is_allowed(const net::Ipv4Header& ip, Refusal refusal) {
  const std::uint32_t source = ip.source.value();
  if (source == 0 || source >> 28 >= 0xe || source >> 24 == 127) return false;
  return refusal != Refusal::kTooBig || (ip.fragment.value() & net::kIpv4DontFragment) != 0;
}

bool is_allowed(const net::Ipv6Header& ip, Refusal) {
  const auto& bytes = ip.source.bytes;
  return bytes[0] != 0xff && !std::ranges::all_of(bytes, [](auto byte) { return byte == 0; });
}

void write_ip(net::Ipv4Header& ip, std::size_t payload, net::be32 from, net::be32 to) {
  ip = {};
  ip.version_ihl = 0x45;
  ip.total_length.set(static_cast<std::uint16_t>(sizeof(ip) + payload));
  ip.fragment.set(net::kIpv4DontFragment);
  ip.ttl = kHops;
  ip.protocol = static_cast<std::uint8_t>(net::Protocol::kIcmp);
  ip.source = from;
  ip.destination = to;
}

void write_ip(net::Ipv6Header& ip, std::size_t payload, const net::Ip6& from, const net::Ip6& to) {
  ip = {};
  ip.version_class_label.set(6u << 28);
  ip.payload_length.set(static_cast<std::uint16_t>(payload));
  ip.next_header = net::kIpv6Icmp;
  ip.hop_limit = kHops;
  ip.source = from;
  ip.destination = to;
}

}  // namespace

template <typename F>
Made make_error(Packet& packet, const Parsed& parsed, Refusal refusal, std::uint16_t mtu,
                const typename F::Address& speaker) {
  using Header = typename F::Header;
  constexpr std::size_t kAdded = sizeof(Header) + sizeof(net::IcmpHeader);
  constexpr std::size_t kLongest = F::kFamily == Family::kV4 ? kLongest4 : kLongest6;
  if (packet.headroom < kAdded) return Made::kNoRoom;
  const Header& about = *packet.at<Header>(parsed.l3);
  if (!is_allowed(about, refusal)) return Made::kNotAllowed;
  const typename F::Address sender = about.source;
  const std::size_t quoted = std::min<std::size_t>(parsed.l3_length, kLongest - kAdded);

  net::EthernetHeader ethernet = *packet.at<net::EthernetHeader>(0);
  std::swap(ethernet.source, ethernet.destination);
  packet.data -= kAdded;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom - kAdded);
  packet.length = static_cast<std::uint16_t>(parsed.l3 + kAdded + quoted);
  *packet.at<net::EthernetHeader>(0) = ethernet;

  Parsed error;
  error.l3 = parsed.l3;
  error.l4 = static_cast<std::uint16_t>(parsed.l3 + sizeof(Header));
  error.l3_length = static_cast<std::uint16_t>(kAdded + quoted);
  write_ip(*packet.at<Header>(error.l3), sizeof(net::IcmpHeader) + quoted, speaker, sender);
  if constexpr (F::kFamily == Family::kV4) finish_ip(packet, error.l3);
  const TypeAndCode what = type_of<F>(refusal);
  auto* icmp = packet.at<net::IcmpHeader>(error.l4);
  *icmp = {};
  icmp->type = what.type;
  icmp->code = what.code;
  // The MTU lies in the low half of what an echo has as id and sequence, also of ICMPv6's 32 bits.
  if (refusal == Refusal::kTooBig) icmp->sequence.set(mtu);
  finish_icmp<F>(packet, error);
  return Made::kDone;
}

#define KEEPLINE_ERRORS_OF(F)                                                             \
  template std::optional<Parsed> quoted_in<F>(const Packet&, const Parsed&);              \
  template std::optional<Parsed> quoted_at<F>(const Packet&, std::uint16_t, std::size_t); \
  template bool icmp_checksum_ok<F>(const Packet&, const Parsed&);                        \
  template void error_to_real<F>(const Packet&, const Parsed&, const Parsed&,             \
                                 const Connection<F>&);                                   \
  template void error_to_client<F>(const Packet&, const Parsed&, const Parsed&,           \
                                   const Connection<F>&);                                 \
  template Made make_error<F>(Packet&, const Parsed&, Refusal, std::uint16_t, const F::Address&)
KEEPLINE_ERRORS_OF(net::V4);
KEEPLINE_ERRORS_OF(net::V6);
#undef KEEPLINE_ERRORS_OF

}  // namespace keepline::lb
