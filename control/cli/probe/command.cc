#include "control/cli/probe/command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "control/cli/probe/probe.h"
#include "control/cli/probe/report.h"

namespace keepline::cli {

namespace {

struct Words {
  std::string target;
  std::vector<std::string> servers;
  double rate = 1000;
  double seconds = 10;
  double wait_s = 1;
  bool http = false, connect_only = false, json = false, realtime = false;
  std::uint16_t port = 0;
  std::string name;
};

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

int fail(const std::string& message, int code = kExitFailed) {
  std::cerr << "keepline: " << message << '\n';
  return code;
}

// What both ends need before they begin.
void prepare(const Words& words) {
  probe::catch_signals();
  probe::prepare_thread();
  if (words.realtime && !probe::become_realtime()) {
    std::cerr << "keepline: no real-time priority: " << std::strerror(errno) << '\n';
  }
}

void add_realtime(CLI::App& command, Words& words) {
  command.add_flag("--realtime", words.realtime,
                   "Before all other programs of this machine: fewer stalls where it is busy");
}

int run_probe(const std::string& kind, const Words& words) {
  probe::Task task;
  const auto target = probe::parse_endpoint(words.target);
  if (!target) return fail(target.error(), kExitUsage);
  task.target = *target;
  task.rate = words.rate;
  task.seconds = words.seconds;
  task.wait_s = words.wait_s;
  if (words.http) task.question = probe::TcpQuestion::kHttp;
  if (words.connect_only) task.question = probe::TcpQuestion::kConnect;
  for (const std::string& text : words.servers) {
    const auto server = probe::parse_endpoint(text);
    if (!server) return fail(server.error(), kExitUsage);
    task.servers.push_back(*server);
  }
  if (task.questions() < 1 || task.questions() > probe::kMaxQuestions) {
    return fail("--rate times --seconds: from 1 to " + std::to_string(probe::kMaxQuestions),
                kExitUsage);
  }
  prepare(words);
  const auto outcome = kind == "udp" ? probe::ask_by_udp(task) : probe::ask_by_tcp(task);
  if (!outcome) return fail(outcome.error());
  const probe::Heading heading{kind, words.target, words.rate};
  std::cout << (words.json ? json_report(heading, *outcome) : text_report(heading, *outcome));
  return 0;
}

int run_echo(const Words& words) {
  std::string name = words.name;
  if (name.empty()) {
    std::array<char, 256> host{};
    gethostname(host.data(), host.size() - 1);
    name = host.data();
  }
  prepare(words);
  const auto served = probe::echo(words.port, name);
  return served ? 0 : fail(served.error());
}

CLI::App* add_probe(CLI::App& parent, const std::string& kind, const char* help, Words& words) {
  CLI::App* command = parent.add_subcommand(kind, help);
  command->add_option("target", words.target, "The VIP: ADDRESS:PORT, [ADDRESS]:PORT")->required();
  command->add_option("--rate", words.rate, "Per second; default 1000")
      ->check(CLI::Range(1.0, 200'000.0));
  command->add_option("--seconds", words.seconds, "How long; default 10, a signal ends it earlier")
      ->check(CLI::Range(0.01, 86'400.0));
  command->add_flag("--json", words.json, "A JSON object instead of a text");
  add_realtime(*command, words);
  // The program ends here and not in main(), which would go on to ask the daemon.
  command->callback([kind, &words] { std::exit(run_probe(kind, words)); });
  return command;
}

}  // namespace

void add_bench_failover(CLI::App& app) {
  static Words words;
  CLI::App* bench = app.add_subcommand(
      "bench-failover", "What a failover costs: numbered packets or connections to a VIP");
  bench->require_subcommand(1);
  bench->footer("Asks no daemon: the VIP may be anybody's. See docs/failover.md.");
  CLI::App* udp = add_probe(*bench, "udp", "Datagrams, which an echo answers", words);
  udp->add_option("--wait", words.wait_s, "Seconds, for answers after the last one; default 1")
      ->check(CLI::Range(0.0, 60.0));
  udp->add_option("--server", words.servers,
                  "An echo's own ADDRESS:PORT, asked at the end what it has seen; several times")
      ->allow_extra_args(false);
  CLI::App* tcp = add_probe(*bench, "tcp", "New connections, each with a line to an echo", words);
  tcp->add_option("--wait", words.wait_s, "Seconds, for each connection; default 1 (SYN: 1, 3, 7)")
      ->check(CLI::Range(0.01, 60.0));
  auto* http = tcp->add_flag("--http", words.http, "A GET in place of the line: any answer counts");
  tcp->add_flag("--connect-only", words.connect_only, "Neither line nor answer")->excludes(http);
  CLI::App* echo = bench->add_subcommand("echo", "The far end, on every address of this machine");
  echo->add_option("port", words.port, "UDP and TCP")->required()->check(CLI::Range(1, 65'535));
  echo->add_option("--name", words.name, "What it answers; default: the host's name");
  add_realtime(*echo, words);
  echo->callback([] { std::exit(run_echo(words)); });
}

}  // namespace keepline::cli
