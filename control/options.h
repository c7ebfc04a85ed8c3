// The command line of keeplined: keepalived's own options, and a few of ours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/plan/topology.h"

namespace keepline::control {

enum class Command : std::uint8_t { kRun, kConfigTest, kCleanup, kSignalNumber, kVersion, kHelp };

struct Options {
  Command command = Command::kRun;
  std::string config_file = "/etc/keepalived/keepalived.conf";
  std::string config_id;     ///< -i; empty: the host name up to its first dot.
  std::string config_log;    ///< -t=FILE: where the diagnostics go; empty: standard error.
  std::string instance;      ///< Name of socket, pid file and DPDK prefix; derived if empty.
  std::string socket_path;   ///< Derived from the instance if empty.
  std::string pid_file;      ///< Derived from the instance if empty.
  int signal_number = 0;     ///< --signum: to be printed.
  bool foreground = false;   ///< -n
  bool log_console = false;  ///< -l
  int log_detail = 0;        ///< -D, may be repeated.
  int log_facility = 3;      ///< -S; 3 is daemon.
  bool no_syslog = false;    ///< -G
  bool dump_config = false;  ///< -d
  Mode mode;                 ///< -P and -C
  std::vector<std::string> ignored;  ///< Options of keepalived that have no effect here.
};

struct ParsedOptions {
  Options options;
  std::string error;  ///< Not empty: unusable, exit code 1.
};

ParsedOptions parse_options(int argc, char** argv);

/// The text of --help.
std::string help_text();

}  // namespace keepline::control
