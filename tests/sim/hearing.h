// What one instance has to take of what it hears, worked out from the trailers of auth_hmac.
//
// An independent, small reading of draft-cassen-vrrp-auth-hmac, from the bytes as a packet capture
// shows them. Whether a digest is right the simulation knows: it made the packet. Fed by Monitor.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "tests/sim/network.h"

namespace keepline::vrrp::sim {

class Hearing {
 public:
  /// `wall_us`: the receiver's.
  bool must_take(const Schedule& schedule, const Packet& packet, std::int64_t wall_us) const {
    if (packet.from == packet.to) return false;  // its own one came back
    if (schedule.auth == 0) return true;
    if (packet.origin == Origin::kForged) return false;
    const std::uint64_t number = number_of(packet);
    const auto apart_s = static_cast<std::int64_t>(number >> 32) - wall_us / kSecond_us;
    if (schedule.auth == 1 && std::abs(apart_s) > time_window_s(schedule)) return false;
    return !last_[packet.from] || number > *last_[packet.from];
  }
  /// It was taken.
  void took(const Schedule& schedule, const Packet& packet) {
    if (schedule.auth != 0) last_[packet.from] = number_of(packet);
  }

 private:
  // Seconds, fraction and counter: eight bytes behind type, key and reserved.
  static std::uint64_t number_of(const Packet& packet) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i) number = number << 8 | packet.data[packet.size - 24u + i];
    return number;
  }
  std::array<std::optional<std::uint64_t>, kNodeLimit> last_;
};

}  // namespace keepline::vrrp::sim
