#include "dataplane/lb/icmp/echo.h"

#include "dataplane/net/checksum.h"

namespace keepline::lb {

namespace {

constexpr std::uint8_t kTtl = 64;

}  // namespace

Echo make_echo_reply(const net::Packet& packet, const net::Parsed& parsed, const net::Mac& mac) {
  const bool is_v6 = parsed.family == net::Family::kV6;
  auto* icmp = packet.at<net::IcmpHeader>(parsed.l4);
  const auto length = static_cast<std::uint16_t>(parsed.l3 + parsed.l3_length - parsed.l4);
  std::uint64_t pseudo = 0;
  if (is_v6) {
    const auto* ip = packet.at<net::Ipv6Header>(parsed.l3);
    pseudo = net::pseudo_header_sum(ip->source, ip->destination, net::kIpv6Icmp, length);
  }
  const std::uint64_t sum = net::checksum_add(pseudo, {packet.data + parsed.l4, length});
  if (net::checksum_finish(sum).value() != 0) return Echo::kBadChecksum;
  // Type and code are one 16-bit word of the checksum; that of swapped addresses is the same.
  const std::uint8_t reply = is_v6 ? net::kIcmp6EchoReply : net::kIcmpEchoReply;
  net::ChecksumDelta delta;
  delta.replace(net::be16(static_cast<std::uint16_t>(icmp->type << 8)),
                net::be16(static_cast<std::uint16_t>(reply << 8)));
  icmp->type = reply;
  delta.apply(icmp->checksum);

  if (is_v6) {
    auto* ip = packet.at<net::Ipv6Header>(parsed.l3);
    std::swap(ip->source, ip->destination);
    ip->hop_limit = kTtl;
  } else {
    auto* ip = packet.at<net::Ipv4Header>(parsed.l3);
    std::swap(ip->source, ip->destination);
    ip->ttl = kTtl;
    ip->checksum.set(0);
    ip->checksum = net::checksum({packet.data + parsed.l3, ip->header_length()});
  }

  auto* ethernet = packet.at<net::EthernetHeader>(0);
  ethernet->destination = ethernet->source;
  ethernet->source = mac;
  return Echo::kReplied;
}

}  // namespace keepline::lb
