// The numbers of signed adverts: ours always grow, and those of every other sender must.
//
// PURE: one per instance, by the control thread, which says what the wall clock shows (microseconds
// since 1970 UTC; it may jump). A number is the sender's time: seconds, a fraction, and a counter
// for what is sent within one. Nothing is kept over a restart: the clock has moved on by then.
// Bound: kSenderLimit senders, of which only holders of a key can become one; the one that was
// silent for longest makes room.
//
// A clock that goes back. AntiReplay::kTime: within the window the numbers go on where they were;
// beyond it peers refuse them anyway, so that the sender begins anew from its clock, and a receiver
// forgets a mark that its own window would refuse. At worst a sender is not heard for one window.
// AntiReplay::kMonotonic: the numbers go on where they were, however far that is. After a restart
// with an earlier clock (a board without a battery) the peers' marks are above us, and they do not
// hear us. They do speak, at the latest when they take our silence for our end: a number of ours
// is therefore above every authentic one that we have heard, and with the next advert they hear us.
//
// What kMonotonic cannot: a receiver that has just started knows no marks. Whoever has recorded
// adverts can play them to it once, in their order; only kTime refuses what is old by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/net/addr.h"
#include "vrrp/hmac_trailer.h"

namespace keepline::vrrp {

class HmacSequence {
 public:
  static constexpr std::size_t kSenderLimit = 32;

  enum class Verdict : std::uint8_t {
    kFresh,
    kStale,   ///< Outside of the window: a clock is wrong, or an old advert came again.
    kReplay,  ///< Not above the last one of this sender.
  };

  /// For our next advert.
  std::uint64_t next(const AuthHmac& settings, std::int64_t wall_us);
  /// Judges an authentic advert, and if it is fresh remembers its number.
  Verdict admit(const net::IpAddr& sender, std::uint64_t number, const AuthHmac& settings,
                std::int64_t wall_us);

  /// How far the number's time is ahead of a clock, in whole seconds; right for less than 68 years.
  static std::int64_t ahead_s(std::uint64_t number, std::int64_t wall_us);

 private:
  struct Mark {
    net::IpAddr sender;
    std::uint64_t number = 0;
    std::uint64_t used = 0;  ///< When, in calls of admit().
  };
  Mark* find(const net::IpAddr& sender);
  void remember(const net::IpAddr& sender, std::uint64_t number);

  std::optional<std::uint64_t> sent_;
  std::optional<std::uint64_t> heard_;  ///< The highest one of anybody.
  std::vector<Mark> marks_;
  std::uint64_t calls_ = 0;
};

}  // namespace keepline::vrrp
