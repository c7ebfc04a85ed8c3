// A Maglev ring: which server a hash leads to, so that a change of the servers moves few hashes.
//
// PURE, immutable; built by the builder's thread, read by workers. Eisenbud and others, "Maglev: A
// Fast and Reliable Software Network Load Balancer", NSDI 2016, §3.4; with weights: a server takes
// its turn in as many rounds as its part of the largest weight.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace keepline::lb {

class MaglevRing {
 public:
  struct Member {
    std::uint64_t identity = 0;  ///< The same on all nodes, whatever the order of the servers.
    std::uint32_t weight = 1;    ///< 0: not in the ring.
  };
  static constexpr std::uint16_t kNobody = 0xffff;
  static constexpr std::size_t kMaxMembers = kNobody;
  static constexpr std::uint32_t kMaxSlots = 1'048'573;
  /// Slots for each server, or more: the loads then differ by no more than a percent or so.
  static constexpr std::uint32_t kSlotsPerMember = 100;

  /// A ring with a prime number of slots, at least `slots`, or when that is zero kSlotsPerMember
  /// for each member; kMaxSlots at most. Members beyond kMaxMembers are left out.
  explicit MaglevRing(std::span<const Member> members, std::uint32_t slots = 0);

  /// Place in `members`, or kNobody when all weights are zero.
  std::uint16_t at(std::uint64_t hash) const {
    // The high bits of the product: a remainder without a division.
    const auto scaled = (hash >> 32) * slots_.size();
    return slots_[static_cast<std::size_t>(scaled >> 32)];
  }
  std::span<const std::uint16_t> slots() const { return slots_; }

 private:
  struct Order;
  class Free;
  void fill(std::span<const Member> members);

  std::vector<std::uint16_t> slots_;
};

}  // namespace keepline::lb
