// Where a daemon and its CLI meet: the names of the instance, of its socket and of its pid file.
//
// The network namespace makes the default name, so that daemons in several namespaces of one
// machine do not collide. Called at start, from any thread; reads /proc only.
#pragma once

#include <string>
#include <string_view>

namespace keepline::api {

inline constexpr std::string_view kRuntimeDirectory = "/run/keepline";

/// "keepline" in the machine's initial network namespace, otherwise
/// "keepline-<inode of the network namespace>".
std::string default_instance_name();

/// Letters, digits, '-', '_' and '.', at most 64, not beginning with a dot: fit for a file name.
bool is_valid_instance_name(std::string_view name);

std::string control_socket_path(std::string_view instance);
std::string pid_file_path(std::string_view instance);
/// What the daemon has changed in the kernel, see control/kernel/footprint.h.
std::string footprint_path(std::string_view instance);

}  // namespace keepline::api
