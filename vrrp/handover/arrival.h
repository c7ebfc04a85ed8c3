// A new master until its clients are led to it: it forwards at once, but answers nobody.
//
// PURE. Its kernel may still be taking the addresses: who asked would be led to where a service of
// the node does not hear him. The first gratuitous ARP ends it. One that preempts has to claim
// before that (Speaker::claim).
#pragma once

#include <cstdint>
#include <optional>

namespace keepline::vrrp {

class Arrival {
 public:
  /// A lease was granted; the first one comes before the instance is master.
  void handle_lease() {
    if (!is_master_) leads_nobody_ = true;
  }
  void handle_state(bool is_master) {
    if (!is_master) *this = Arrival();
    is_master_ = is_master;
  }
  /// Clients are led here from now on.
  void lead() { leads_nobody_ = false; }

  enum class News : std::uint8_t { kFirst, kKnown };
  /// Whoever serves has to be told that this node is about to; kFirst: now.
  News claim(std::int64_t now_us) {
    if (claimed_us_) return News::kKnown;
    claimed_us_ = now_us;
    return News::kFirst;
  }
  /// Only after claim().
  std::int64_t claimed_us() const { return *claimed_us_; }

  /// A master that answers nobody.
  bool leads_nobody() const { return leads_nobody_; }

 private:
  bool is_master_ = false;
  bool leads_nobody_ = false;
  std::optional<std::int64_t> claimed_us_;
};

}  // namespace keepline::vrrp
