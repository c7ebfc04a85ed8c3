// The lease on mastership: until when this node may answer and forward for an instance.
//
// PURE. Control holds one per instance and renews it with each advert; the workers get the same
// deadline (GrantLease) and fall silent at it by themselves. The end is exclusive: at until_us
// the lease is over.
#pragma once

#include <cstdint>
#include <limits>

namespace keepline::vrrp {

class Lease {
 public:
  void grant(std::int64_t until_us) {
    before_us_ = held_ ? until_us_ : kNone_us;
    until_us_ = until_us;
    held_ = true;
  }
  /// What the last grant() replaced holds again, if anything: its advert did not leave.
  void take_back() {
    until_us_ = before_us_;
    held_ = before_us_ != kNone_us;
  }
  void revoke() { held_ = false; }
  /// Granted and not revoked; it may have run out.
  bool held() const { return held_; }
  bool valid(std::int64_t now_us) const { return held_ && now_us < until_us_; }
  std::int64_t until_us() const { return until_us_; }

 private:
  static constexpr std::int64_t kNone_us = std::numeric_limits<std::int64_t>::min();
  std::int64_t until_us_ = 0;
  std::int64_t before_us_ = kNone_us;
  bool held_ = false;
};

}  // namespace keepline::vrrp
