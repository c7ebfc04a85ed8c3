// Who serves instead of a node that has just stepped back: the one whom it leads its clients to
// when it lets go.
//
// PURE. Not simply the last one heard: of several who succeed at once each has spoken before the
// worse ones yield, and an advert of one of those may be the last to arrive.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "vrrp/advert.h"

namespace keepline::vrrp {

class Successor {
 public:
  enum class News : std::uint8_t { kServes, kNone };

  /// An advert that was accepted. kServes: its sender is, as far as can be told, who serves.
  News hear(const Advert& advert, std::int64_t now_us) {
    const Heard heard{advert.priority, advert.source, advert.interval_us,
                      now_us + advert.interval_us};
    const bool is_same = heard_ && heard_->source == heard.source;
    const bool is_worse = heard_ && !is_same && heard < *heard_;
    const bool releases = advert.priority == kReleasePriority;
    // Whoever succeeds the successor leads clients himself, and not before he has the addresses.
    is_gone_ = is_gone_ || (is_same && releases) || (is_worse && now_us >= heard_->next_us);
    if (is_gone_ || is_worse || releases) return News::kNone;
    heard_ = heard;
    return News::kServes;
  }
  void forget() { *this = Successor(); }
  /// Not one whose last adverts have not come.
  bool is_known(std::int64_t now_us) const {
    return heard_.has_value() && !is_gone_ && now_us < heard_->next_us + heard_->interval_us;
  }

 private:
  struct Heard {
    std::uint8_t priority;
    net::IpAddr source;
    std::int64_t interval_us;
    std::int64_t next_us;  ///< When its next advert is due.
    /// RFC 9568 section 6.4.3: the higher address breaks a tie.
    friend bool operator<(const Heard& a, const Heard& b) {
      return std::tie(a.priority, a.source) < std::tie(b.priority, b.source);
    }
  };
  std::optional<Heard> heard_;
  bool is_gone_ = false;
};

}  // namespace keepline::vrrp
