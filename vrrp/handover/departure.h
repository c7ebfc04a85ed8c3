// A master that is asked to stop: how long it goes on serving.
//
// PURE. It has said priority 0. Until a successor speaks it answers and forwards as before; then
// it answers no more, and forwards for another moment what was already on its way. Nobody tells a
// master whether there is a successor at all, so the wait is bounded: the longest skew there is and
// some slack for a busy peer.
#pragma once

#include <cstdint>
#include <optional>

namespace keepline::vrrp {

class Departure {
 public:
  static constexpr std::int64_t kSlack_us = 200'000;
  static constexpr std::int64_t kLinger_us = 500'000;
  /// That its lease is longer: it is to end by being revoked, not by running out.
  static constexpr std::int64_t kMargin_us = 100'000;
  /// How soon a goodbye that did not leave is tried again.
  static constexpr std::int64_t kRetry_us = 1000;

  /// `skew_us`: the longest of whoever may succeed, see longest_skew_us().
  Departure(std::int64_t skew_us, std::int64_t now_us)
      : tries_until_us_(now_us + kSlack_us), end_us_(tries_until_us_ + skew_us) {}

  /// It has not left. It is tried again as long as who hears it has his whole skew before the end.
  void handle_unsaid(std::int64_t now_us) {
    says_us_ = now_us + kRetry_us;
    if (*says_us_ > tries_until_us_) handle_said();
  }
  /// It has left, or nobody waits for it any more.
  void handle_said() { says_us_.reset(); }
  bool is_said() const { return !says_us_; }
  /// When it is to be tried again; nothing: not at all.
  std::optional<std::int64_t> says_us() const { return says_us_; }

  /// An advert of another router was heard, for the first time.
  void handle_successor(std::int64_t now_us) {
    succeeded_ = true;
    // After its end (this node was not running) nothing of it begins anew.
    if (now_us < end_us_) end_us_ = now_us + kLinger_us;
  }

  bool is_succeeded() const { return succeeded_; }
  /// When everything is to be released.
  std::int64_t end_us() const { return end_us_; }

 private:
  std::int64_t tries_until_us_;
  std::int64_t end_us_;
  std::optional<std::int64_t> says_us_;
  bool succeeded_ = false;
};

}  // namespace keepline::vrrp
