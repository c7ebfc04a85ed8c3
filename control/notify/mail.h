// Mail about changes of state, as keepalived words it.
//
// PURE but for the time of day that is passed in. RFC 5322.
#pragma once

#include <ctime>
#include <string>

#include "control/config/model.h"
#include "control/notify/hooks.h"

namespace keepline::control {

struct Mail {
  std::string subject;  ///< After `[router_id] `.
  std::string body;
};

/// Not of MASTER_RX_LOWER_PRI, which is told by no mail: then both are empty.
Mail mail_about(const NotifyEvent& event);

/// Header and body with CRLF. `router_id` may not be empty.
std::string message_text(const Mail& mail, const config::MailOptions& options,
                         const std::string& router_id, std::time_t date);

}  // namespace keepline::control
