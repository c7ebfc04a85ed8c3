#include "dataplane/port/vlan_port.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "dataplane/net/headers.h"

namespace keepline::port {

namespace {

constexpr std::size_t kAddresses = offsetof(net::EthernetHeader, type);
constexpr std::uint16_t kTagBytes = sizeof(net::VlanTag);

void strip(net::Packet& packet) {
  std::memmove(packet.data + kTagBytes, packet.data, kAddresses);
  packet.data += kTagBytes;
  packet.length = static_cast<std::uint16_t>(packet.length - kTagBytes);
  packet.headroom = static_cast<std::uint16_t>(packet.headroom + kTagBytes);
}

// False: there is no room in front of the frame.
bool tag(rte_mbuf* mbuf, std::uint16_t vlan) {
  char* front = rte_pktmbuf_prepend(mbuf, kTagBytes);
  if (front == nullptr) return false;
  auto* frame = reinterpret_cast<std::uint8_t*>(front);
  std::memmove(frame, frame + kTagBytes, kAddresses);
  // What was the type of the frame is that of the tag now.
  const net::be16 words[] = {net::be16(net::kEtherTypeVlan), net::be16(vlan)};
  std::memcpy(frame + kAddresses, words, sizeof words);
  return true;
}

}  // namespace

VlanTrunk::VlanTrunk(Port& device) : device_(device) {}

void VlanTrunk::add(VlanPort& port) {
  ports_.push_back(&port);
  by_vlan_[port.vlan_] = &port;
}

// A tag with number 0 is but a priority.
VlanPort* VlanTrunk::port_of(net::Packet& packet, bool& stripped) {
  VlanPort* untagged = by_vlan_[kUntagged];
  constexpr std::size_t kTagAt = sizeof(net::EthernetHeader);
  if (packet.length < kTagAt + kTagBytes ||
      packet.at<net::EthernetHeader>(0)->type.value() != net::kEtherTypeVlan) {
    return untagged;
  }
  VlanPort* port = by_vlan_[packet.at<net::VlanTag>(kTagAt)->number()];
  if (port == nullptr) return untagged;
  strip(packet);
  stripped = true;
  return port;
}

void VlanTrunk::poll() {
  for (const VlanPort* port : ports_) {
    if (port->room() < net::kBurstSize) return;
  }
  std::array<net::Packet, net::kBurstSize> packets;
  const std::size_t count = device_.receive(packets);
  bool stripped = false;
  for (net::Packet& packet : std::span(packets).first(count)) {
    VlanPort* port = port_of(packet, stripped);
    if (port != nullptr) {
      port->arrive(packet);
    } else {
      device_.release({&packet.buffer, 1});
      packet.buffer = nullptr;
    }
  }
  if (!stripped) return;
  const auto kept = std::remove_if(packets.begin(), packets.begin() + count,
                                   [](const auto& packet) { return packet.buffer == nullptr; });
  device_.resize({packets.begin(), kept});
}

VlanPort::VlanPort(VlanTrunk& trunk, std::uint16_t vlan, rte_mempool* pool)
    : MbufPort(pool), trunk_(trunk), vlan_(vlan) {
  trunk.add(*this);
}

std::size_t VlanPort::receive(std::span<net::Packet> packets) {
  if (count_ == 0) trunk_.poll();
  const std::size_t taken = std::min(count_, packets.size());
  std::copy_n(waiting_.begin(), taken, packets.begin());
  std::copy(waiting_.begin() + static_cast<std::ptrdiff_t>(taken),
            waiting_.begin() + static_cast<std::ptrdiff_t>(count_), waiting_.begin());
  count_ -= taken;
  return taken;
}

// What the device does not take goes back to the caller with its tag: to be released.
std::size_t VlanPort::transmit(Buffers buffers) {
  if (vlan_ == VlanTrunk::kUntagged) return trunk_.device_.transmit(buffers);
  std::size_t tagged = 0;
  while (tagged < buffers.size() && tag(static_cast<rte_mbuf*>(buffers[tagged]), vlan_)) ++tagged;
  return trunk_.device_.transmit(buffers.first(tagged));
}

}  // namespace keepline::port
