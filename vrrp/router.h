// Which instance an advert is for: (port, VRID, family) -> index.
//
// PURE; filled by the control thread at start and reload, asked for every advert. Bound:
// kMaxInstances entries. An unknown VRID is normal on a shared LAN; it is counted, not logged.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace keepline::vrrp {

inline constexpr std::size_t kMaxInstances = 4096;

class Router {
 public:
  enum class Add : std::uint8_t { kAdded, kDuplicate, kFull };

  /// VRIDs of IPv4 and IPv6 are numbered apart (RFC 9568 §1.2).
  Add add(std::uint16_t port, std::uint8_t vrid, bool is_v6, std::uint32_t index) {
    const Entry entry{key_of(port, vrid, is_v6), index};
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), entry, by_key);
    if (at != entries_.end() && at->key == entry.key) return Add::kDuplicate;
    if (entries_.size() == kMaxInstances) return Add::kFull;
    entries_.insert(at, entry);
    return Add::kAdded;
  }

  /// The index given to add(), or nothing, which is counted.
  std::optional<std::uint32_t> find(std::uint16_t port, std::uint8_t vrid, bool is_v6) {
    const Entry wanted{key_of(port, vrid, is_v6), 0};
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), wanted, by_key);
    if (at != entries_.end() && at->key == wanted.key) return at->index;
    ++unknown_vrid_;
    return std::nullopt;
  }

  void remove(std::uint16_t port, std::uint8_t vrid, bool is_v6) {
    const std::uint32_t key = key_of(port, vrid, is_v6);
    std::erase_if(entries_, [key](const Entry& entry) { return entry.key == key; });
  }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t unknown_vrid() const { return unknown_vrid_; }

 private:
  struct Entry {
    std::uint32_t key = 0;
    std::uint32_t index = 0;
  };
  static std::uint32_t key_of(std::uint16_t port, std::uint8_t vrid, bool is_v6) {
    return std::uint32_t{port} << 9 | std::uint32_t{is_v6} << 8 | vrid;
  }
  static bool by_key(const Entry& a, const Entry& b) { return a.key < b.key; }

  std::vector<Entry> entries_;  ///< Sorted by key.
  std::uint64_t unknown_vrid_ = 0;
};

}  // namespace keepline::vrrp
