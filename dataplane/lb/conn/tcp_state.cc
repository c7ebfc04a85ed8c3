#include "dataplane/lb/conn/tcp_state.h"

#include <array>

#include "dataplane/net/headers.h"

namespace keepline::lb {

std::string_view to_string(TcpState state) {
  static constexpr std::array<std::string_view, kTcpStates> kNames = {
      "NONE",  "SYN_RECV",   "ESTABLISHED", "FIN_WAIT", "TIME_WAIT",
      "CLOSE", "CLOSE_WAIT", "LAST_ACK",    "UDP",      "ASSURED"};
  return kNames[static_cast<std::size_t>(state)];
}

namespace {

TcpState after_fin(TcpState state, Sender sender) {
  // One-sided: the client's FIN is all of the closing that will ever be seen.
  if (sender == Sender::kClientOnly) return TcpState::kFinWait;
  const bool from_client = sender == Sender::kClient;
  switch (state) {
    case TcpState::kFinWait:  // the server closed first
      return from_client ? TcpState::kTimeWait : TcpState::kFinWait;
    case TcpState::kCloseWait:  // the client closed first
      return from_client ? TcpState::kCloseWait : TcpState::kTimeWait;
    case TcpState::kTimeWait:
    case TcpState::kLastAck:
      return state;
    default:
      return from_client ? TcpState::kCloseWait : TcpState::kFinWait;
  }
}

}  // namespace

TcpState next_state(TcpState state, std::uint8_t flags, Sender sender) {
  if ((flags & net::kTcpRst) != 0) return TcpState::kClose;
  if ((flags & net::kTcpSyn) != 0) {
    // A SYN-ACK from the server keeps SYN_RECV: established is what the client's ACK makes.
    const bool starts = (flags & net::kTcpAck) == 0 && sender != Sender::kServer;
    if (starts || state == TcpState::kNone) return TcpState::kSynReceived;
    return state;
  }
  if ((flags & net::kTcpFin) != 0) return after_fin(state, sender);
  if (state == TcpState::kSynReceived || state == TcpState::kNone) {
    const bool completes = (flags & net::kTcpAck) != 0 && sender != Sender::kServer;
    return completes ? TcpState::kEstablished : state;
  }
  return state;
}

std::uint32_t Timeouts::of(TcpState state) const {
  switch (state) {
    case TcpState::kNone:
      return 2;
    case TcpState::kSynReceived:
      return 60;
    case TcpState::kEstablished:
      return tcp_s;
    case TcpState::kFinWait:
      return tcp_fin_s;
    case TcpState::kTimeWait:
      return 120;
    case TcpState::kClose:
      return 10;
    case TcpState::kCloseWait:
      return 60;
    case TcpState::kLastAck:
      return 30;
    case TcpState::kUdp:
      return udp_s;
    case TcpState::kAssured:  // a service's own
      break;
  }
  return tcp_s;
}

}  // namespace keepline::lb
