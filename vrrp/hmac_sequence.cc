#include "vrrp/hmac_sequence.h"

#include <algorithm>

#include "vrrp/hmac_trailer.h"

namespace keepline::vrrp {

namespace {

constexpr std::int64_t kMillion = 1'000'000;

// Serial numbers (RFC 1982): right across the end of the 32 bits of seconds, in 2106.
bool is_after(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::int64_t>(a - b) > 0;
}

std::uint64_t number_at(std::int64_t wall_us) {
  const auto seconds = static_cast<std::uint32_t>(wall_us / kMillion);
  const auto fraction = static_cast<std::uint64_t>(((wall_us % kMillion) << 16) / kMillion);
  return std::uint64_t{seconds} << 32 | fraction << 16;
}

bool is_in_window(std::uint64_t number, const AuthHmac& settings, std::int64_t wall_us) {
  const std::int64_t ahead_s = HmacSequence::ahead_s(number, wall_us);
  return ahead_s <= settings.time_window_s && -ahead_s <= settings.time_window_s;
}

}  // namespace

// Compared in whole seconds, as keepalived does it.
std::int64_t HmacSequence::ahead_s(std::uint64_t number, std::int64_t wall_us) {
  const auto theirs = static_cast<std::uint32_t>(number >> 32);
  const auto ours = static_cast<std::uint32_t>(wall_us / kMillion);
  return static_cast<std::int32_t>(theirs - ours);
}

std::uint64_t HmacSequence::next(const AuthHmac& settings, std::int64_t wall_us) {
  const std::uint64_t clock = number_at(wall_us);
  if (settings.anti_replay == AntiReplay::kMonotonic && heard_ &&
      (!sent_ || is_after(*heard_, *sent_))) {
    sent_ = heard_;
  }
  const bool is_stranded = settings.anti_replay == AntiReplay::kTime && sent_ &&
                           ahead_s(*sent_, wall_us) > settings.time_window_s;
  if (!sent_ || is_stranded || is_after(clock, *sent_)) {
    sent_ = clock;
  } else {
    ++*sent_;
  }
  return *sent_;
}

HmacSequence::Verdict HmacSequence::admit(const net::IpAddr& sender, std::uint64_t number,
                                          const AuthHmac& settings, std::int64_t wall_us) {
  ++calls_;
  const bool by_time = settings.anti_replay == AntiReplay::kTime;
  if (by_time && !is_in_window(number, settings, wall_us)) return Verdict::kStale;
  if (Mark* mark = find(sender)) {
    // One outside of the window refuses nothing that the window would let in.
    const bool counts = !by_time || is_in_window(mark->number, settings, wall_us);
    if (counts && !is_after(number, mark->number)) return Verdict::kReplay;
  }
  remember(sender, number);
  if (!heard_ || is_after(number, *heard_)) heard_ = number;
  return Verdict::kFresh;
}

HmacSequence::Mark* HmacSequence::find(const net::IpAddr& sender) {
  const auto at = std::find_if(marks_.begin(), marks_.end(),
                               [&sender](const Mark& mark) { return mark.sender == sender; });
  return at == marks_.end() ? nullptr : &*at;
}

void HmacSequence::remember(const net::IpAddr& sender, std::uint64_t number) {
  if (Mark* mark = find(sender)) {
    *mark = {sender, number, calls_};
  } else if (marks_.size() < kSenderLimit) {
    marks_.push_back({sender, number, calls_});
  } else {
    *std::min_element(marks_.begin(), marks_.end(), [](const Mark& a, const Mark& b) {
      return a.used < b.used;
    }) = {sender, number, calls_};
  }
}

}  // namespace keepline::vrrp
