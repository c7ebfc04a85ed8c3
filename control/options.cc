#include "control/options.h"

#include <getopt.h>

#include <array>
#include <utility>

#include "control/api/paths.h"
#include "control/dump/signals.h"

namespace keepline::control {

namespace {

enum LongOnly : int {
  kAll = 1000,
  kCleanupOption,
  kInstanceOption,
  kSocketOption,
  kSignumOption,
  kIgnoredFlag
};

constexpr const char* kShort = "f:t::nlDdPCBi:S:g::GXVIRp:r:c:b:s:aexA:u:mM::vh";

// Options that keepalived has and that mean nothing here are accepted, so that a unit file or a
// script for keepalived goes on working; each is mentioned once in the log.
constexpr std::array kLong = {
    option{"use-file", required_argument, nullptr, 'f'},
    option{"config-test", optional_argument, nullptr, 't'},
    option{"dont-fork", no_argument, nullptr, 'n'},
    option{"log-console", no_argument, nullptr, 'l'},
    option{"log-detail", no_argument, nullptr, 'D'},
    option{"dump-conf", no_argument, nullptr, 'd'},
    option{"vrrp", no_argument, nullptr, 'P'},
    option{"check", no_argument, nullptr, 'C'},
    option{"no_bfd", no_argument, nullptr, 'B'},
    option{"all", no_argument, nullptr, kAll},
    option{"config-id", required_argument, nullptr, 'i'},
    option{"log-facility", required_argument, nullptr, 'S'},
    option{"log-file", optional_argument, nullptr, 'g'},
    option{"flush-log-file", no_argument, nullptr, kIgnoredFlag},
    option{"no-syslog", no_argument, nullptr, 'G'},
    option{"release-vips", no_argument, nullptr, 'X'},
    option{"dont-release-vrrp", no_argument, nullptr, 'V'},
    option{"dont-release-ipvs", no_argument, nullptr, 'I'},
    option{"dont-respawn", no_argument, nullptr, 'R'},
    option{"pid", required_argument, nullptr, 'p'},
    option{"vrrp_pid", required_argument, nullptr, 'r'},
    option{"checkers_pid", required_argument, nullptr, 'c'},
    option{"bfd_pid", required_argument, nullptr, 'b'},
    option{"namespace", required_argument, nullptr, 's'},
    option{"address-monitoring", no_argument, nullptr, 'a'},
    option{"all-config", no_argument, nullptr, 'e'},
    option{"snmp", no_argument, nullptr, 'x'},
    option{"snmp-agent-socket", required_argument, nullptr, 'A'},
    option{"umask", required_argument, nullptr, 'u'},
    option{"core-dump", no_argument, nullptr, 'm'},
    option{"core-dump-pattern", optional_argument, nullptr, 'M'},
    option{"signum", required_argument, nullptr, kSignumOption},
    option{"cleanup", no_argument, nullptr, kCleanupOption},
    option{"instance", required_argument, nullptr, kInstanceOption},
    option{"socket", required_argument, nullptr, kSocketOption},
    option{"version", no_argument, nullptr, 'v'},
    option{"help", no_argument, nullptr, 'h'},
    option{nullptr, 0, nullptr, 0},
};

// "local0" .. "local7", "user", "daemon", or keepalived's digit for a local facility.
std::optional<int> facility_of(const std::string& name) {
  constexpr int kLocal0 = 16;
  if (name == "daemon") return 3;
  if (name == "user") return 1;
  const std::string digit = name.starts_with("local") ? name.substr(5) : name;
  if (digit.size() == 1 && digit[0] >= '0' && digit[0] <= '7') return kLocal0 + digit[0] - '0';
  return std::nullopt;
}

std::string option_name(int code) {
  for (const option& each : kLong) {
    if (each.name != nullptr && each.val == code) return std::string("--") + each.name;
  }
  return std::string("-") + static_cast<char>(code);
}

template <typename T>
struct Destination {
  int code;
  T Options::*member;
};

constexpr Destination<bool> kFlags[] = {
    {'n', &Options::foreground},
    {'l', &Options::log_console},
    {'G', &Options::no_syslog},
    {'d', &Options::dump_config},
};
constexpr Destination<std::string> kTexts[] = {
    {'f', &Options::config_file},
    {'i', &Options::config_id},
    {'p', &Options::pid_file},
    {kSocketOption, &Options::socket_path},
};
constexpr std::pair<int, Command> kCommands[] = {
    {'t', Command::kConfigTest},
    {kCleanupOption, Command::kCleanup},
    {'v', Command::kVersion},
    {'h', Command::kHelp},
};

// Those that need more than to be stored. Returns the error text, empty if fine.
std::string take_special(int code, const std::string& argument, Options& options) {
  switch (code) {
    case 'D':
      ++options.log_detail;
      return "";
    case 'P':
      options.mode.services = false;
      return "";
    case 'C':
      options.mode.vrrp = false;
      return "";
    case 'B':
      options.mode.bfd = false;
      return "";
    case 'S': {
      const auto facility = facility_of(argument);
      options.log_facility = facility.value_or(options.log_facility);
      return facility ? ""
                      : "unknown log facility '" + argument + "': 0-7, local0-local7, user, daemon";
    }
    case kInstanceOption:
      options.instance = argument;
      return api::is_valid_instance_name(argument)
                 ? ""
                 : "'" + argument + "' is no instance name: letters, digits, '-', '_' and '.'";
    case kSignumOption: {
      const auto number = dump::signal_number(argument);
      options.command = Command::kSignalNumber;
      options.signal_number = number.value_or(0);
      return number ? ""
                    : "no signal for '" + argument + "': STOP RELOAD DATA STATS STATS_CLEAR JSON";
    }
    case 's':
      return "-s: start keeplined inside the namespace instead: ip netns exec " + argument +
             " keeplined ...";
    default:
      options.ignored.push_back(option_name(code));
      return "";
  }
}

std::string take_option(int code, Options& options) {
  const std::string argument = optarg == nullptr ? "" : optarg;
  for (const auto& flag : kFlags) {
    if (flag.code != code) continue;
    options.*flag.member = true;
    return "";
  }
  for (const auto& text : kTexts) {
    if (text.code != code) continue;
    options.*text.member = argument;
    return "";
  }
  for (const auto& [option, command] : kCommands) {
    if (option != code) continue;
    options.command = command;
    if (command == Command::kConfigTest) options.config_log = argument;
    return "";
  }
  return take_special(code, argument, options);
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  ParsedOptions result;
  Options& options = result.options;
  opterr = 0;
  optind = 1;
  for (int code = 0; (code = getopt_long(argc, argv, kShort, kLong.data(), nullptr)) != -1;) {
    if (code == '?') {
      result.error = std::string("unknown option or missing argument: ") + argv[optind - 1];
      return result;
    }
    if (result.error = take_option(code, options); !result.error.empty()) return result;
  }
  if (optind < argc) {
    result.error = std::string("unexpected argument: ") + argv[optind];
    return result;
  }
  // keepalived: -P and -C together are both halves.
  if (!options.mode.vrrp && !options.mode.services) {
    options.mode.vrrp = options.mode.services = true;
  }
  if (options.instance.empty()) options.instance = api::default_instance_name();
  if (options.socket_path.empty()) options.socket_path = api::control_socket_path(options.instance);
  if (options.pid_file.empty()) options.pid_file = api::pid_file_path(options.instance);
  return result;
}

std::string help_text() {
  return R"(Usage: keeplined [OPTION...]
Load balancer and VRRP daemon; reads keepalived.conf.

  -f, --use-file=FILE      configuration (/etc/keepalived/keepalived.conf)
  -t, --config-test[=LOG]  check the configuration, say everything that is wrong, exit:
                           0 fine, 2 a parameter is missing, 4 cannot run, 5 problems,
                           6 scripts without enable_script_security
  -n, --dont-fork          stay in the foreground
  -l, --log-console        log to standard error as well
  -D, --log-detail         log more
  -d, --dump-conf          log the configuration as it was understood
  -P, --vrrp               run only VRRP
  -C, --check              run only services and their checks
  -B, --no_bfd             run no BFD: what is tracked of it counts as down
  -p, --pid=FILE           pid file (/run/keepline/INSTANCE.pid)
  -i, --config-id=ID       value for @ID lines (the host name)
  -S, --log-facility=NAME  local0-local7, user, daemon
  -G, --no-syslog          do not log to syslog
      --instance=NAME      names of socket, pid file and DPDK prefix; by default "keepline",
                           or "keepline-INODE" in another network namespace
      --socket=PATH        control socket (/run/keepline/INSTANCE.sock)
      --signum=NAME        print the number of the signal for STOP, RELOAD, DATA, STATS,
                           STATS_CLEAR or JSON, and exit
      --cleanup            undo what a crashed daemon of this instance has left, and exit
  -v, --version            version
  -h, --help               this text

Other options of keepalived are accepted and have no effect.
)";
}

}  // namespace keepline::control
