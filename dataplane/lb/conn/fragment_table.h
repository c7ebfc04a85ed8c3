// Which connection the later fragments of a datagram belong to: only the first one has ports.
//
// PURE, single writer (its worker), fixed memory. A datagram is known by its addresses, protocol
// and identification (RFC 791 §3.2, RFC 8200 §4.5). Four places for each hash; the oldest gives
// way. One worker, that of the datagram's hash, knows the owner; the owner knows the connection.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/net/family.h"
#include "dataplane/net/flow.h"

namespace keepline::lb {

template <typename F>
struct DatagramKey {
  typename F::Address source{};
  typename F::Address destination{};
  std::uint32_t id = 0;
  net::Protocol protocol{};

  std::uint64_t hash() const {
    const std::uint64_t ends = net::client_hash(source, net::be16(0), protocol, id) ^
                               net::client_hash(destination, net::be16(1), protocol, id);
    return net::detail::fold(ends, net::detail::kFirst);
  }
  friend bool operator==(const DatagramKey& a, const DatagramKey& b) {
    return a.source == b.source && a.destination == b.destination && a.id == b.id &&
           a.protocol == b.protocol;
  }
};

template <typename F>
class FragmentTable {
 public:
  using Key = DatagramKey<F>;
  static constexpr std::size_t kEntries = 4096;
  static constexpr std::size_t kPlaces = 4;  ///< For a hash.
  /// Seconds after the last fragment (net.ipv4.ipfrag_time).
  static constexpr std::uint32_t kLife_s = 30;
  static constexpr std::uint32_t kNoConnection = 0xffffffff;

  struct Entry {
    Key key;
    std::uint32_t expires_s = 0;  ///< Over: a free place.
    std::uint32_t connection = kNoConnection;
    std::uint8_t owner = 0;  ///< The worker that has the connection.
  };

  /// nullptr: not known (any more). Found, it lives on.
  Entry* find(const Key& key, std::uint32_t now_s) {
    for (Entry& entry : places_of(key)) {
      if (entry.expires_s <= now_s || !(entry.key == key)) continue;
      entry.expires_s = now_s + kLife_s;
      return &entry;
    }
    return nullptr;
  }
  /// The datagram's entry, a new one if need be.
  Entry& note(const Key& key, std::uint8_t owner, std::uint32_t now_s) {
    Entry* entry = find(key, now_s);
    if (entry == nullptr) {
      auto& places = places_of(key);
      entry = &places[0];
      for (Entry& each : places) {
        if (each.expires_s < entry->expires_s) entry = &each;
      }
    }
    *entry = {key, now_s + kLife_s, kNoConnection, owner};
    return *entry;
  }

 private:
  using Places = std::array<Entry, kPlaces>;
  Places& places_of(const Key& key) { return places_[key.hash() % places_.size()]; }

  std::array<Places, kEntries / kPlaces> places_{};
};

}  // namespace keepline::lb
