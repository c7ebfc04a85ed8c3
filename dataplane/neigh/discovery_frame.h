// The frame around a message of neighbour discovery: for nd.cc and claim.cc.
//
// PURE. RFC 4861 §4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/neigh/nd.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace keepline::neigh {

struct DiscoveryEnds {
  net::Mac from_mac;
  net::Mac to_mac;
  net::Ip6 source;
  net::Ip6 destination;
};

/// `message` without its checksum, which is worked out here.
template <typename Message>
std::array<std::uint8_t, sizeof(net::EthernetHeader) + sizeof(net::Ipv6Header) + sizeof(Message)>
make_discovery_frame(const DiscoveryEnds& ends, Message message) {
  const net::EthernetHeader ethernet{ends.to_mac, ends.from_mac, net::be16(net::kEtherTypeIpv6)};
  net::Ipv6Header ip{};
  ip.version_class_label = net::be32(0x60000000);
  ip.payload_length.set(sizeof message);
  ip.next_header = net::kIpv6Icmp;
  ip.hop_limit = kDiscoveryHopLimit;
  ip.source = ends.source;
  ip.destination = ends.destination;

  std::array<std::uint8_t, sizeof ethernet + sizeof ip + sizeof message> frame{};
  std::uint8_t* at = frame.data();
  std::memcpy(at, &ethernet, sizeof ethernet);
  std::memcpy(at += sizeof ethernet, &ip, sizeof ip);
  std::memcpy(at += sizeof ip, &message, sizeof message);
  const std::uint64_t pseudo =
      net::pseudo_header_sum(ip.source, ip.destination, ip.next_header, sizeof message);
  const net::be16 checksum = net::checksum_finish(net::checksum_add(pseudo, {at, sizeof message}));
  std::memcpy(at + offsetof(Message, checksum), &checksum, sizeof checksum);
  return frame;
}

}  // namespace keepline::neigh
