// From what was read to what applies: defaults, inheritance, and the rules between keywords.
//
// PURE. Order: key files, vrrp, groups, services, scripts. Each step reports what it changes or
// refuses. Bounds: kMaxVirtualServers and kMaxRealServers after expanding groups; the rest is
// linear, but for look-ups by name.
#pragma once

#include <cstddef>

#include "control/config/diagnostic.h"
#include "control/config/draft.h"
#include "control/config/loader.h"

namespace keepline::config {

inline constexpr std::size_t kMaxRealServers = 65'536;

/// `key ID file:PATH` of auth_hmac, once for every load: a reload reads a new key.
void read_key_files(Draft& draft, Loader& loader, Diagnostics& diagnostics);
/// authentication of an instance that has auth_hmac: before the rules of authentication.
void replace_authentication(InstanceDraft& draft, Diagnostics& diagnostics);
/// auth_hmac of an instance: after strict mode and interval are settled.
void settle_auth_hmac(InstanceDraft& draft, Diagnostics& diagnostics);
/// Moves the instances into draft.config.
void resolve_vrrp(Draft& draft, Diagnostics& diagnostics);
/// Trackers against scripts, sync groups against instances.
void resolve_interfaces(Config& config, Diagnostics& diagnostics);
void resolve_groups(Config& config, Diagnostics& diagnostics);
/// Moves the services into draft.config, groups expanded.
void resolve_services(Draft& draft, Diagnostics& diagnostics);
/// After the services and the instances: FULLNAT's local addresses.
void resolve_dataplane(Config& config, Diagnostics& diagnostics);
/// Inheritance of one real server and its checkers; no rules.
void inherit_real_server(const VirtualServer& server, const GlobalDefs& global, RealServer& real);
/// Commands without enable_script_security.
void check_script_security(const Config& config, Diagnostics& diagnostics);

}  // namespace keepline::config
