// Whether a tracked script counts as good: its results, damped by rise and fall.
//
// PURE. keepalived's rule: `rise` successes in a row make it good, `fall` failures in a row bad;
// the first result of all decides at once, either way.
#pragma once

#include <cstdint>

namespace keepline::vrrp {

enum class Outcome : std::uint8_t { kUnknown, kGood, kBad };

class ScriptStatus {
 public:
  /// Both at least 1. `is_bad` is init_fail: bad until it has succeeded `rise` times.
  ScriptStatus(std::uint32_t rise, std::uint32_t fall, bool is_bad)
      : rise_(rise), fall_(fall), outcome_(is_bad ? Outcome::kBad : Outcome::kUnknown) {}

  Outcome outcome() const { return outcome_; }

  /// Whether the outcome is another one now.
  bool note(bool succeeded) {
    const Outcome wish = succeeded ? Outcome::kGood : Outcome::kBad;
    if (wish == outcome_) {
      in_row_ = 0;
      return false;
    }
    const std::uint32_t needed = succeeded ? rise_ : fall_;
    if (outcome_ != Outcome::kUnknown && ++in_row_ < needed) return false;
    outcome_ = wish;
    in_row_ = 0;
    return true;
  }

 private:
  std::uint32_t rise_;
  std::uint32_t fall_;
  Outcome outcome_;
  std::uint32_t in_row_ = 0;  // results that speak against the outcome
};

}  // namespace keepline::vrrp
