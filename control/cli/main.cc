// keepline: the command line tool. Asks the daemon one question, prints the answer.
//
// One thread. Exit codes: 0 = printed, 1 = no answer from the daemon, 2 = wrong usage.
#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <chrono>
#include <iostream>
#include <optional>
#include <string>

#include "control/api/json.h"
#include "control/api/paths.h"
#include "control/cli/client.h"
#include "control/cli/render.h"

namespace {

namespace api = keepline::api;
namespace cli = keepline::cli;

constexpr int kExitNoAnswer = 1;
constexpr int kExitUsage = 2;

struct Options {
  std::string socket;
  std::string instance;
  bool json = false;
  bool all = false;
};

std::int64_t now_unix_s() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// The answer as a table; nullopt when it is not what this version understands.
std::optional<std::string> render(const std::string& command, const std::string& body,
                                  const Options& options) {
  boost::system::error_code error;
  const boost::json::value json = boost::json::parse(body, error);
  if (error) return std::nullopt;
  if (command == "status") {
    const auto report = api::status_from_json(json);
    return report ? std::optional(cli::render_status(*report)) : std::nullopt;
  }
  if (command == "services") {
    const auto report = api::services_from_json(json);
    const auto reals = options.all ? cli::Reals::kAll : cli::Reals::kInPool;
    return report ? std::optional(cli::render_services(*report, reals)) : std::nullopt;
  }
  if (command == "vrrp") {
    const auto report = api::vrrp_from_json(json);
    return report ? std::optional(cli::render_vrrp(*report, now_unix_s())) : std::nullopt;
  }
  const auto page = api::connections_from_json(json);
  return page ? std::optional(cli::render_connections(*page)) : std::nullopt;
}

int run(const std::string& command, const Options& options) {
  const std::string instance =
      options.instance.empty() ? api::default_instance_name() : options.instance;
  const std::string socket =
      options.socket.empty() ? api::control_socket_path(instance) : options.socket;
  const cli::Fetched fetched = cli::fetch(socket, "/v1/" + command);
  if (fetched.result != cli::FetchResult::kOk) {
    std::cerr << "keepline: " << fetched.message << '\n';
    return kExitNoAnswer;
  }
  if (options.json) {
    std::cout << fetched.body;
    return 0;
  }
  const auto text = render(command, fetched.body, options);
  if (!text) {
    std::cerr << "keepline: the daemon's answer is not understood; is it of another version? "
                 "(--json prints it as it is)\n";
    return kExitNoAnswer;
  }
  std::cout << *text;
  return 0;
}

void add_commands(CLI::App& app, Options& options) {
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_flag("--json", options.json, "Print the daemon's JSON instead of a table");
    return command;
  };
  add("status", "The daemon, its ports and its workers");
  add("services", "Virtual servers and their real servers, like `ipvsadm -Ln`")
      ->add_flag("--all", options.all, "Also real servers that are not in the pool, with health");
  add("vrrp", "VRRP instances, their states and addresses");
  add("connections", "The connection table, like `ipvsadm -Lnc`");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("keepline: what the keeplined load balancer is doing");
  app.set_version_flag("--version", "keepline " KEEPLINE_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Every command asks the daemon over its unix socket and has --json.\nThe same without "
      "this tool: curl --unix-socket /run/keepline/keepline.sock http://localhost/v1/status");
  auto* socket =
      app.add_option("--socket", options.socket, "The daemon's socket")->type_name("PATH");
  app.add_option("--instance", options.instance,
                 "The daemon's instance name (default: \"keepline\", in a network namespace "
                 "\"keepline-<inode>\")")
      ->type_name("NAME")
      ->excludes(socket)
      ->check([](const std::string& name) {
        return api::is_valid_instance_name(name) ? "" : "not an instance name: " + name;
      });
  add_commands(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return run(app.get_subcommands().front()->get_name(), options);
}
