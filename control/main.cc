// keeplined: from the command line to a running App.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>

#include "control/api/paths.h"
#include "control/app.h"
#include "control/config/print.h"
#include "control/daemonize.h"
#include "control/kernel/pci.h"
#include "control/life_script.h"
#include "control/load_file.h"
#include "control/log.h"
#include "control/options.h"
#include "control/preflight.h"
#include "dataplane/port/tap_port.h"
#include "dataplane/worker/eal.h"

namespace keepline::control {

namespace {

// keepalived's daemon exit codes.
constexpr int kExitFatal = 1;
constexpr int kExitConfig = 2;
constexpr int kExitPermission = 4;
constexpr int kExitNoConfig = 6;

void print_diagnostics(const config::Diagnostics& diagnostics, std::ostream& out) {
  for (const config::Diagnostic& each : diagnostics.items()) {
    out << config::to_string(each) << '\n';
  }
  if (diagnostics.dropped() > 0) out << "... and " << diagnostics.dropped() << " more\n";
  if (!diagnostics.can_run()) out << "This configuration cannot run.\n";
}

// A test makes no TAP; the daemon will, with no index that anything has.
void add_tap(KernelView& view, const config::DataplanePort& port) {
  if (view.find_link(port.interface) != nullptr) return;
  Link link;
  link.ifindex = ~static_cast<unsigned>(view.links.size());
  link.name = port.interface;
  link.is_up = link.is_ethernet = true;
  view.links.push_back(link);
}

int test_config(const Options& options) {
  config::LoadResult loaded = load_file(options);
  Mirror mirror;
  KernelView view = mirror.view();
  for (const config::DataplanePort& port : loaded.config.dataplane.ports) add_tap(view, port);
  make_topology(loaded.config, view, options.mode, loaded.diagnostics);
  if (options.config_log.empty()) {
    print_diagnostics(loaded.diagnostics, std::cerr);
  } else {
    std::ofstream file(options.config_log);
    print_diagnostics(loaded.diagnostics, file);
  }
  return loaded.diagnostics.exit_code();
}

int cleanup(const Options& options) {
  if (const int pid = living_pid(api::pid_file_path(options.instance)); pid != 0) {
    std::cerr << "keeplined with pid " << pid << " is running: nothing to clean up\n";
    return kExitFatal;
  }
  KernelRequests requests;
  for (const std::string& line : Footprint::undo(api::footprint_path(options.instance), requests)) {
    std::cout << "removed " << line << '\n';
  }
  worker::Eal::remove_files(options.instance);
  return EXIT_SUCCESS;
}

// Everything up to the point where the machine is touched.
int prepare(const Options& options, App::Setup& setup) {
  if (access(options.config_file.c_str(), R_OK) != 0) {
    std::cerr << options.config_file << ": cannot be read: give a configuration with -f FILE\n";
    return kExitNoConfig;
  }
  config::LoadResult loaded = load_file(options);
  if (const auto missing = missing_prerequisites(); !missing.empty()) {
    for (const std::string& line : missing) std::cerr << line << '\n';
    return kExitPermission;
  }
  // It may make the interfaces and addresses that the rest is about.
  if (loaded.diagnostics.can_run() &&
      run_life_script("startup script", loaded.config.global.startup, loaded.config.global) ==
          LifeResult::kAskedToEnd) {
    return kExitFatal;
  }
  // First of what the kernel has, what a crashed daemon has left: its VIPs would look like
  // addresses of this node.
  KernelRequests requests;
  for (const std::string& line : Footprint::undo(api::footprint_path(options.instance), requests)) {
    log::info("left by an earlier daemon, removed: {}", line);
  }
  for (const config::DataplanePort& port : loaded.config.dataplane.ports) {
    if (!port.pci.empty()) check_pci(port, loaded.diagnostics);
    if (!loaded.diagnostics.can_run()) continue;
    auto tap = port::TapDevice::open(port.interface);
    if (!tap) {
      loaded.diagnostics.fatal(port.position, "port", tap.error());
      continue;
    }
    setup.taps[port.interface] = std::move(*tap);
  }
  setup.mirror = std::make_unique<Mirror>();
  setup.running.topology = std::make_shared<const Topology>(
      make_topology(loaded.config, setup.mirror->view(), options.mode, loaded.diagnostics));
  if (!loaded.diagnostics.can_run()) {
    print_diagnostics(loaded.diagnostics, std::cerr);
    return kExitConfig;
  }
  log_diagnostics(loaded.diagnostics);
  if (options.dump_config)
    log::info("configuration:\n{}", config::print(loaded.config, config::Secrets::kHide));
  setup.running.config = std::make_shared<const config::Config>(std::move(loaded.config));
  setup.options = options;
  return EXIT_SUCCESS;
}

// Until a signal says stop, and what is to be run after that.
void run_app(App::Setup setup, const std::function<void()>& on_started) {
  std::shared_ptr<const config::Config> config;
  {
    App app(std::move(setup));
    app.run(on_started);
    config = app.config();
  }
  run_life_script("shutdown script", config->global.shutdown, config->global);
}

int run(const Options& options) {
  std::unique_ptr<Daemonizer> daemonizer;
  if (!options.foreground) daemonizer = std::make_unique<Daemonizer>();
  const auto report = [&](int code) {
    if (daemonizer != nullptr) daemonizer->report(code);
    return code;
  };
  log::start(
      {options.log_console, options.log_detail > 0, !options.no_syslog, options.log_facility});
  int code = EXIT_SUCCESS;
  try {
    // The instance's own pid file is its lock, wherever -p wants the number to be besides.
    const std::string lock_path = api::pid_file_path(options.instance);
    const PidFile lock(lock_path);
    std::optional<PidFile> pid_file;
    if (options.pid_file != lock_path) pid_file.emplace(options.pid_file);
    App::Setup setup;
    code = prepare(options, setup);
    if (code == EXIT_SUCCESS) {
      for (const std::string& name : options.ignored) log::warn("option {} has no effect", name);
      run_app(std::move(setup), [&] { report(EXIT_SUCCESS); });
      log::info("stopped");
    }
  } catch (const std::exception& error) {
    log::error("{}", error.what());
    if (!options.log_console) std::cerr << "keeplined: " << error.what() << '\n';
    code = kExitFatal;
  }
  log::stop();
  return report(code);
}

int main_of(int argc, char** argv) {
  const ParsedOptions parsed = parse_options(argc, argv);
  if (!parsed.error.empty()) {
    std::cerr << "keeplined: " << parsed.error << "\nTry `keeplined --help`.\n";
    return kExitFatal;
  }
  std::signal(SIGCHLD, SIG_DFL);  // ignored, scripts would have no exit code
  // keepalived's signals for dumps would otherwise end a process that does not answer them yet.
  for (const int signal : {SIGPIPE, SIGUSR1, SIGUSR2, SIGRTMIN + 2, SIGRTMAX - 1, SIGRTMAX}) {
    std::signal(signal, SIG_IGN);
  }
  switch (parsed.options.command) {
    case Command::kHelp:
      std::cout << help_text();
      return EXIT_SUCCESS;
    case Command::kSignalNumber:
      std::cout << parsed.options.signal_number << '\n';
      return EXIT_SUCCESS;
    case Command::kVersion:
      std::cerr << "keeplined " KEEPLINE_VERSION "\n";
      return EXIT_SUCCESS;
    case Command::kConfigTest:
      return test_config(parsed.options);
    case Command::kCleanup:
      return cleanup(parsed.options);
    case Command::kRun:
      return run(parsed.options);
  }
  return kExitFatal;
}

}  // namespace

}  // namespace keepline::control

int main(int argc, char** argv) {
  return keepline::control::main_of(argc, argv);
}
