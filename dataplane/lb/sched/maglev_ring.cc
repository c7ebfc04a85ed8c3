#include "dataplane/lb/sched/maglev_ring.h"

#include <algorithm>

#include "dataplane/net/flow.h"

namespace keepline::lb {

namespace {

// Each about twice the one before.
constexpr std::uint32_t kPrimes[] = {251,
                                     509,
                                     1021,
                                     2039,
                                     4093,
                                     8191,
                                     16381,
                                     32749,
                                     65537,
                                     131071,
                                     262139,
                                     524287,
                                     MaglevRing::kMaxSlots};

std::uint32_t prime_from(std::uint64_t least) {
  for (const std::uint32_t prime : kPrimes) {
    if (prime >= least) return prime;
  }
  return MaglevRing::kMaxSlots;
}

// The number with which `number` gives 1 modulo the prime (Fermat).
std::uint32_t inverse(std::uint32_t number, std::uint32_t prime) {
  std::uint64_t result = 1;
  std::uint64_t power = number;
  for (std::uint32_t bits = prime - 2; bits != 0; bits >>= 1) {
    if ((bits & 1) != 0) result = result * power % prime;
    power = power * power % prime;
  }
  return static_cast<std::uint32_t>(result);
}

}  // namespace

// A server's own order of the slots. Skipping by any number visits them all, as theirs is prime.
struct MaglevRing::Order {
  std::uint32_t next = 0;
  std::uint32_t skip = 1;
  std::uint32_t inverse_skip = 0;  // once it is needed
  std::uint32_t weight = 0;
  std::uint64_t credit = 0;  // towards a turn, which costs the largest weight
  std::uint16_t member = 0;
};

// The slots that nobody has yet. A server goes through its order until it meets one; when few are
// left that takes long, and the place of each in the server's order is computed instead.
class MaglevRing::Free {
 public:
  explicit Free(std::uint32_t slots) : size_(slots), left_(slots), taken_((slots + 63) / 64) {}

  std::uint32_t left() const { return left_; }
  /// The first free slot in this order, which is not free any more.
  std::uint32_t take(Order& order) {
    const std::uint32_t slot =
        std::uint64_t{left_} * left_ > size_ ? walk(order) : take_from_few(order);
    --left_;
    order.next = slot + order.skip < size_ ? slot + order.skip : slot + order.skip - size_;
    return slot;
  }

 private:
  bool is_taken(std::uint32_t slot) const { return (taken_[slot / 64] >> (slot % 64) & 1) != 0; }

  std::uint32_t walk(const Order& order) {
    std::uint32_t slot = order.next;
    while (is_taken(slot)) {
      slot += order.skip;
      if (slot >= size_) slot -= size_;
    }
    taken_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    return slot;
  }

  std::uint32_t take_from_few(Order& order) {
    if (few_.empty()) {
      for (std::uint32_t slot = 0; slot < size_; ++slot) {
        if (!is_taken(slot)) few_.push_back(slot);
      }
    }
    if (order.inverse_skip == 0) order.inverse_skip = inverse(order.skip, size_);
    const auto steps_to = [&](std::uint32_t slot) {
      const std::uint64_t way = slot >= order.next ? slot - order.next : slot + size_ - order.next;
      return way * order.inverse_skip % size_;
    };
    const auto first = std::ranges::min_element(few_, {}, steps_to);
    const std::uint32_t slot = *first;
    *first = few_.back();
    few_.pop_back();
    return slot;
  }

  std::uint32_t size_;
  std::uint32_t left_;
  std::vector<std::uint64_t> taken_;  // bits, which stay in the first-level cache
  std::vector<std::uint32_t> few_;
};

MaglevRing::MaglevRing(std::span<const Member> members, std::uint32_t slots)
    : slots_(prime_from(std::max<std::uint64_t>(
                 slots, members.size() * (slots == 0 ? kSlotsPerMember : 1))),
             kNobody) {
  fill(members.first(std::min(members.size(), kMaxMembers)));
}

void MaglevRing::fill(std::span<const Member> members) {
  const auto size = static_cast<std::uint32_t>(slots_.size());
  std::vector<Order> orders;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].weight == 0) continue;
    const std::uint64_t first =
        net::detail::fold(members[i].identity ^ net::detail::kFirst, net::detail::kSecond);
    const std::uint64_t second =
        net::detail::fold(first ^ net::detail::kSecond, net::detail::kFirst);
    orders.push_back({static_cast<std::uint32_t>(first % size),
                      static_cast<std::uint32_t>(second % (size - 1) + 1), 0, members[i].weight, 0,
                      static_cast<std::uint16_t>(i)});
  }
  if (orders.empty()) return;
  // Who comes first in a round must not depend on the order in a file.
  std::ranges::stable_sort(orders, {},
                           [&](const Order& order) { return members[order.member].identity; });
  const std::uint64_t turn_price = std::ranges::max(orders, {}, &Order::weight).weight;
  Free free(size);
  while (true) {
    for (Order& order : orders) {
      order.credit += order.weight;
      if (order.credit < turn_price) continue;
      order.credit -= turn_price;
      slots_[free.take(order)] = order.member;
      if (free.left() == 0) return;
    }
  }
}

}  // namespace keepline::lb
