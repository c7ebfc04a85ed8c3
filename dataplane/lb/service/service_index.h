// From a packet's destination to the service that it belongs to.
//
// PURE, immutable. Open addressing, at most a quarter full: a packet for no service, which is what
// return traffic is, usually ends at the first probe.
#pragma once

#include <bit>
#include <vector>

#include "dataplane/lb/lease.h"
#include "dataplane/lb/service/service.h"
#include "dataplane/net/family.h"

namespace keepline::lb {

template <typename F>
class ServiceIndex {
 public:
  using Address = typename F::Address;

  struct Entry {
    Address address{};
    net::be16 port;
    net::Protocol protocol{};  ///< Zero: a free place.
    LeaseSlot lease = kNeverOurs;
    ServiceSlot slot = 0;
  };

  ServiceIndex() = default;
  explicit ServiceIndex(const std::vector<Entry>& entries)
      : places_(std::bit_ceil(4 * entries.size() + 1)) {
    for (const Entry& entry : entries) {
      std::size_t at = place_of(entry.address, entry.port, entry.protocol);
      while (places_[at].protocol != net::Protocol{}) at = (at + 1) & (places_.size() - 1);
      places_[at] = entry;
    }
  }

  /// nullptr: there is none.
  const Entry* find(const Address& address, net::be16 port, net::Protocol protocol) const {
    if (places_.empty()) return nullptr;
    std::size_t at = place_of(address, port, protocol);
    for (; places_[at].protocol != net::Protocol{}; at = (at + 1) & (places_.size() - 1)) {
      const Entry& entry = places_[at];
      if (entry.port == port && entry.address == address && entry.protocol == protocol) {
        return &entry;
      }
    }
    return nullptr;
  }

 private:
  static std::uint64_t raw(net::be32 address) { return address.raw(); }
  static std::uint64_t raw(const net::Ip6& address) {
    return address.raw_high() ^ std::rotl(address.raw_low(), 23);
  }
  std::size_t place_of(const Address& address, net::be16 port, net::Protocol protocol) const {
    const std::uint64_t key = raw(address) ^ (std::uint64_t{port.raw()} << 40) ^
                              (std::uint64_t{static_cast<std::uint8_t>(protocol)} << 56);
    return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15) >> 40) & (places_.size() - 1);
  }

  std::vector<Entry> places_;
};

}  // namespace keepline::lb
