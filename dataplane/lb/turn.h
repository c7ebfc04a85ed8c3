// One burst in hand: what the parts of the pipeline share while they handle it.
//
// PURE; lives on the worker's stack for one half of a burst's way, see Pipeline.
#pragma once

#include "dataplane/lb/burst.h"
#include "dataplane/lb/counters.h"
#include "dataplane/lb/snapshot.h"

namespace keepline::lb {

class Turn {
 public:
  Turn(const Snapshot& the_snapshot, const LeaseView& leases, Burst& burst, std::uint32_t second,
       PipelineCounters& the_counters)
      : snapshot(the_snapshot),
        port(burst.port),
        now_s(second),
        counters(the_counters),
        leases_(leases),
        burst_(burst),
        port_mac_(the_snapshot.port(burst.port).mac.raw()) {}

  const Snapshot& snapshot;
  const net::PortId port;  ///< That the frames arrived on.
  const std::uint32_t now_s;
  PipelineCounters& counters;

  /// See LeaseView. A burst is mostly for one lease: looked at once.
  bool holds(LeaseSlot slot) {
    if (slot == held_) return true;
    if (!leases_.holds(slot)) return false;
    held_ = slot;
    return true;
  }
  bool answers(LeaseSlot slot) const { return leases_.answers(slot); }
  void share(LeaseSlot slot) const { leases_.share(slot); }
  bool is_muted(LeaseSlot slot) const { return leases_.is_muted(slot); }
  bool changes_hands(LeaseSlot slot) const { return leases_.changes_hands(slot); }
  bool inherits(LeaseSlot slot) const { return leases_.inherits(slot); }

  /// Whether frames to this link address are for us: kNone, kNotForUs or kNotMaster.
  net::Drop check_destination(const net::Packet& packet) {
    const auto* ethernet = packet.at<net::EthernetHeader>(0);
    const std::uint64_t raw = ethernet->raw_destination();
    if (raw == port_mac_) return net::Drop::kNone;
    // A virtual MAC: a backup sees such frames when a switch floods them.
    if (raw != known_mac_) {
      known_mac_ = raw;
      known_mac_lease_ = snapshot.lease_of(port, ethernet->destination);
    }
    if (known_mac_lease_ == kNeverOurs) return net::Drop::kNotForUs;
    return holds(known_mac_lease_) ? net::Drop::kNone : net::Drop::kNotMaster;
  }

  /// A frame to be filled in; nullptr: there are as many as frames that can have arrived.
  MadeFrame* make_frame() {
    return burst_.made_count < burst_.made.size() ? &burst_.made[burst_.made_count++] : nullptr;
  }

  Verdict drop(net::Drop reason) {
    counters.drop(reason);
    return {};
  }

  /// Whether frames that are not ours have somewhere to go.
  bool has_kernel() const { return snapshot.port(port).kernel != net::kNoPort; }
  /// Not the dataplane's business: the kernel's, or else dropped.
  Verdict not_ours(net::Drop reason) {
    if (!has_kernel()) return drop(reason);
    counters.to_kernel.add();
    return {Action::kTransmit, snapshot.port(port).kernel};
  }
  /// The same of an IP packet, which may be to a VIP that the node takes nothing by.
  Verdict not_ours(const net::Packet& packet, const net::Parsed& parsed, net::Drop reason) {
    return is_refused(packet, parsed) ? drop(net::Drop::kNotAccepted) : not_ours(reason);
  }
  /// Whether an IP packet, of no service, is to a VIP of no_accept that is here.
  bool is_refused(const net::Packet& packet, const net::Parsed& parsed) {
    const Vip* vip = snapshot.find_vip(net::destination_of(packet, parsed));
    return vip != nullptr && !vip->accept && holds(vip->lease);
  }
  /// On a NIC that we own, which hears everything: a frame from one to another of its network.
  bool is_others(const net::Packet& packet) {
    return has_kernel() && !packet.at<net::EthernetHeader>(0)->destination.is_multicast() &&
           check_destination(packet) == net::Drop::kNotForUs;
  }
  /// What check_destination() found fault with. The kernel listens to groups, too.
  Verdict misdirected(const net::Packet& packet, const net::Parsed& parsed, net::Drop reason) {
    const bool group = packet.at<net::EthernetHeader>(0)->destination.is_multicast();
    if (!group || reason != net::Drop::kNotForUs) return drop(reason);
    return not_ours(packet, parsed, reason);
  }

 private:
  const LeaseView& leases_;
  Burst& burst_;
  LeaseSlot held_ = kMaxLeases;  // at first no slot at all
  std::uint64_t port_mac_;
  std::uint64_t known_mac_ = 0;
  LeaseSlot known_mac_lease_ = kNeverOurs;
};

/// The MAC that frames of a VIP leave a port with. A virtual MAC belongs to its own link only, and
/// to a successor as soon as there is one: a switch would learn from our frames that it is here.
inline const net::Mac& source_mac(const Turn& turn, const Vip& vip, net::PortId port) {
  const bool is_ours = port == vip.port && !turn.is_muted(vip.lease);
  return is_ours ? vip.mac : turn.snapshot.port(port).mac;
}

}  // namespace keepline::lb
