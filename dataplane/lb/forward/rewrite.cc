#include "dataplane/lb/forward/rewrite.h"

#include "dataplane/net/checksum.h"

namespace keepline::lb {

using net::be16;
using net::be32;

namespace {

// A UDP checksum of zero means "none": it stays none, and a computed zero is sent as 0xffff
// (RFC 768).
void update_udp_checksum(be16& field, const net::ChecksumDelta& delta) {
  if (field.raw() == 0) return;
  delta.apply(field);
  if (field.raw() == 0) field.set(0xffff);
}

// Replaces one address of the IPv4 header and one port behind it; the transport checksum covers
// both, the first through its pseudo header.
void replace_endpoint(const net::Packet& packet, const net::Parsed& parsed, be32& address,
                      be16& port, be32 new_address, be16 new_port) {
  net::ChecksumDelta ip_delta;
  ip_delta.replace(address, new_address);
  net::ChecksumDelta transport_delta = ip_delta;
  transport_delta.replace(port, new_port);
  address = new_address;
  port = new_port;
  ip_delta.apply(packet.at<net::Ipv4Header>(parsed.l3)->checksum);
  if (parsed.protocol == net::Protocol::kTcp) {
    transport_delta.apply(packet.at<net::TcpHeader>(parsed.l4)->checksum);
  } else {
    update_udp_checksum(packet.at<net::UdpHeader>(parsed.l4)->checksum, transport_delta);
  }
}

}  // namespace

// TCP and UDP have their ports in the same place, so one view serves both.
void nat_to_real(const net::Packet& packet, const net::Parsed& parsed,
                 const Connection& connection) {
  replace_endpoint(packet, parsed, packet.at<net::Ipv4Header>(parsed.l3)->destination,
                   packet.at<net::UdpHeader>(parsed.l4)->destination_port, connection.real,
                   connection.real_port);
}

void nat_to_client(const net::Packet& packet, const net::Parsed& parsed,
                   const Connection& connection) {
  replace_endpoint(packet, parsed, packet.at<net::Ipv4Header>(parsed.l3)->source,
                   packet.at<net::UdpHeader>(parsed.l4)->source_port, connection.vip,
                   connection.vip_port);
}

void decrement_ttl(const net::Packet& packet, const net::Parsed& parsed) {
  auto* ip = packet.at<net::Ipv4Header>(parsed.l3);
  // The checksum works on pairs of bytes: TTL and protocol are one.
  const be16 before(static_cast<std::uint16_t>(ip->ttl << 8 | ip->protocol));
  --ip->ttl;
  net::ChecksumDelta delta;
  delta.replace(before, be16(static_cast<std::uint16_t>(ip->ttl << 8 | ip->protocol)));
  delta.apply(ip->checksum);
}

void set_link_header(const net::Packet& packet, const net::Mac& destination,
                     const net::Mac& source) {
  auto* ethernet = packet.at<net::EthernetHeader>(0);
  ethernet->destination = destination;
  ethernet->source = source;
}

}  // namespace keepline::lb
