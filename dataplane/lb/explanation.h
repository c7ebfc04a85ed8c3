// What a worker would do with a packet, and what it knows about it: the answer to `explain`.
//
// PURE, a value.
#pragma once

#include "dataplane/lb/conn/flow_state.h"
#include "dataplane/lb/service/service.h"
#include "dataplane/neigh/next_hops.h"
#include "dataplane/net/addr.h"
#include "dataplane/net/drop.h"

namespace keepline::lb {

/// Asked about the first packet of a flow (TCP: a SYN), or one of a flow that exists.
struct Explanation {
  enum class Outcome : std::uint8_t {
    kConnection,     ///< Belongs to a connection.
    kNewConnection,  ///< Would make one, to `server`.
    kStateless,      ///< The table is full: to `server` by its hash alone.
    kReturnTraffic,  ///< A real server's answer within a connection.
    kRouted,         ///< Of a real server, but no answer: routed as it is.
    kDropped,        ///< For the reason in `drop`.
    kKernel,         ///< Not the dataplane's.
  };
  /// Where it goes.
  struct Hop {
    neigh::Reach reach = neigh::Reach::kNoRoute;
    net::PortId port = net::kNoPort;
    net::Mac mac;         ///< Valid when kFound.
    net::IpAddr address;  ///< The gateway or the destination itself; valid unless kNoRoute.
  };

  Outcome outcome = Outcome::kKernel;
  net::Drop drop = net::Drop::kNone;
  bool is_vip = false;      ///< The destination is a VIP, or the connection's is.
  bool lease_held = false;  ///< Valid when is_vip.
  bool has_service = false;
  ServiceSlot service_slot = 0;  ///< Valid when has_service.
  bool has_server = false;
  net::Endpoint server;  ///< Valid when has_server, as is the method.
  Method method = Method::kNat;
  std::uint8_t worker = 0;  ///< Whose connection it is or would be.
  std::uint8_t shard = 0;
  FlowState state = FlowState::kNone;  ///< Of the connection.
  std::uint32_t remaining_s = 0;       ///< Until the connection is forgotten.
  Hop next_hop;
};

}  // namespace keepline::lb
