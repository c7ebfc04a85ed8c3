// keepline: the command line tool. Asks the daemon one question, prints the answer.
//
// One thread. Exit codes: 0 = printed, 1 = no answer from the daemon, 2 = wrong usage, 3 = the
// daemon has refused what it was to do.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/parse.hpp>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "control/api/json.h"
#include "control/api/paths.h"
#include "control/api/query.h"
#include "control/cli/capture.h"
#include "control/cli/client.h"
#include "control/cli/probe/command.h"
#include "control/cli/render.h"

namespace {

namespace api = keepline::api;
namespace cli = keepline::cli;

constexpr int kExitNoAnswer = 1;
constexpr int kExitUsage = 2;
constexpr int kExitRefused = 3;

struct Options {
  std::string socket;
  std::string instance;
  bool json = false;
  bool all = false;
  bool stats = false;
  bool rate = false;
  bool exact = false;
  api::Query query;                 ///< Of `explain` and `connections`.
  std::string sampling;             ///< "on", "off"; empty: as it is.
  std::string file = "-";           ///< Of `capture`.
  std::vector<std::string> filter;  ///< Its words.
};

cli::ServicesView view_of(const Options& options) {
  cli::ServicesView view;
  if (options.stats) view.columns = cli::Columns::kStats;
  if (options.rate) view.columns = cli::Columns::kRates;
  if (options.all) view.reals = cli::Reals::kAll;
  if (options.exact) view.numbers = cli::Numbers::kExact;
  return view;
}

// The answer as a table; nullopt when it is not what this version understands.
std::optional<std::string> render(const std::string& command, const std::string& body,
                                  const Options& options) {
  boost::system::error_code error;
  const boost::json::value json = boost::json::parse(body, error);
  if (error) return std::nullopt;
  const auto text = [](const auto& report, auto render_report) {
    return report ? std::optional<std::string>(render_report(*report)) : std::nullopt;
  };
  if (command == "status") return text(api::status_from_json(json), cli::render_status);
  if (command == "lcores") return text(api::lcores_from_json(json), cli::render_lcores);
  if (command == "reload") return text(api::reload_from_json(json), cli::render_reload);
  if (command == "failover") return text(api::failover_from_json(json), cli::render_failover);
  if (command == "stages") return text(api::stages_from_json(json), cli::render_stages);
  if (command == "explain") return text(api::explain_from_json(json), cli::render_explain);
  if (command == "services") {
    return text(api::services_from_json(json), [&](const api::ServicesReport& report) {
      return cli::render_services(report, view_of(options));
    });
  }
  if (command == "vrrp") {
    return text(api::vrrp_from_json(json),
                [](const api::VrrpsReport& report) { return cli::render_vrrp(report); });
  }
  if (command == "bfd") {
    return text(api::bfd_from_json(json),
                [](const api::BfdsReport& report) { return cli::render_bfd(report); });
  }
  return text(api::connections_from_json(json), cli::render_connections);
}

// Also when it is not understood: nobody knows what runs now.
bool is_refused(const std::string& command, const std::string& body) {
  boost::system::error_code error;
  const auto json = boost::json::parse(body, error);
  if (error) return true;
  if (command == "reload") {
    const auto report = api::reload_from_json(json);
    return !report || report->outcome != "applied";
  }
  const auto report = api::failover_from_json(json);
  return !report || !report->error.empty() ||
         std::ranges::any_of(report->instances, [](const api::FailoverRow& row) {
           return row.outcome == "no successor" || row.outcome == "lost meanwhile";
         });
}

std::string path_of(const std::string& command, const Options& options) {
  std::string path = "/v1/" + command;
  if (!options.sampling.empty()) return path + "?sampling=" + options.sampling;
  for (const auto& [name, value] : options.query) {
    if (value.empty()) continue;
    path += path.find('?') == std::string::npos ? '?' : '&';
    path += name + '=' + api::percent_encoded(value);
  }
  return path;
}

int run(const std::string& command, const Options& options) {
  const std::string instance =
      options.instance.empty() ? api::default_instance_name() : options.instance;
  const std::string socket =
      options.socket.empty() ? api::control_socket_path(instance) : options.socket;
  if (command == "capture") return cli::capture(socket, path_of(command, options), options.file);
  const bool is_long = command == "reload" || command == "failover";
  const bool changes = is_long || !options.sampling.empty();
  const cli::Fetched fetched = cli::fetch(socket, path_of(command, options),
                                          is_long ? cli::kReloadTimeout : cli::kReplyTimeout,
                                          changes ? cli::Method::kPost : cli::Method::kGet);
  if (fetched.result != cli::FetchResult::kOk) {
    std::cerr << "keepline: " << fetched.message << '\n';
    return kExitNoAnswer;
  }
  const int code = is_long && is_refused(command, fetched.body) ? kExitRefused : 0;
  if (options.json) {
    std::cout << fetched.body;
    return code;
  }
  const auto text = render(command, fetched.body, options);
  if (!text) {
    std::cerr << "keepline: the daemon's answer is not understood; is it of another version? "
                 "(--json prints it as it is)\n";
    return kExitNoAnswer;
  }
  (code == 0 ? std::cout : std::cerr) << *text;
  return code;
}

void add_capture(CLI::App& app, Options& options) {
  CLI::App* capture = app.add_subcommand(
      "capture", "Frames as they come in and as they leave, for tshark, Wireshark or tcpdump");
  capture->add_option("-w,--write", options.file, "The pcapng file; default: standard output")
      ->type_name("FILE");
  capture->add_option("-c,--count", options.query["count"], "Ends after so many frames");
  capture->add_option("--seconds", options.query["seconds"], "Ends after so long; default 60");
  capture->add_option("-s,--bytes", options.query["bytes"], "Of each frame; default 1536");
  capture->add_option("filter", options.filter, "Which frames, in tcpdump's words")
      ->type_name("EXPRESSION");
  capture->callback([&options] {
    std::string expression;
    for (const std::string& word : options.filter) {
      expression += (expression.empty() ? "" : " ") + word;
    }
    if (!expression.empty()) {
      const cli::CompiledFilter filter = cli::compile_filter(expression);
      if (!filter.error.empty()) throw CLI::ValidationError("capture", filter.error);
      options.query["program"] = filter.program;
    }
    api::Query given = options.query;
    std::erase_if(given, [](const auto& each) { return each.second.empty(); });
    const std::string error = api::parse_capture_query(given).error;
    if (!error.empty()) throw CLI::ValidationError("capture", error);
    if (options.file == "-" && isatty(STDOUT_FILENO) == 1) {
      throw CLI::ValidationError("capture", "a terminal cannot show it: -w FILE, or | tshark -r -");
    }
  });
}

void add_commands(CLI::App& app, Options& options) {
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_flag("--json", options.json, "Print the daemon's JSON instead of a table");
    return command;
  };
  add("status", "The daemon, its ports and its workers");
  add("lcores", "What each worker thread has done: packets, rates, drops, ports");
  CLI::App* services =
      add("services", "Virtual servers and their real servers, like `ipvsadm -Ln`");
  services->add_flag("--all", options.all,
                     "Also real servers that are not in the pool, with health");
  auto* stats = services->add_flag("--stats", options.stats,
                                   "Connections, packets and bytes since the start");
  services->add_flag("--rate", options.rate, "Connections, packets and bytes per second")
      ->excludes(stats);
  services->add_flag("--exact", options.exact, "Large numbers in full, not as 123456K");
  add("vrrp", "VRRP instances, their states and addresses");
  add("bfd", "BFD sessions: states, negotiated times, what was discarded");
  add("reload", "Reads the configuration again, as SIGHUP does, and says what became of it");
  CLI::App* failover =
      add("failover", "Hands mastership over to the peers, and stands by without preempting");
  failover->add_option("name,--instance", options.query["instance"],
                       "Only this vrrp_instance, with its group");
  failover->add_flag_callback(
      "--back", [&options] { options.query["back"] = "on"; }, "May preempt again");
  CLI::App* connections = add("connections", "The connection table, like `ipvsadm -Lnc`");
  connections->add_option("--client", options.query["client"],
                          "Only of these clients: ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT or :PORT");
  connections->add_option("--virtual", options.query["virtual"], "Only to this VIP or port");
  connections->add_option("--server", options.query["server"], "Only at these real servers");
  connections->add_option("--protocol", options.query["protocol"], "Only tcp, udp or sctp");
  connections->add_option("--state", options.query["state"], "Only in this state: ESTABLISHED...");
  connections->callback([&options] {
    api::Query given = options.query;
    std::erase_if(given, [](const auto& each) { return each.second.empty(); });
    const std::string error = api::parse_connection_filter(given).error;
    if (!error.empty()) throw CLI::ValidationError("connections", error);
  });
  add("stages", "What each stage of forwarding costs, if sampled")
      ->add_option("sampling", options.sampling, "Switches the sampling: on or off")
      ->check(CLI::IsMember({"on", "off"}));
  CLI::App* explain = add("explain", "What becomes of a packet, and why");
  explain->add_option("source", options.query["source"], "Where it comes from: ADDRESS:PORT")
      ->required();
  explain->add_option("destination", options.query["destination"], "Where it goes: ADDRESS:PORT")
      ->required();
  explain->add_option("protocol", options.query["protocol"], "tcp, udp or sctp")->required();
  explain->callback([&options] {
    const std::string error = api::parse_explain_query(options.query).error;
    if (!error.empty()) throw CLI::ValidationError("explain", error);
  });
  add_capture(app, options);
  cli::add_bench_failover(app);
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
