// The numbers of signed adverts: growth, windows, clocks that go back, restarts.
#include "vrrp/hmac_sequence.h"

#include <gtest/gtest.h>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using testing::ip;
using Verdict = HmacSequence::Verdict;

constexpr std::int64_t kNow_us = 1'790'000'000 * kSecond_us;
const net::IpAddr kPeer = ip("10.0.0.1");

std::uint64_t number(std::int64_t seconds, std::uint16_t counter = 0) {
  return static_cast<std::uint64_t>(seconds) << 32 | counter;
}
constexpr std::int64_t kNow_s = kNow_us / kSecond_us;

AuthHmac by_time() {
  return AuthHmac{};
}
AuthHmac monotonic() {
  AuthHmac settings;
  settings.anti_replay = AntiReplay::kMonotonic;
  return settings;
}

TEST(HmacSequence, SecondsFractionCounter) {
  HmacSequence sequence;
  EXPECT_EQ(sequence.next(by_time(), kNow_us + 750'000), number(kNow_s) | 0xc000'0000);
  EXPECT_EQ(sequence.next(by_time(), kNow_us + 750'000), number(kNow_s) | 0xc000'0001);
  EXPECT_EQ(sequence.next(by_time(), kNow_us + 999'999), number(kNow_s) | 0xffff'0000);
  EXPECT_EQ(sequence.next(by_time(), kNow_us + kSecond_us), number(kNow_s + 1));
}

TEST(HmacSequence, GrowsWhileTheClockGoesBackALittle) {
  HmacSequence sequence;
  const std::uint64_t first = sequence.next(by_time(), kNow_us);
  EXPECT_EQ(sequence.next(by_time(), kNow_us - 5 * kSecond_us), first + 1);
}

TEST(HmacSequence, ByTimeBeginsAnewWhenNobodyCouldHearItsNumbers) {
  HmacSequence sequence;
  sequence.next(by_time(), kNow_us);
  EXPECT_EQ(sequence.next(by_time(), kNow_us - 6 * kSecond_us), number(kNow_s - 6));
  HmacSequence growing;
  const std::uint64_t first = growing.next(monotonic(), kNow_us);
  EXPECT_EQ(growing.next(monotonic(), kNow_us - 3600 * kSecond_us), first + 1);
}

// The first number does not need to be above zero in the order of serial numbers.
TEST(HmacSequence, After2038AndAcross2106) {
  HmacSequence late;
  const std::int64_t y2040_us = 2'208'988'800 * kSecond_us;
  EXPECT_EQ(late.next(monotonic(), y2040_us), number(2'208'988'800));
  const std::int64_t end_us = (std::int64_t{1} << 32) * kSecond_us;
  HmacSequence sequence;
  EXPECT_EQ(sequence.next(by_time(), end_us - kSecond_us), number(0xffff'ffff));
  EXPECT_EQ(sequence.next(by_time(), end_us), 0u);
  HmacSequence receiver;
  EXPECT_EQ(receiver.admit(kPeer, number(0xffff'ffff), by_time(), end_us), Verdict::kFresh);
  EXPECT_EQ(receiver.admit(kPeer, 0, by_time(), end_us), Verdict::kFresh);
  EXPECT_EQ(receiver.admit(kPeer, number(0xffff'ffff), by_time(), end_us), Verdict::kReplay);
}

TEST(HmacSequence, TheWindowHasTwoEnds) {
  for (const std::int64_t apart_s : {-6, -5, 0, 5, 6}) {
    HmacSequence sequence;
    const bool is_near = apart_s >= -5 && apart_s <= 5;
    EXPECT_EQ(sequence.admit(kPeer, number(kNow_s + apart_s), by_time(), kNow_us),
              is_near ? Verdict::kFresh : Verdict::kStale)
        << apart_s;
    EXPECT_EQ(HmacSequence::ahead_s(number(kNow_s + apart_s), kNow_us), apart_s);
  }
}

TEST(HmacSequence, ReplaysByEitherRule) {
  for (const AuthHmac& settings : {by_time(), monotonic()}) {
    HmacSequence sequence;
    EXPECT_EQ(sequence.admit(kPeer, number(kNow_s, 2), settings, kNow_us), Verdict::kFresh);
    EXPECT_EQ(sequence.admit(kPeer, number(kNow_s, 2), settings, kNow_us), Verdict::kReplay);
    EXPECT_EQ(sequence.admit(kPeer, number(kNow_s, 1), settings, kNow_us), Verdict::kReplay);
    EXPECT_EQ(sequence.admit(ip("10.0.0.2"), number(kNow_s, 1), settings, kNow_us),
              Verdict::kFresh);
    EXPECT_EQ(sequence.admit(kPeer, number(kNow_s, 3), settings, kNow_us), Verdict::kFresh);
  }
}

// A stale one is no reason to refuse what comes after it.
TEST(HmacSequence, AStaleNumberIsNotRemembered) {
  HmacSequence sequence;
  EXPECT_EQ(sequence.admit(kPeer, number(kNow_s + 100), by_time(), kNow_us), Verdict::kStale);
  EXPECT_EQ(sequence.admit(kPeer, number(kNow_s), by_time(), kNow_us), Verdict::kFresh);
}

TEST(HmacSequence, AMarkThatTheWindowWouldRefuseIsForgotten) {
  // The receiver's own clock was an hour ahead and has been set right.
  HmacSequence sequence;
  const std::int64_t wrong_us = kNow_us + 3600 * kSecond_us;
  EXPECT_EQ(sequence.admit(kPeer, number(kNow_s + 3600), by_time(), wrong_us), Verdict::kFresh);
  EXPECT_EQ(sequence.admit(kPeer, number(kNow_s), by_time(), kNow_us), Verdict::kFresh);
  EXPECT_EQ(sequence.admit(kPeer, number(kNow_s), by_time(), kNow_us), Verdict::kReplay);
  HmacSequence growing;
  EXPECT_EQ(growing.admit(kPeer, number(kNow_s + 3600), monotonic(), wrong_us), Verdict::kFresh);
  EXPECT_EQ(growing.admit(kPeer, number(kNow_s), monotonic(), kNow_us), Verdict::kReplay);
}

// A board without a battery: its clock begins in 1970, and its peers have its mark of yesterday.
TEST(HmacSequence, ARestartWithAnEarlierClockIsHeardAfterAPeersAdvert) {
  HmacSequence peer;
  EXPECT_EQ(peer.admit(kPeer, number(kNow_s), monotonic(), kNow_us), Verdict::kFresh);
  HmacSequence restarted;
  const std::int64_t boot_us = 60 * kSecond_us;
  EXPECT_EQ(peer.admit(kPeer, restarted.next(monotonic(), boot_us), monotonic(), kNow_us),
            Verdict::kReplay);
  // The peer takes over, and speaks; its number is above what it has heard of us.
  const std::uint64_t theirs = peer.next(monotonic(), kNow_us - kSecond_us);
  EXPECT_GT(theirs, number(kNow_s));
  EXPECT_EQ(restarted.admit(ip("10.0.0.2"), theirs, monotonic(), boot_us), Verdict::kFresh);
  EXPECT_EQ(peer.admit(kPeer, restarted.next(monotonic(), boot_us), monotonic(), kNow_us),
            Verdict::kFresh);
}

// By time nobody else's number moves ours: it has to be near our clock.
TEST(HmacSequence, ByTimeOthersDoNotMoveUs) {
  HmacSequence sequence;
  EXPECT_EQ(sequence.admit(kPeer, number(kNow_s + 4), by_time(), kNow_us), Verdict::kFresh);
  EXPECT_EQ(sequence.next(by_time(), kNow_us), number(kNow_s));
}

TEST(HmacSequence, TheSenderThatWasSilentLongestMakesRoom) {
  HmacSequence sequence;
  const auto sender = [](std::size_t i) {
    return net::IpAddr(net::Ip4(0x0a000000u + static_cast<std::uint32_t>(i)));
  };
  for (std::size_t i = 0; i < HmacSequence::kSenderLimit; ++i) {
    EXPECT_EQ(sequence.admit(sender(i), number(9), monotonic(), 0), Verdict::kFresh);
  }
  EXPECT_EQ(sequence.admit(sender(0), number(10), monotonic(), 0), Verdict::kFresh);
  EXPECT_EQ(sequence.admit(sender(99), number(9), monotonic(), 0), Verdict::kFresh);
  EXPECT_EQ(sequence.admit(sender(0), number(10), monotonic(), 0), Verdict::kReplay);
  EXPECT_EQ(sequence.admit(sender(2), number(9), monotonic(), 0), Verdict::kReplay);
  EXPECT_EQ(sequence.admit(sender(1), number(9), monotonic(), 0), Verdict::kFresh) << "forgotten";
}

}  // namespace
}  // namespace keepline::vrrp
