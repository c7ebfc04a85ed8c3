// What the tests of BFD share: a session with its news and packets at hand, packets of a neighbour.
#pragma once

#include <vector>

#include "dataplane/bfd/session.h"

namespace keepline::bfd::testing {

inline constexpr std::uint32_t kOurs = 0x01020300;
inline constexpr std::uint32_t kTheirs = 0x0a0b0c0d;

inline SessionConfig fast_config() {
  SessionConfig config;
  config.neighbour = net::Ip4(0x0a000002);
  config.min_tx_us = 10'000;
  config.min_rx_us = 20'000;
  config.multiplier = 3;
  return config;
}

/// What a neighbour with 30 ms each way and multiplier 4 says.
inline ControlPacket heard(State state, std::uint32_t your_discriminator = kOurs) {
  ControlPacket packet;
  packet.state = state;
  packet.multiplier = 4;
  packet.my_discriminator = kTheirs;
  packet.your_discriminator = your_discriminator;
  packet.desired_min_tx_us = 30'000;
  packet.required_min_rx_us = 30'000;
  return packet;
}

class Subject {
 public:
  explicit Subject(const SessionConfig& config = fast_config())
      : session(config, kOurs, random_, 1'000'000) {}

  std::optional<Discard> hear(const ControlPacket& packet) {
    const auto result = session.handle_packet(packet, now_us);
    collect();
    return result;
  }
  /// Does what is due until then, each at its time.
  void run_until(std::int64_t end_us) {
    while (const auto due_us = session.next_timeout()) {
      if (*due_us > end_us) break;
      now_us = std::max(now_us, *due_us);
      session.handle_timeout(now_us);
      collect();
    }
    now_us = end_us;
  }
  void stop() {
    session.stop(now_us);
    collect();
  }
  void reconfigure(const SessionConfig& config) {
    session.reconfigure(config, now_us);
    collect();
  }
  /// Down, Init, Up, as with a neighbour that begins at the same time; then the poll is answered.
  void come_up() {
    hear(heard(State::kDown, 0));
    hear(heard(State::kUp));
    ControlPacket answer = heard(State::kUp);
    answer.final = true;
    hear(answer);
  }
  void collect() {
    while (const auto action = session.poll_action()) {
      if (const auto* send = std::get_if<SendPacket>(&*action)) {
        sent.push_back(send->packet);
        sent_us.push_back(now_us);
      } else {
        changes.push_back(std::get<StateChanged>(*action));
      }
    }
  }

 private:
  net::Random random_{7};

 public:
  std::int64_t now_us = 1'000'000;
  Session session;
  std::vector<ControlPacket> sent;
  std::vector<std::int64_t> sent_us;
  std::vector<StateChanged> changes;
};

}  // namespace keepline::bfd::testing
