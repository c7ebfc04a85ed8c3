#include "dataplane/lb/conn/flow_state.h"

#include <array>

#include "dataplane/net/headers.h"

namespace keepline::lb {

std::string_view to_string(FlowState state) {
  static constexpr std::array<std::string_view, kFlowStates> kNames = {
      "NONE",     "SYN_RECV", "ESTABLISHED",   "FIN_WAIT",      "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
      "LAST_ACK", "INIT",     "COOKIE_ECHOED", "SHUTDOWN_SENT", "CLOSED",    "UDP",   "ASSURED"};
  static_assert(!kNames.back().empty(), "every state has a name");
  return kNames[static_cast<std::size_t>(state)];
}

namespace {

FlowState after_fin(FlowState state, Sender sender) {
  // One-sided: the client's FIN is all of the closing that will ever be seen.
  if (sender == Sender::kClientOnly) return FlowState::kFinWait;
  const bool from_client = sender == Sender::kClient;
  switch (state) {
    case FlowState::kFinWait:  // the server closed first
      return from_client ? FlowState::kTimeWait : FlowState::kFinWait;
    case FlowState::kCloseWait:  // the client closed first
      return from_client ? FlowState::kCloseWait : FlowState::kTimeWait;
    case FlowState::kTimeWait:
    case FlowState::kLastAck:
      return state;
    default:
      return from_client ? FlowState::kCloseWait : FlowState::kFinWait;
  }
}

}  // namespace

FlowState next_tcp_state(FlowState state, std::uint8_t flags, Sender sender) {
  if ((flags & net::kTcpRst) != 0) return FlowState::kClose;
  if ((flags & net::kTcpSyn) != 0) {
    // Anybody can send a SYN: an established connection stays what it is, as in the kernel.
    if (state == FlowState::kEstablished) return state;
    // A SYN-ACK from the server keeps SYN_RECV: established is what the client's ACK makes.
    const bool starts = (flags & net::kTcpAck) == 0 && sender != Sender::kServer;
    if (starts || state == FlowState::kNone) return FlowState::kSynReceived;
    return state;
  }
  if ((flags & net::kTcpFin) != 0) return after_fin(state, sender);
  if (state == FlowState::kSynReceived || state == FlowState::kNone) {
    const bool completes = (flags & net::kTcpAck) != 0 && sender != Sender::kServer;
    return completes ? FlowState::kEstablished : state;
  }
  return state;
}

std::uint32_t Timeouts::of(FlowState state) const {
  switch (state) {
    case FlowState::kNone:
      return 2;
    case FlowState::kSynReceived:
      return 60;
    case FlowState::kEstablished:
      return tcp_s;
    case FlowState::kFinWait:
      return tcp_fin_s;
    case FlowState::kTimeWait:
      return 120;
    case FlowState::kClose:
      return 10;
    case FlowState::kCloseWait:
      return 60;
    case FlowState::kLastAck:
      return 30;
    case FlowState::kInit:
    case FlowState::kCookieEchoed:
    case FlowState::kShutdownSent:
    case FlowState::kClosed:
      return 60;
    case FlowState::kUdp:
      return udp_s;
    case FlowState::kAssured:  // a service's own
      break;
  }
  return tcp_s;
}

}  // namespace keepline::lb
