// Every (local state, received state) pair of BFD: RFC 5880 §6.8.6, written out once more by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/unit/bfd/support.h"

namespace keepline::bfd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr State kAll[] = {State::kAdminDown, State::kDown, State::kInit, State::kUp};

void bring_to(State state, Subject& s) {
  if (state == State::kInit || state == State::kUp) s.hear(heard(State::kDown, 0));
  if (state == State::kUp) s.hear(heard(State::kInit));
  if (state == State::kAdminDown) s.stop();
  EXPECT_EQ(s.session.state(), state);
  s.sent.clear();
  s.changes.clear();
}

struct Outcome {
  State to;
  Diagnostic diagnostic = Diagnostic::kNone;
};

Outcome expected(State local, State received) {
  using S = State;
  const std::map<std::pair<S, S>, Outcome> moves = {
      {{S::kDown, S::kDown}, {S::kInit}},
      {{S::kDown, S::kInit}, {S::kUp}},
      {{S::kInit, S::kInit}, {S::kUp}},
      {{S::kInit, S::kUp}, {S::kUp}},
      {{S::kInit, S::kAdminDown}, {S::kDown, Diagnostic::kNeighbourSignaledDown}},
      {{S::kUp, S::kDown}, {S::kDown, Diagnostic::kNeighbourSignaledDown}},
      {{S::kUp, S::kAdminDown}, {S::kDown, Diagnostic::kNeighbourSignaledDown}},
  };
  const auto move = moves.find({local, received});
  if (move != moves.end()) return move->second;
  return {local, local == S::kAdminDown ? Diagnostic::kAdministrativelyDown : Diagnostic::kNone};
}

// With all flags, both multipliers, with and without our discriminator.
TEST(ExhaustiveBfd, EveryPair) {
  for (const State local : kAll) {
    for (const State received : kAll) {
      for (unsigned bits = 0; bits < 32; ++bits) {
        Subject s;
        bring_to(local, s);
        ControlPacket packet = heard(received, (bits & 1) != 0 ? kOurs : 0);
        packet.poll = (bits & 2) != 0;
        packet.final = (bits & 4) != 0;
        packet.has_authentication = (bits & 8) != 0;
        packet.required_min_rx_us = (bits & 16) != 0 ? 0 : 30'000;
        const bool may_begin = received == State::kDown || received == State::kAdminDown;
        const bool is_used = !packet.has_authentication && local != State::kAdminDown &&
                             (packet.your_discriminator != 0 || may_begin);
        const auto where = std::string(to_string(local)) + " / " +
                           std::string(to_string(received)) + " / " + std::to_string(bits);
        const Outcome outcome =
            is_used ? expected(local, received) : expected(local, State::kAdminDown);
        const State to = is_used ? outcome.to : local;
        EXPECT_EQ(s.hear(packet).has_value(), !is_used) << where;
        EXPECT_EQ(s.session.state(), to) << where;
        EXPECT_EQ(s.changes.size(), to == local ? 0u : 1u) << where;
        EXPECT_TRUE(!is_used || s.session.diagnostic() == outcome.diagnostic) << where;
        const bool has_answer =
            std::ranges::any_of(s.sent, [](const ControlPacket& sent) { return sent.final; });
        EXPECT_EQ(has_answer, is_used && packet.poll) << where;
        EXPECT_TRUE(to != State::kUp || s.session.next_timeout()) << where;
      }
    }
  }
}

// From each of them silence leads to Down, and a fresh neighbour to Up.
TEST(ExhaustiveBfd, NoStateIsStuck) {
  for (const State local : {State::kDown, State::kInit, State::kUp}) {
    Subject s;
    bring_to(local, s);
    s.run_until(s.now_us + 10'000'000);
    EXPECT_EQ(s.session.state(), State::kDown);
    s.come_up();
    EXPECT_EQ(s.session.state(), State::kUp);
  }
}

}  // namespace
}  // namespace keepline::bfd
