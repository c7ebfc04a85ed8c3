// Words for states, reasons and rejections, used by logs, notifications and JSON.
//
// PURE. The words are part of the interface: scripts and dashboards read them. Every function
// returns a literal.
#pragma once

#include <string_view>

#include "vrrp/action.h"
#include "vrrp/instance.h"
#include "vrrp/step.h"
#include "vrrp/types.h"

namespace keepline::vrrp {

std::string_view to_string(State state);       ///< "MASTER", as in notify scripts.
std::string_view to_string(Reason reason);     ///< "no advert for the master-down interval".
std::string_view to_string(Reject reject);     ///< The counter's name: "ip_ttl_err".
std::string_view to_string(NoticeKind kind);   ///< "lower-priority advert received".
std::string_view to_string(FaultCause cause);  ///< "interface down".
std::string_view to_string(GarpReason reason);
std::string_view to_string(GroupCommand command);
std::string_view to_string(AdvertResult result);
std::string_view to_string(Event event);

}  // namespace keepline::vrrp
