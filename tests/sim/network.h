// The virtual LANs: who hears whom, and the packets that are on their way.
//
// Stations are nodes and one client, which only listens. A packet's fate is decided when it is
// sent; packets arrive in order of time, and of sending at the same time. Besides carrying, the
// network remembers since when a path has been open and undisturbed: what may be demanded of the
// nodes depends on it. Bound: kPacketBytes each; packets in flight are as many as were sent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/net/bytes.h"
#include "tests/sim/clock.h"
#include "tests/sim/random.h"
#include "tests/sim/schedule.h"

namespace keepline::vrrp::sim {

inline constexpr std::size_t kPacketBytes = 128;  ///< IPv6, VRRP, kVipLimit addresses, a trailer.

/// A replayed one is byte for byte what somebody has sent once.
enum class Origin : std::uint8_t { kGenuine, kForged, kReplayed };

struct Packet {
  std::int64_t at_us = 0;
  std::uint64_t number = 0;
  std::uint8_t from = 0;  ///< Who it seems to come from.
  std::uint8_t to = 0;
  std::uint8_t lan = 0;
  std::uint8_t size = 0;
  Origin origin = Origin::kGenuine;
  std::array<std::uint8_t, kPacketBytes> data{};

  net::Bytes bytes() const { return net::Bytes(data).first(size); }
};

/// Hears all on its LAN, keeps some of it, and knows no key.
struct Forger {
  static constexpr std::size_t kKept = 48;
  int active = 0;
  std::int64_t next_us = kNever_us;
  std::vector<Packet> kept;
};

class Network {
 public:
  Network(const Schedule& schedule, Random random);

  /// Faults that change the network; the end of one undoes its beginning.
  void begin(const Fault& fault, std::int64_t now_us) { change(fault, 1, now_us); }
  void end(const Fault& fault, std::int64_t now_us) { change(fault, -1, now_us); }

  /// To everybody on the LAN, or to the node that has the address.
  void send(std::size_t from, std::size_t lan, const net::IpAddr& destination, net::Bytes bytes,
            std::int64_t now_us);
  std::int64_t next_us() const;
  /// The next packet, if it has arrived by now and its receiver's port is up.
  std::optional<Packet> receive(std::int64_t now_us);
  /// A frame to the client that takes no time.
  bool reaches_client(std::size_t from, std::size_t lan);

  bool port_up(std::size_t node, std::size_t lan) const { return ports_down_[lan][node] == 0; }
  /// Since when what one says has been reaching the other for certain; kNever_us = it is not.
  std::int64_t open_since_us(std::size_t lan, std::size_t from, std::size_t to) const;
  /// The same for both ways.
  std::int64_t whole_since_us(std::size_t lan, std::size_t a, std::size_t b) const;

 private:
  struct Lan {
    std::array<std::array<int, kStationLimit>, kStationLimit> blocked{};
    std::array<std::array<std::int64_t, kStationLimit>, kStationLimit> open_since_us{};
    std::array<int, kNodeLimit> mute{};  ///< Nodes whose dataplane sends nothing.
    int disturbed = 0;
    std::int64_t calm_since_us = 0;
    std::int64_t loss_percent = 0;
    std::int64_t duplicate_percent = 0;
    std::int64_t extra_delay_us = 0;
    Forger forger;
  };

  void change(const Fault& fault, int by, std::int64_t now_us);
  void block(std::size_t lan, std::size_t from, std::size_t to, int by, std::int64_t now_us);
  void partition(const Fault& fault, std::size_t lan, int by, std::int64_t now_us);
  std::int64_t arrival_us() const {
    return in_flight_.empty() ? kNever_us : in_flight_.front().at_us;
  }
  void keep(const Packet& packet);
  void forge(std::size_t lan, std::int64_t now_us);
  void send_to(Packet packet, std::size_t to, std::int64_t now_us);
  std::int64_t draw_delay_us(const Lan& lan);

  const Schedule& schedule_;
  Random random_;
  std::array<Lan, kLanLimit> lans_;
  std::array<std::array<int, kNodeLimit>, kLanLimit> ports_down_{};
  std::vector<Packet> in_flight_;  ///< A heap, the earliest in front.
  std::uint64_t sent_ = 0;
};

}  // namespace keepline::vrrp::sim
