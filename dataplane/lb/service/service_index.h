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

/// Address, port and protocol: for IPv4 in one register, which is compared and hashed at once.
template <typename F>
class ServiceKey;

template <>
class ServiceKey<net::V4> {
 public:
  ServiceKey() = default;
  ServiceKey(net::be32 address, net::be16 port, net::Protocol protocol)
      : raw_(address.raw() | (std::uint64_t{port.raw()} << 32) |
             (std::uint64_t{static_cast<std::uint8_t>(protocol)} << 48)) {}
  bool is_none() const { return raw_ == 0; }
  bool is_any_port() const { return (raw_ >> 32 & 0xffff) == 0; }
  std::uint64_t mixed() const { return raw_; }
  friend bool operator==(const ServiceKey&, const ServiceKey&) = default;

 private:
  std::uint64_t raw_ = 0;
};

template <>
class ServiceKey<net::V6> {
 public:
  ServiceKey() = default;
  ServiceKey(const net::Ip6& address, net::be16 port, net::Protocol protocol)
      : high_(address.raw_high()),
        low_(address.raw_low()),
        rest_(port.raw() | (std::uint64_t{static_cast<std::uint8_t>(protocol)} << 16)) {}
  bool is_none() const { return rest_ == 0; }
  bool is_any_port() const { return (rest_ & 0xffff) == 0; }
  std::uint64_t mixed() const { return high_ ^ std::rotl(low_, 23) ^ (rest_ << 32); }
  friend bool operator==(const ServiceKey&, const ServiceKey&) = default;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
  std::uint64_t rest_ = 0;
};

template <typename F>
class ServiceIndex {
 public:
  using Key = ServiceKey<F>;

  struct Entry {
    Key key;  ///< None: a free place.
    LeaseSlot lease = kNeverOurs;
    ServiceSlot slot = 0;
  };

  /// What looking up takes, as a value: kept in registers from packet to packet.
  class View {
   public:
    /// The service of this end, or else the one of all ports of its address; nullptr: neither.
    const Entry* find(const typename F::Address& address, net::be16 port,
                      net::Protocol protocol) const {
      const Entry* found = find({address, port, protocol});
      if (found == nullptr && has_any_port_) [[unlikely]]
        found = find({address, net::be16(0), protocol});
      return found;
    }
    /// nullptr: there is none.
    const Entry* find(const Key& key) const {
      std::size_t at = place_of(key, mask_);
      for (; !places_[at].key.is_none(); at = (at + 1) & mask_) {
        if (places_[at].key == key) return &places_[at];
      }
      return nullptr;
    }

   private:
    friend class ServiceIndex;
    View(const Entry* places, std::size_t mask, bool has_any_port)
        : places_(places), mask_(mask), has_any_port_(has_any_port) {}
    const Entry* places_;
    std::size_t mask_;
    bool has_any_port_;
  };

  explicit ServiceIndex(const std::vector<Entry>& entries = {})
      : places_(std::bit_ceil(4 * entries.size() + 1)) {
    const std::size_t mask = places_.size() - 1;
    for (const Entry& entry : entries) {
      std::size_t at = place_of(entry.key, mask);
      while (!places_[at].key.is_none()) at = (at + 1) & mask;
      places_[at] = entry;
      has_any_port_ = has_any_port_ || entry.key.is_any_port();
    }
  }

  View view() const { return {places_.data(), places_.size() - 1, has_any_port_}; }

 private:
  static std::size_t place_of(const Key& key, std::size_t mask) {
    return static_cast<std::size_t>((key.mixed() * 0x9e3779b97f4a7c15) >> 40) & mask;
  }

  std::vector<Entry> places_;
  bool has_any_port_ = false;  // an entry of port 0: of all ports
};

}  // namespace keepline::lb
