// keepalived's text dumps of our state, with its sections and keys.
//
// PURE functions of one State. Lines about what keepalived does inside the kernel (sockets,
// nftables, SNMP) are not there. Passwords are never shown. Bound: the configuration.
#pragma once

#include <string>

#include "control/dump/lines.h"
#include "control/dump/state.h"

namespace keepline::control::dump {

/// keepalived.data: what VRRP knows.
std::string data_text(const State& state);
/// keepalived_check.data: virtual servers, real servers and their checks.
std::string check_data_text(const State& state);
/// keepalived_parent.data: the global part alone, which is all that its parent process knows.
std::string parent_data_text(const State& state);
/// keepalived_bfd.data: the sessions.
std::string bfd_data_text(const State& state);
/// keepalived.stats: the counters of the instances.
std::string stats_text(const State& state);

// Parts of the first, in this order, each with its section's line.
void add_global(const State& state, Lines& out);
void add_instances(const State& state, Lines& out);
void add_tracking(const State& state, Lines& out);
void add_interfaces(const State& state, Lines& out);

}  // namespace keepline::control::dump
