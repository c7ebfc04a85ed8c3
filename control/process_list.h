// Counts processes in /proc.
//
// Any thread, but it reads a file or two of each process: not the control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/plan/processes.h"

namespace keepline::control {

inline constexpr std::size_t kMaxCommandLine = 4096;  ///< Bytes of it that are looked at.

/// How many processes match each of `wanted`, in its order. Nothing: `folder` (/proc) cannot be
/// read. A process that comes or goes meanwhile may be counted or not.
std::optional<std::vector<std::uint32_t>> count_processes(
    const std::vector<config::TrackProcess>& wanted, const std::string& folder = "/proc");

}  // namespace keepline::control
