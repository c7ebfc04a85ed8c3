// A master that was succeeded, or that follows its sync group: for how long it forwards what is
// still on its way to it, and whether it answers meanwhile.
//
// PURE. One whose own successor has spoken answers nobody. One that only follows its group answers
// on until it hears its own, so that its clients are never without anybody; whom it has answered
// is then still on his way here. Who is led here even at the end is led on to the successor, while
// what he has sent before that is still forwarded.
#pragma once

#include <cstdint>
#include <optional>

#include "vrrp/handover/departure.h"

namespace keepline::vrrp {

class Lingering {
 public:
  /// Between leading clients on and the end.
  static constexpr std::int64_t kLed_us = 100'000;

  void forward(std::int64_t until_us) { set(until_us, false); }
  void answer(std::int64_t until_us) { set(until_us, true); }
  void end() { set(std::nullopt, false); }

  bool lingers() const { return until_us_.has_value(); }
  bool is_due(std::int64_t now_us) const { return until_us_ && *until_us_ <= now_us; }
  bool answers() const { return answers_; }
  /// Clients are to be led on: now, or at an end before that time.
  bool leads(std::int64_t now_us) const {
    return until_us_ && !answers_ && !has_led_ && *until_us_ - kLed_us <= now_us;
  }
  void handle_led() { has_led_ = true; }
  bool has_led() const { return has_led_; }
  /// When it answers or forwards no more; nothing: it does not linger.
  std::optional<std::int64_t> until_us() const { return until_us_; }
  /// When is_due() or leads() has news.
  std::optional<std::int64_t> next_us() const {
    if (!until_us_ || answers_ || has_led_) return until_us_;
    return *until_us_ - kLed_us;
  }
  /// When nothing can be on its way here any more; 0: it does not linger.
  std::int64_t released_us() const {
    return until_us_.value_or(0) + (answers_ ? Departure::kLinger_us : 0);
  }

 private:
  void set(std::optional<std::int64_t> until_us, bool answers) {
    until_us_ = until_us;
    answers_ = answers;
    has_led_ = false;
  }

  std::optional<std::int64_t> until_us_;
  bool answers_ = false;
  bool has_led_ = false;
};

}  // namespace keepline::vrrp
