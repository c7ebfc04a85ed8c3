// One burst in hand: what the parts of the pipeline share while they handle it.
//
// PURE; lives on the worker's stack for one call of Pipeline::process().
#pragma once

#include <array>

#include "dataplane/lb/counters.h"
#include "dataplane/lb/snapshot.h"
#include "dataplane/net/packet.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

enum class Action : std::uint8_t {
  kDrop,       ///< Already counted.
  kTransmit,   ///< Through `port`.
  kToControl,  ///< A VRRP frame: copy to the control thread, then free.
  kHandOff,    ///< Its connection lives on another worker: `worker`.
};

struct Verdict {
  Action action = Action::kDrop;
  net::PortId port = net::kNoPort;
  std::uint8_t worker = 0;
};

/// Somebody who asked for a VIP by ARP: the kernel did not see it, so control may tell it.
struct NeighbourSeen {
  net::Ip4 address;
  net::Mac mac;
  net::PortId port = net::kNoPort;
};

/// What a burst became. Reused from burst to burst.
struct BurstResult {
  std::array<Verdict, net::kBurstSize> verdicts;
  std::array<NeighbourSeen, net::kBurstSize> neighbours;
  std::size_t neighbour_count = 0;
};

class Turn {
 public:
  Turn(const Snapshot& the_snapshot, const LeaseView& leases, net::PortId arrival_port,
       std::uint32_t second, PipelineCounters& the_counters)
      : snapshot(the_snapshot),
        port(arrival_port),
        now_s(second),
        counters(the_counters),
        leases_(leases),
        port_mac_(the_snapshot.port(arrival_port).mac.raw()) {}

  const Snapshot& snapshot;
  const net::PortId port;  ///< That the frames arrived on.
  const std::uint32_t now_s;
  PipelineCounters& counters;

  /// See LeaseView. A burst is mostly for one lease: looked at once.
  bool holds(LeaseSlot slot) {
    if (slot != known_slot_) {
      known_slot_ = slot;
      known_ = leases_.holds(slot);
    }
    return known_;
  }
  bool answers(LeaseSlot slot) const { return leases_.answers(slot); }

  /// Whether frames to this link address are for us: kNone, kNotForUs or kNotMaster.
  net::Drop check_destination(const net::Packet& packet) {
    const net::Mac& mac = packet.at<net::EthernetHeader>(0)->destination;
    const std::uint64_t raw = mac.raw();
    if (raw == port_mac_) return net::Drop::kNone;
    // A virtual MAC: a backup sees such frames when a switch floods them.
    if (raw != known_mac_) {
      known_mac_ = raw;
      known_mac_lease_ = snapshot.lease_of(port, mac);
    }
    if (known_mac_lease_ == kNeverOurs) return net::Drop::kNotForUs;
    return holds(known_mac_lease_) ? net::Drop::kNone : net::Drop::kNotMaster;
  }

  Verdict drop(net::Drop reason) {
    counters.drop(reason);
    return {};
  }

 private:
  const LeaseView& leases_;
  LeaseSlot known_slot_ = kNeverOurs;
  bool known_ = false;
  std::uint64_t port_mac_;
  std::uint64_t known_mac_ = 0;
  LeaseSlot known_mac_lease_ = kNeverOurs;
};

/// The MAC that frames of a VIP leave a port with. A virtual MAC belongs to its own link only.
inline const net::Mac& source_mac(const Turn& turn, const Vip& vip, net::PortId port) {
  return port == vip.port ? vip.mac : turn.snapshot.port(port).mac;
}

}  // namespace keepline::lb
