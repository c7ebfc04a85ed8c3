// The kernel's side of one instance's addresses: it has them a while after it was asked.
//
// A plain value; times are real. What is asked is done in order, one after the other. Bound: as
// many requests wait as were made in the time that they take.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace keepline::vrrp::sim {

class Kernel {
 public:
  /// As in the daemon: clients are led here after this, whether the kernel is ready or not.
  static constexpr std::int64_t kPatience_us = 100'000;

  /// `takes_us`: for this one alone.
  void ask(bool wanted, std::int64_t now_us, std::int64_t takes_us) {
    settle(now_us);
    done_us_ = std::max(now_us, done_us_) + takes_us;
    waiting_.push_back({done_us_, wanted});
    if (wanted) asked_us_ = now_us, acquired_us_ = done_us_;
  }
  bool has(std::int64_t now_us) const {
    bool has = has_;
    for (const Request& request : waiting_) {
      if (request.done_us <= now_us) has = request.wanted;
    }
    return has;
  }
  bool may_announce(std::int64_t now_us) const {
    return now_us >= acquired_us_ || now_us - asked_us_ > kPatience_us;
  }

 private:
  struct Request {
    std::int64_t done_us = 0;
    bool wanted = false;
  };
  void settle(std::int64_t now_us) {
    has_ = has(now_us);
    std::erase_if(waiting_, [now_us](const Request& each) { return each.done_us <= now_us; });
  }

  bool has_ = false;
  std::int64_t asked_us_ = 0;
  std::int64_t acquired_us_ = 0;
  std::int64_t done_us_ = 0;
  std::vector<Request> waiting_;
};

}  // namespace keepline::vrrp::sim
