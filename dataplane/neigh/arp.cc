#include "dataplane/neigh/arp.h"

#include <cstring>

namespace keepline::neigh {

using net::ArpHeader;
using net::EthernetHeader;

void make_arp_reply(const net::Packet& packet, const net::Mac& mac) {
  auto* ethernet = packet.at<EthernetHeader>(0);
  auto* arp = packet.at<ArpHeader>(sizeof(EthernetHeader));
  const net::be32 vip = arp->target_ip;
  arp->operation.set(net::kArpReply);
  arp->target_mac = arp->sender_mac;
  arp->target_ip = arp->sender_ip;
  arp->sender_mac = mac;
  arp->sender_ip = vip;
  // To the frame's sender rather than the ARP sender: that is who can be reached.
  ethernet->destination = ethernet->source;
  ethernet->source = mac;
}

ArpFrame make_gratuitous_arp(net::Ip4 vip, const net::Mac& mac) {
  ArpFrame frame{};
  const EthernetHeader ethernet{net::kBroadcastMac, mac, net::be16(net::kEtherTypeArp)};
  ArpHeader arp{};
  arp.hardware_type.set(1);
  arp.protocol_type.set(net::kEtherTypeIpv4);
  arp.hardware_length = 6;
  arp.protocol_length = 4;
  arp.operation.set(net::kArpRequest);
  arp.sender_mac = mac;
  arp.sender_ip = vip.be();
  arp.target_mac = net::kBroadcastMac;
  arp.target_ip = vip.be();
  std::memcpy(frame.data(), &ethernet, sizeof ethernet);
  std::memcpy(frame.data() + sizeof ethernet, &arp, sizeof arp);
  return frame;
}

}  // namespace keepline::neigh
