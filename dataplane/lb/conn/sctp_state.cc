#include "dataplane/lb/conn/flow_state.h"

namespace keepline::lb {

FlowState next_sctp_state(FlowState state, net::SctpEvent event, Sender sender) {
  using net::SctpEvent;
  const bool by_server = sender == Sender::kServer;
  switch (event) {
    case SctpEvent::kNone:
    case SctpEvent::kInitAck:
      return state;
    case SctpEvent::kInit:
      // In the middle of an association it is a restart, which its two ends agree about
      // (RFC 9260 §5.2.2).
      return state == FlowState::kEstablished ? state : FlowState::kInit;
    case SctpEvent::kCookieEcho:
      // One-sided, the server's confirmation goes past us.
      if (state != FlowState::kInit || by_server) return state;
      return sender == Sender::kClientOnly ? FlowState::kEstablished : FlowState::kCookieEchoed;
    case SctpEvent::kCookieAck:
      return state == FlowState::kCookieEchoed && by_server ? FlowState::kEstablished : state;
    case SctpEvent::kShutdown:
      return state == FlowState::kClosed ? state : FlowState::kShutdownSent;
    case SctpEvent::kShutdownComplete:
    case SctpEvent::kAbort:
      return FlowState::kClosed;
  }
  return state;
}

}  // namespace keepline::lb
