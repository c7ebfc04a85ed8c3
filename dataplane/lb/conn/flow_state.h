// What a balancer between two ends knows of their connection.
//
// PURE. States of TCP and SCTP and their names are those of kernel LVS
// (net/netfilter/ipvs/ip_vs_proto_tcp.c and ip_vs_proto_sctp.c), so that listings read as users
// expect; timeouts are its defaults. SCTP has fewer of them here: those between INIT and COOKIE
// ECHO differ in nothing that a balancer does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/net/headers.h"

namespace keepline::lb {

enum class FlowState : std::uint8_t {
  kNone,
  kSynReceived,
  kEstablished,  ///< TCP and SCTP.
  kFinWait,
  kTimeWait,
  kClose,
  kCloseWait,
  kLastAck,
  kInit,          ///< SCTP, as are those that follow.
  kCookieEchoed,  ///< The client has had the server's answer, which has not confirmed that yet.
  kShutdownSent,  ///< By either end.
  kClosed,
  kUdp,      ///< A UDP flow.
  kAssured,  ///< No flow at all: a persistence template, which remembers a client's server.
};

inline constexpr std::size_t kFlowStates = 14;

/// "ESTABLISHED", "TIME_WAIT"...
std::string_view to_string(FlowState state);

/// Of a connection that its client may begin anew.
constexpr bool is_over(FlowState state) {
  return state == FlowState::kTimeWait || state == FlowState::kClose || state == FlowState::kClosed;
}

/// What a connection begins in.
constexpr FlowState first_state(net::Protocol protocol) {
  if (protocol == net::Protocol::kTcp) return FlowState::kSynReceived;
  return protocol == net::Protocol::kSctp ? FlowState::kInit : FlowState::kUdp;
}

/// Which end sent the packet, and whether the other end's packets are seen at all: with direct
/// routing and tunnels the server answers past the balancer.
enum class Sender : std::uint8_t { kClient, kServer, kClientOnly };

/// State after a TCP segment with these flags (kTcp* bits).
FlowState next_tcp_state(FlowState state, std::uint8_t flags, Sender sender);
/// State after an SCTP packet that begins with this (RFC 9260 §4).
FlowState next_sctp_state(FlowState state, net::SctpEvent event, Sender sender);

/// Seconds without a packet after which a connection is forgotten.
struct Timeouts {
  std::uint32_t tcp_s = 900;      ///< ESTABLISHED (`lvs_timeouts tcp`), of SCTP, too.
  std::uint32_t tcp_fin_s = 120;  ///< FIN_WAIT (`lvs_timeouts tcpfin`).
  std::uint32_t udp_s = 300;      ///< `lvs_timeouts udp`.

  std::uint32_t of(FlowState state) const;
};

}  // namespace keepline::lb
