#include "dataplane/port/bond_port.h"

#include <rte_mbuf.h>

#include <array>
#include <bit>
#include <cstring>

#include "dataplane/net/headers.h"

namespace keepline::port {

namespace {

constexpr std::size_t kMacs = 12;

std::uint16_t word_at(net::Bytes frame, std::size_t at) {
  return static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]);
}

// All of [from, to) in four bytes.
std::uint32_t fold(net::Bytes frame, std::size_t from, std::size_t to) {
  std::uint32_t all = 0;
  for (std::size_t at = from; at + 4 <= to; at += 4) {
    std::uint32_t four = 0;
    std::memcpy(&four, frame.data() + at, sizeof four);
    all ^= four;
  }
  return all;
}

bool has_ports(std::uint8_t protocol) {
  return net::has_ports(static_cast<net::Protocol>(protocol));
}

std::uint32_t mix(std::uint32_t value) {
  value ^= value >> 16;
  return value * 0x9e3779b1u;  // 2^32 over the golden ratio: Knuth, TAOCP 3, 6.4
}

net::Bytes frame_of(const void* buffer) {
  const auto* mbuf = static_cast<const rte_mbuf*>(buffer);
  return {rte_pktmbuf_mtod(mbuf, const std::uint8_t*), rte_pktmbuf_data_len(mbuf)};
}

// The NIC for a hash: as many shares as there are bits.
unsigned nic_for(std::uint32_t hash, std::uint32_t in_use) {
  auto skip = static_cast<unsigned>(std::uint64_t{hash} * std::popcount(in_use) >> 32);
  for (; skip > 0; --skip) in_use &= in_use - 1;
  return static_cast<unsigned>(std::countr_zero(in_use));
}

}  // namespace

std::uint32_t ends_hash(net::Bytes frame) {
  std::size_t at = kMacs;
  if (frame.size() < at + sizeof(net::VlanTag) + 2) return 0;
  if (word_at(frame, at) == net::kEtherTypeVlan) at += sizeof(net::VlanTag);
  const std::uint16_t kind = word_at(frame, at);
  const std::size_t ip = at + 2;
  if (kind == net::kEtherTypeIpv4 && frame.size() >= ip + 24) {
    const bool whole = (word_at(frame, ip + 6) & 0x3fff) == 0 && frame[ip] == 0x45;
    return mix(fold(frame, ip + 12, whole && has_ports(frame[ip + 9]) ? ip + 24 : ip + 20));
  }
  if (kind == net::kEtherTypeIpv6 && frame.size() >= ip + 44) {
    return mix(fold(frame, ip + 8, has_ports(frame[ip + 6]) ? ip + 44 : ip + 40));
  }
  return mix(fold(frame, 0, kMacs));
}

BondPort::BondPort(const BondState& state, std::vector<std::unique_ptr<Port>> nics)
    : state_(state), nics_(std::move(nics)) {}

std::size_t BondPort::receive(std::span<net::Packet> packets) {
  const std::size_t nic = next_;
  next_ = next_ + 1 == nics_.size() ? 0 : next_ + 1;
  const std::size_t count = nics_[nic]->receive(packets);
  if ((state_.in_use() >> nic & 1) != 0) return count;
  for (std::size_t i = 0; i < count; ++i) release({&packets[i].buffer, 1});
  return 0;
}

// In runs, so that what is left over is at the end.
std::size_t BondPort::transmit(Buffers buffers) {
  const std::uint32_t in_use = state_.in_use();
  if (in_use == 0) return 0;
  if (std::has_single_bit(in_use)) {
    return nics_[static_cast<unsigned>(std::countr_zero(in_use))]->transmit(buffers);
  }
  std::size_t sent = 0;
  while (sent < buffers.size()) {
    const unsigned nic = nic_for(ends_hash(frame_of(buffers[sent])), in_use);
    std::size_t end = sent + 1;
    while (end < buffers.size() && nic_for(ends_hash(frame_of(buffers[end])), in_use) == nic) ++end;
    const std::size_t taken = nics_[nic]->transmit(buffers.subspan(sent, end - sent));
    sent += taken;
    if (sent < end) break;
  }
  return sent;
}

std::uint64_t BondPort::missed() const {
  std::uint64_t all = 0;
  for (const auto& nic : nics_) all += nic->missed();
  return all;
}

}  // namespace keepline::port
