// Two sessions and a cable between them that loses, delays and doubles, with clocks that differ.
#include <gtest/gtest.h>

#include <map>

#include "dataplane/bfd/session.h"

namespace keepline::bfd {
namespace {

struct Cable {
  std::int64_t loss_percent = 0;
  std::int64_t double_percent = 0;
  std::int64_t delay_us = 100;
  std::int64_t jitter_us = 0;
};

SessionConfig side(std::uint32_t interval_us, std::uint8_t multiplier) {
  SessionConfig config;
  config.neighbour = net::Ip4(0x0a000001);
  config.min_tx_us = interval_us;
  config.min_rx_us = interval_us;
  config.multiplier = multiplier;
  return config;
}

class Pair {
 public:
  Pair(std::uint64_t seed, const Cable& cable, std::int64_t drift_permille = 0)
      : random_(seed), cable_(cable), ends_{End{0}, End{drift_permille}} {
    for (std::size_t i = 0; i < 2; ++i) {
      ends_[i].session.emplace(side(3'000, 3), static_cast<std::uint32_t>(i + 1), random_, 0);
    }
  }

  /// Until then on the true clock, each event at its time.
  void run_until(std::int64_t end_us) {
    for (;;) {
      const auto [when_us, end] = next();
      if (when_us > end_us) break;
      now_us_ = std::max(now_us_, when_us);
      if (!wire_.empty() && wire_.begin()->first <= now_us_) {
        deliver();
      } else {
        session(end).handle_timeout(clock(end));
        collect(end);
      }
    }
    now_us_ = end_us;
  }
  void cut() { is_cut_ = true; }
  void mend() { is_cut_ = false; }
  Session& session(std::size_t end) { return *ends_[end].session; }
  bool are_both(State state) { return session(0).state() == state && session(1).state() == state; }
  std::size_t changes(std::size_t end) const { return ends_[end].changes; }
  std::int64_t now_us() const { return now_us_; }
  void stop(std::size_t end) {
    session(end).stop(clock(end));
    collect(end);
  }

 private:
  struct End {
    explicit End(std::int64_t drift) : drift_permille(drift) {}
    std::int64_t drift_permille;
    std::optional<Session> session;
    std::size_t changes = 0;
  };
  struct Flying {
    std::size_t to;
    ControlPacket packet;
  };

  std::int64_t clock(std::size_t end) const {
    return now_us_ + now_us_ * ends_[end].drift_permille / 1000;
  }
  std::pair<std::int64_t, std::size_t> next() const {
    std::pair<std::int64_t, std::size_t> first{INT64_MAX, 0};
    for (std::size_t end = 0; end < 2; ++end) {
      const auto due_us = ends_[end].session->next_timeout();
      if (!due_us) continue;
      // Rounded up: on its own clock it is due then.
      const std::int64_t speed = 1000 + ends_[end].drift_permille;
      const std::int64_t when_us = (*due_us * 1000 + speed - 1) / speed;
      if (when_us < first.first) first = {when_us, end};
    }
    if (!wire_.empty() && wire_.begin()->first < first.first) first.first = wire_.begin()->first;
    return first;
  }
  void deliver() {
    const Flying arrived = wire_.begin()->second;
    wire_.erase(wire_.begin());
    session(arrived.to).handle_packet(arrived.packet, clock(arrived.to));
    collect(arrived.to);
  }
  void collect(std::size_t end) {
    while (const auto action = session(end).poll_action()) {
      if (const auto* send = std::get_if<SendPacket>(&*action)) {
        transmit(1 - end, send->packet);
      } else {
        ++ends_[end].changes;
      }
    }
  }
  void transmit(std::size_t to, const ControlPacket& packet) {
    const auto chance = [&](std::int64_t percent) { return random_.between(0, 99) < percent; };
    if (is_cut_ || chance(cable_.loss_percent)) return;
    for (int copy = 0; copy < (chance(cable_.double_percent) ? 2 : 1); ++copy) {
      const std::int64_t delay_us = cable_.delay_us + random_.between(0, cable_.jitter_us);
      wire_.emplace(now_us_ + delay_us, Flying{to, packet});
    }
  }

  net::Random random_;
  Cable cable_;
  std::array<End, 2> ends_;
  std::multimap<std::int64_t, Flying> wire_;
  std::int64_t now_us_ = 0;
  bool is_cut_ = false;
};

TEST(BfdPair, ComesUpAndStaysUpOnAGoodCable) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Pair pair(seed, {});
    pair.run_until(3'000'000);
    EXPECT_TRUE(pair.are_both(State::kUp)) << seed;
    EXPECT_EQ(pair.session(0).tx_interval_us(), 3'000) << seed;
    EXPECT_EQ(pair.session(0).detection_time_us(), 9'000) << seed;
    const std::size_t before = pair.changes(0) + pair.changes(1);
    pair.run_until(20'000'000);
    EXPECT_EQ(pair.changes(0) + pair.changes(1), before) << seed;
  }
}

TEST(BfdPair, ClocksThatDifferAndAJitteryCableDoNotMatter) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Pair pair(seed, {0, 20, 200, 2'000}, seed % 2 == 0 ? 20 : -20);
    pair.run_until(3'000'000);
    EXPECT_TRUE(pair.are_both(State::kUp)) << seed;
    const std::size_t before = pair.changes(0) + pair.changes(1);
    pair.run_until(10'000'000);
    EXPECT_EQ(pair.changes(0) + pair.changes(1), before) << seed;
  }
}

TEST(BfdPair, ACutIsSeenByBothWithinTheDetectionTime) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Pair pair(seed, {});
    pair.run_until(5'000'000);
    pair.cut();
    pair.run_until(pair.now_us() + 9'200);
    EXPECT_TRUE(pair.are_both(State::kDown)) << seed;
    pair.run_until(pair.now_us() + 2'000'000);
    pair.mend();
    pair.run_until(pair.now_us() + 4'000'000);
    EXPECT_TRUE(pair.are_both(State::kUp)) << seed;
  }
}

TEST(BfdPair, AfterAnyTroubleTheyComeUp) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Pair pair(seed, {30, 30, 500, 6'000}, static_cast<std::int64_t>(seed % 41) - 20);
    pair.run_until(60'000'000);
    EXPECT_GT(pair.changes(0), 2u) << seed;
    // A third is lost: some moment of the next minute both are Up.
    bool were_up = false;
    for (int i = 0; i < 6'000 && !were_up; ++i) {
      pair.run_until(pair.now_us() + 10'000);
      were_up = pair.are_both(State::kUp);
    }
    EXPECT_TRUE(were_up) << seed;
  }
}

TEST(BfdPair, AStopIsHeardAsOne) {
  Pair pair(3, {});
  pair.run_until(5'000'000);
  pair.stop(0);
  pair.run_until(pair.now_us() + 30'000);
  EXPECT_TRUE(pair.session(0).is_over());
  EXPECT_EQ(pair.session(1).state(), State::kDown);
  EXPECT_EQ(pair.session(1).diagnostic(), Diagnostic::kNeighbourSignaledDown);
}

TEST(BfdPair, TheSameSeedIsTheSameRun) {
  Pair one(9, {10, 10, 300, 3'000});
  Pair two(9, {10, 10, 300, 3'000});
  one.run_until(20'000'000);
  two.run_until(20'000'000);
  EXPECT_EQ(one.session(0).statistics().sent, two.session(0).statistics().sent);
  EXPECT_EQ(one.session(1).statistics().received, two.session(1).statistics().received);
}

}  // namespace
}  // namespace keepline::bfd
