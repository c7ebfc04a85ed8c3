// How many ICMP errors of our own a worker may send (RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)).
//
// PURE, single writer.
#pragma once

#include <cstdint>

namespace keepline::lb {

class RefusalBudget {
 public:
  static constexpr std::uint32_t kPerSecond = 1000;

  enum class Spend : std::uint8_t { kDone, kNothingLeft };
  /// For one more error, on the pipeline's clock.
  Spend spend(std::uint32_t now_s) {
    if (now_s != second_) {
      second_ = now_s;
      left_ = kPerSecond;
    }
    if (left_ == 0) return Spend::kNothingLeft;
    --left_;
    return Spend::kDone;
  }

 private:
  std::uint32_t second_ = 0;
  std::uint32_t left_ = kPerSecond;
};

}  // namespace keepline::lb
