// Every (state, event) pair: of the table, and of Instance over all configurations and kinds of
// adverts, at several moments.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <utility>

#include "tests/exhaustive/vrrp_monitor.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

// The whole table once more, by hand: what is not here must do nothing.
TEST(ExhaustiveStep, EveryPair) {
  using S = State;
  using E = Event;
  const std::map<std::pair<S, E>, S> moves = {
      {{S::kInit, E::kStart}, S::kBackup},         {{S::kInit, E::kStartAsOwner}, S::kMaster},
      {{S::kInit, E::kStartAtFault}, S::kFault},   {{S::kBackup, E::kMasterDown}, S::kMaster},
      {{S::kBackup, E::kSuccession}, S::kMaster},  {{S::kBackup, E::kGroupAgreed}, S::kMaster},
      {{S::kBackup, E::kFault}, S::kFault},        {{S::kBackup, E::kStop}, S::kInit},
      {{S::kMaster, E::kHeardMaster}, S::kBackup}, {{S::kMaster, E::kGroupLeft}, S::kBackup},
      {{S::kMaster, E::kHandedOver}, S::kBackup},  {{S::kMaster, E::kGroupHandedOver}, S::kBackup},
      {{S::kMaster, E::kLeaseLapsed}, S::kBackup}, {{S::kMaster, E::kUnsent}, S::kBackup},
      {{S::kMaster, E::kFault}, S::kFault},        {{S::kMaster, E::kStop}, S::kInit},
      {{S::kFault, E::kFaultCleared}, S::kBackup}, {{S::kFault, E::kFaultClearedOwner}, S::kMaster},
      {{S::kFault, E::kStop}, S::kInit},
  };
  const std::map<std::pair<S, E>, Effect> stays = {
      {{S::kBackup, E::kHeardRelease}, Effect::kAwaitSuccessor},
      {{S::kBackup, E::kHeardMaster}, Effect::kFollowMaster},
      {{S::kBackup, E::kMasterLost}, Effect::kHasten},
      {{S::kBackup, E::kMasterDownAsk}, Effect::kAskGroup},
      {{S::kMaster, E::kAdvertDue}, Effect::kAdvertise},
      {{S::kMaster, E::kHeardRelease}, Effect::kWinBack},
      {{S::kMaster, E::kHeardLower}, Effect::kForceElection},
  };
  for (std::size_t s = 0; s < 4; ++s) {
    for (std::size_t e = 0; e < kEventCount; ++e) {
      const std::pair pair(static_cast<S>(s), static_cast<E>(e));
      const Step done = step(pair.first, pair.second);
      const auto move = moves.find(pair);
      const std::string where(std::string(to_string(pair.first)) + " / " +
                              std::string(to_string(pair.second)));
      EXPECT_EQ(done.from, pair.first) << where;
      EXPECT_EQ(done.to, move == moves.end() ? pair.first : move->second) << where;
      EXPECT_EQ(done.reason == Reason::kNone, move == moves.end()) << where;
      if (move != moves.end()) continue;
      const auto stay = stays.find(pair);
      EXPECT_EQ(done.effect, stay == stays.end() ? Effect::kNone : stay->second) << where;
    }
  }
}

enum class Heard { kRelease, kLower, kEqualLowerIp, kEqualHigherIp, kHigher, kOwner };
constexpr Heard kAllHeard[] = {Heard::kRelease,       Heard::kLower,  Heard::kEqualLowerIp,
                               Heard::kEqualHigherIp, Heard::kHigher, Heard::kOwner};

Advert advert_of(const Instance& instance, Heard kind) {
  const std::uint8_t own = instance.effective_priority();
  const auto make = [&](const char* source, int priority) {
    return advert_from(instance.config(), source, static_cast<std::uint8_t>(priority));
  };
  switch (kind) {
    case Heard::kRelease:
      return make("10.9.0.9", 0);
    case Heard::kLower:
      return make("10.9.0.9", own - 1);
    case Heard::kEqualLowerIp:
      return make("10.9.0.4", own);
    case Heard::kEqualHigherIp:
      return make("10.9.0.9", own);
    case Heard::kHigher:
      return make("10.9.0.4", own == 255 ? 255 : own + 1);
    case Heard::kOwner:
      return make("10.9.0.9", 255);
  }
  return {};
}

std::vector<InstanceConfig> all_configs() {
  std::vector<InstanceConfig> all;
  for (unsigned bits = 0; bits < 1u << 10; ++bits) {
    const auto bit = [bits](unsigned i) { return (bits >> i & 1) != 0; };
    InstanceConfig c = config_of(bit(0) ? 255 : 100, bit(1) ? Version::k3 : Version::k2,
                                 bit(1) ? 100 * kMs : kSecond_us);
    c.nopreempt = bit(2);
    c.preempt_delay_us = bit(3) ? 5 * kSecond_us : 0;
    c.initial_state = bit(4) ? InitialState::kMaster : InitialState::kBackup;
    c.sync_grouped = bit(5);
    c.lower_prio_no_advert = bit(6);
    c.higher_prio_send_advert = bit(7);
    c.owner_ignore_adverts = bit(8);
    c.down_timer_adverts = bit(9) ? 1 : 3;
    all.push_back(c);
  }
  return all;
}

// An instance and its monitor in one of the four states, reached the ordinary way.
struct Watched {
  explicit Watched(const InstanceConfig& config) : instance(config) {}
  std::string verb(const std::function<void(Instance&)>& call, bool was_timeout = false) {
    monitor.before(instance, now_us);
    call(instance);
    return monitor.after(instance, now_us, was_timeout);
  }
  std::string start() {
    return verb([this](Instance& i) { i.start(now_us); });
  }
  std::string become(State state) {
    std::string broken;
    if (state == State::kFault) {
      broken += verb([this](Instance& i) { i.handle_fault(FaultCause::kTracker, now_us); });
    }
    if (state != State::kInit) broken += start();
    while (state == State::kMaster && instance.state() != State::kMaster && broken.empty()) {
      now_us = *instance.next_timeout();
      broken += verb([this](Instance& i) { i.handle_timeout(now_us); }, true);
      if (instance.wants_master()) {
        broken +=
            verb([this](Instance& i) { i.handle_group(GroupCommand::kBecomeMaster, now_us); });
      }
    }
    return broken;
  }
  Instance instance;
  Monitor monitor;
  std::int64_t now_us = kStart_us;
};

// What RFC 9568 §6.4.2/6.4.3 and the options say about an advert, written out once more.
State expected_after(State before, const Instance& instance, Heard kind) {
  const InstanceConfig& c = instance.config();
  if (before != State::kMaster || (c.is_owner() && c.owner_ignore_adverts)) return before;
  switch (kind) {
    case Heard::kRelease:
    case Heard::kLower:
    case Heard::kEqualLowerIp:
      return State::kMaster;
    case Heard::kEqualHigherIp:
    case Heard::kOwner:
      return State::kBackup;
    // For an owner "higher" is 255 again, from a lower address.
    case Heard::kHigher:
      return c.is_owner() ? State::kMaster : State::kBackup;
  }
  return before;
}

bool resets_timer(const InstanceConfig& c, Heard kind) {
  if (kind == Heard::kRelease || (c.is_owner() && c.owner_ignore_adverts)) return false;
  if (kind != Heard::kLower) return true;
  const bool may_yield = c.initial_state == InitialState::kBackup && !c.is_owner();
  return may_yield && (c.nopreempt || c.preempt_delay_us > 0);
}

bool can_be(const InstanceConfig& config, State state) {
  return state != State::kBackup || !config.is_owner() || config.sync_grouped;
}

TEST(ExhaustivePairs, EveryAdvertInEveryStateOfEveryConfiguration) {
  for (const InstanceConfig& config : all_configs()) {
    for (const State state : {State::kInit, State::kBackup, State::kMaster, State::kFault}) {
      if (!can_be(config, state)) continue;
      for (const Heard kind : kAllHeard) {
        Watched w(config);
        ASSERT_EQ(w.become(state), "");
        ASSERT_EQ(w.instance.state(), state);
        const std::int64_t before_us = w.instance.deadline_us();
        w.now_us += 1;
        ASSERT_EQ(w.verb([&](Instance& i) { i.handle_advert(advert_of(i, kind), w.now_us); }), "");
        ASSERT_EQ(w.instance.state(), expected_after(state, w.instance, kind));
        if (state != State::kBackup) continue;
        const TimerBase base{config.version, config.advert_interval_us, config.priority,
                             config.down_timer_adverts};
        const std::int64_t whole_us = w.now_us + master_down_us(base);
        if (resets_timer(config, kind)) {
          ASSERT_EQ(w.instance.deadline_us(), whole_us);
        } else if (kind == Heard::kRelease && !(config.is_owner() && config.owner_ignore_adverts)) {
          ASSERT_EQ(w.instance.deadline_us(), std::min(before_us, w.now_us + skew_us(base)));
        } else {
          ASSERT_EQ(w.instance.deadline_us(), before_us);
        }
      }
    }
  }
}

TEST(ExhaustivePairs, EveryOtherVerbAtEveryMoment) {
  using Verb = std::function<void(Instance&, std::int64_t)>;
  std::vector<Verb> verbs = {
      [](Instance& i, std::int64_t t) { i.start(t); },
      [](Instance& i, std::int64_t t) { i.stop(t); },
      [](Instance& i, std::int64_t t) { i.handle_master_lost(i.master_address(), 3 * kMs, t); },
      [](Instance& i, std::int64_t t) { i.handle_master_lost(ip("10.9.0.77"), 3 * kMs, t); },
      [](Instance& i, std::int64_t t) { i.set_priority(1, t); },
      [](Instance& i, std::int64_t t) { i.set_priority(254, t); },
      [](Instance& i, std::int64_t t) {
        i.handle_reject({Reject::kChecksum, std::nullopt, net::IpAddr()}, t);
      },
      [](Instance& i, std::int64_t t) {
        InstanceConfig c = i.config();
        c.vips.pop_back();
        i.reconfigure(c, t);
      },
  };
  for (const unsigned cause : {1u, 2u, 4u, 8u, 16u}) {
    const auto c = static_cast<FaultCause>(cause);
    verbs.push_back([c](Instance& i, std::int64_t t) { i.handle_fault(c, t); });
    verbs.push_back([c](Instance& i, std::int64_t t) { i.handle_fault_cleared(c, t); });
  }
  for (const auto command : {GroupCommand::kBecomeMaster, GroupCommand::kBecomeBackup}) {
    verbs.push_back([command](Instance& i, std::int64_t t) { i.handle_group(command, t); });
  }
  for (const InstanceConfig& config : all_configs()) {
    const std::int64_t adv_us = config.advert_interval_us;
    for (const State state : {State::kInit, State::kBackup, State::kMaster, State::kFault}) {
      if (!can_be(config, state)) continue;
      for (const Verb& verb : verbs) {
        for (const std::int64_t later_us : {std::int64_t{0}, adv_us, 3 * adv_us, 50 * adv_us}) {
          Watched w(config);
          ASSERT_EQ(w.become(state), "");
          w.now_us += later_us;
          ASSERT_EQ(w.verb([&](Instance& i) { verb(i, w.now_us); }), "");
          ASSERT_EQ(w.verb([&](Instance& i) { i.handle_timeout(w.now_us); }, true), "");
        }
      }
    }
  }
}

}  // namespace
}  // namespace keepline::vrrp
