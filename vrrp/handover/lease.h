// The lease on mastership: until when this node may answer and forward for an instance.
//
// PURE. Control holds one per instance and renews it with each advert; the workers get the same
// deadline (GrantLease) and fall silent at it by themselves. The end is exclusive: at until_us
// the lease is over.
#pragma once

#include <cstdint>

namespace keepline::vrrp {

class Lease {
 public:
  void grant(std::int64_t until_us) {
    until_us_ = until_us;
    held_ = true;
  }
  void revoke() { held_ = false; }
  /// Granted and not revoked; it may have run out.
  bool held() const { return held_; }
  bool valid(std::int64_t now_us) const { return held_ && now_us < until_us_; }
  std::int64_t until_us() const { return until_us_; }

 private:
  std::int64_t until_us_ = 0;
  bool held_ = false;
};

}  // namespace keepline::vrrp
