// One BFD session in asynchronous mode (RFC 5880 §6): packets and time in, packets and news out.
//
// PURE; belongs to one thread, which says what time it is (monotonic microseconds, never
// decreasing). No allocation. Jitter comes from the generator that it is given, so that a run can
// be repeated. Bound: kActionLimit actions wait to be polled.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "dataplane/bfd/packet.h"
#include "dataplane/net/random.h"

namespace keepline::bfd {

struct SendPacket {
  ControlPacket packet;
};
using Action = std::variant<SendPacket, StateChanged>;

/// Only ever count up.
struct Statistics {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  ///< That were used.
  std::array<std::uint64_t, kDiscardCount> discarded{};

  void discard(Discard reason) { ++discarded[static_cast<std::size_t>(reason)]; }
};

/// What was received and not looked at yet.
enum class Inbox : std::uint8_t { kEmpty, kMayHoldMore };

class Session {
 public:
  /// A packet that is answered, with a change of state that is told at once: 3. Twice that.
  static constexpr std::size_t kActionLimit = 6;
  /// How often, and how far apart, the neighbour is told that the session is switched off. The RFC
  /// wants it said for a detection time (§6.8.16), but a daemon that ends does not wait for that.
  static constexpr std::uint8_t kFarewells = 3;
  static constexpr std::int64_t kFarewell_us = 5'000;

  /// `discriminator`: not zero, and no other session's. Down; active ones speak at once.
  Session(const SessionConfig& config, std::uint32_t discriminator, net::Random& random,
          std::int64_t now_us);

  /// A reload that leaves the ends as they are. Intervals are negotiated anew (§6.8.3).
  void reconfigure(const SessionConfig& config, std::int64_t now_us);
  /// AdminDown, for good; the neighbour is told.
  void stop(std::int64_t now_us);
  /// After stop(): all is said.
  bool is_over() const { return state_ == State::kAdminDown && farewells_left_ == 0; }

  /// A packet of the neighbour, in sound surroundings (SessionTable). Nothing = it was used;
  /// otherwise why not, which is counted.
  std::optional<Discard> handle_packet(const ControlPacket& packet, std::int64_t now_us);
  void count_discard(Discard reason) { statistics_.discard(reason); }
  /// Does what is due; calling it early is harmless. While more may have been received than has
  /// been looked at, nobody is taken for dead before twice the detection time.
  void handle_timeout(std::int64_t now_us, Inbox inbox = Inbox::kEmpty);
  /// When handle_timeout() wants to be called; nothing: there is nothing to wait for.
  std::optional<std::int64_t> next_timeout() const;
  std::optional<Action> poll_action();

  const SessionConfig& config() const { return config_; }
  const Statistics& statistics() const { return statistics_; }
  State state() const { return state_; }
  Diagnostic diagnostic() const { return diagnostic_; }
  std::uint32_t discriminator() const { return discriminator_; }
  /// What the neighbour said last; at first nothing.
  const ControlPacket& remote() const { return remote_; }
  bool is_remote_known() const { return remote_.my_discriminator != 0; }
  /// How often we send at most, before jitter (§6.8.2).
  std::int64_t tx_interval_us() const;
  /// How often the neighbour sends at most (§6.8.4); zero: not known.
  std::int64_t rx_interval_us() const;
  /// After so much silence the session is down; zero: not known.
  std::int64_t detection_time_us() const { return rx_interval_us() * remote_.multiplier; }
  /// Zero: never.
  std::int64_t last_heard_us() const { return last_heard_us_; }
  std::int64_t last_sent_us() const { return last_sent_us_; }

 private:
  enum class Poll : std::uint8_t { kNone, kUnderWay, kOnceMore };

  std::optional<Discard> check(const ControlPacket& packet) const;
  void follow(const ControlPacket& packet, std::int64_t now_us);
  void change_state(State to, Diagnostic diagnostic, std::int64_t now_us);
  void forget_remote();
  void settle_intervals();
  void begin_poll();
  void end_poll();
  std::uint32_t desired_min_tx_us() const;
  bool sends_periodically() const;
  std::int64_t jittered(std::int64_t interval_us) const;
  void send(bool is_final, std::int64_t now_us);
  void schedule();
  void emit(const Action& action);

  SessionConfig config_;
  std::uint32_t discriminator_;
  net::Random* random_;
  State state_ = State::kDown;
  Diagnostic diagnostic_ = Diagnostic::kNone;
  ControlPacket remote_;
  Poll poll_ = Poll::kNone;
  // What counts now: until the neighbour has agreed, the slower of what was and what shall be.
  std::uint32_t active_tx_us_ = 0;
  std::uint32_t active_rx_us_ = 0;
  std::int64_t last_sent_us_ = 0;
  std::int64_t last_heard_us_ = 0;
  std::int64_t next_send_us_ = 0;
  std::uint8_t farewells_left_ = 0;
  Statistics statistics_;
  std::array<Action, kActionLimit> actions_;
  std::size_t first_action_ = 0;
  std::size_t action_count_ = 0;
};

}  // namespace keepline::bfd
