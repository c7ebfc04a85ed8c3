#include "dataplane/lb/icmp/echo.h"

#include "dataplane/net/checksum.h"

namespace keepline::lb {

namespace {

constexpr std::uint8_t kTtl = 64;

}  // namespace

Echo make_echo_reply(const net::Packet& packet, const net::Parsed& parsed, const net::Mac& mac) {
  auto* ip = packet.at<net::Ipv4Header>(parsed.l3);
  auto* icmp = packet.at<net::IcmpHeader>(parsed.l4);
  const std::size_t icmp_length =
      static_cast<std::size_t>(parsed.l3 + parsed.l3_length - parsed.l4);
  if (net::checksum({packet.data + parsed.l4, icmp_length}).value() != 0) {
    return Echo::kBadChecksum;
  }
  // Type and code are one 16-bit word of the checksum: 0x0800 becomes 0.
  icmp->type = net::kIcmpEchoReply;
  net::ChecksumDelta delta;
  delta.replace(net::be16(net::kIcmpEchoRequest << 8), net::be16(0));
  delta.apply(icmp->checksum);

  std::swap(ip->source, ip->destination);
  ip->ttl = kTtl;
  ip->checksum.set(0);
  ip->checksum = net::checksum({packet.data + parsed.l3, ip->header_length()});

  auto* ethernet = packet.at<net::EthernetHeader>(0);
  ethernet->destination = ethernet->source;
  ethernet->source = mac;
  return Echo::kReplied;
}

}  // namespace keepline::lb
