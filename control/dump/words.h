// Values as both the text dumps and the JSON have them.
//
// PURE but for the time zone, which the C library looks up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/dump/state.h"

namespace keepline::control::dump {

/// `'/bin/script' 'argument'`; empty for no command.
std::string command_text(const config::Command& command);
/// `10.0.0.50/24 dev eth0 scope global set`; `set` while the instance holds it.
std::string vip_text(const config::VipAddress& vip, bool is_held);
/// The parameters with a blank between them.
std::string parameters_text(const config::TrackProcess& process);
/// "exact", "initial", "partial", or "none".
std::string_view match_word(config::ParamMatch match);
/// Seconds with six decimals.
std::string decimal_seconds(std::int64_t us);
/// `1795863408.656560 (Sat Nov 28 10:56:48.656560 2026)`, in local time; `unix_us` since 1970.
std::string time_text(std::int64_t unix_us);
/// The virtual interface's name; empty without use_vmac. None of that name exists.
std::string vmac_name(const config::VrrpInstance& instance);

}  // namespace keepline::control::dump
