// A burst on its way through the pipeline: the frames, what each stage leaves for the next, and
// what becomes of them.
//
// PURE. Whoever received the frames fills in the first four members and keeps the object from
// Pipeline::begin() until the verdicts are carried out; it is used again for a later burst.
#pragma once

#include <array>

#include "dataplane/lb/service/service_index.h"
#include "dataplane/net/packet.h"
#include "dataplane/net/parse.h"

namespace keepline::lb {

enum class Action : std::uint8_t {
  kDrop,             ///< Already counted.
  kTransmit,         ///< Through `port`.
  kTransmitResized,  ///< The same; the packet begins or ends elsewhere than it did.
  kToControl,        ///< A VRRP frame: copy to the control thread, then free.
  kToBfd,            ///< A BFD frame of a neighbour, for this worker's sessions.
  kHandOff,          ///< Its connection lives on another worker: `worker`.
};

constexpr bool transmits(Action action) {
  return action == Action::kTransmit || action == Action::kTransmitResized;
}

struct Verdict {
  Action action = Action::kDrop;
  net::PortId port = net::kNoPort;
  std::uint8_t worker = 0;
};

/// Somebody who asked for a VIP by ARP or neighbour discovery: the kernel did not see it, so
/// control may tell it.
struct NeighbourSeen {
  net::IpAddr address;
  net::Mac mac;
  net::PortId port = net::kNoPort;
};

/// A frame of our own, which goes out besides those that arrived.
struct MadeFrame {
  static constexpr std::uint16_t kHeadroom = 64;
  net::PortId port = net::kNoPort;
  std::uint16_t begin = 0;
  std::uint16_t length = 0;  ///< Zero: nothing to be sent.
  std::array<std::uint8_t, 256> bytes;

  net::Bytes view() const { return net::Bytes(bytes).subspan(begin, length); }
};

/// What classify() and look_up() find out about the flows of one family, in the order of their
/// Places.
template <typename F>
struct Lane {
  std::array<const typename ServiceIndex<F>::Entry*, net::kBurstSize> service;  // nullptr: none
  std::array<std::uint64_t, net::kBurstSize> hash;
  std::array<std::uint32_t, net::kBurstSize> candidate;
};

/// Whether another worker gave the frames to this one.
enum class Handed : bool { kNo, kYes };

struct Burst {
  Handed handed = Handed::kNo;
  net::PortId port = net::kNoPort;  ///< That the frames arrived on.
  std::size_t count = 0;
  std::array<net::Packet, net::kBurstSize> packets;

  std::array<net::Parsed, net::kBurstSize> parsed;
  net::Sorted sorted;
  Lane<net::V4> lane4;
  Lane<net::V6> lane6;

  std::array<Verdict, net::kBurstSize> verdicts;  ///< Of the first `count` frames.
  std::size_t neighbour_count = 0;
  std::array<NeighbourSeen, net::kBurstSize> neighbours;
  std::size_t made_count = 0;
  std::array<MadeFrame, net::kBurstSize> made;

  template <typename F>
  net::Places& flows() {
    if constexpr (F::kFamily == net::Family::kV4) return sorted.flows4;
    if constexpr (F::kFamily == net::Family::kV6) return sorted.flows6;
  }
  template <typename F>
  Lane<F>& lane() {
    if constexpr (F::kFamily == net::Family::kV4) return lane4;
    if constexpr (F::kFamily == net::Family::kV6) return lane6;
  }
};

}  // namespace keepline::lb
