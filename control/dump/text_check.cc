// keepalived_check.data: see text.h.
#include <variant>

#include "control/config/names.h"
#include "control/dump/text.h"
#include "control/dump/words.h"

namespace keepline::control::dump {

namespace {

using config::seconds_text;

std::string checker_name(const config::Checker& checker) {
  if (std::holds_alternative<config::TcpCheck>(checker)) return "TCP_CHECK";
  if (const auto* http = std::get_if<config::HttpCheck>(&checker)) {
    return http->is_ssl ? "SSL_GET" : "HTTP_GET";
  }
  return std::string(config::name_of(std::get<config::OtherCheck>(checker).kind));
}

std::string_view health_word(Health health) {
  return health == Health::kDown ? "DOWN" : "UP";
}

std::string target_text(const net::IpAddr& address, std::uint16_t port) {
  return '[' + net::to_string(address) + "]:" + std::to_string(port);
}

void add_server(const config::VirtualServer& server, Lines& out) {
  out.raw(" VIP = " + net::to_string(server.address) + ", VPORT = " + std::to_string(server.port) +
          '\n');
  out.line("Address family", server.address.is_v6() ? "inet6" : "inet");
  out.words("delay_loop = " + seconds_text(server.delay_loop_us()) +
            ", lb_algo = " + std::string(config::name_of(*server.scheduler)));
  if (server.persistence) {
    out.line("persistence timeout", seconds_text(server.persistence->timeout_us));
  }
  out.line("protocol", config::name_of(*server.protocol));
  out.words(std::string("alpha is ") + (*server.options.alpha ? "ON" : "OFF") + ", omega is " +
            (server.omega ? "ON" : "OFF"));
  out.words("quorum = " + std::to_string(server.quorum) +
            ", hysteresis = " + std::to_string(server.hysteresis));
  out.line("Using smtp notification", yes_or_no(server.smtp_alert));
  out.line("default forwarding method", config::text_of(server.forwarding()));
  if (server.sorry_server) {
    const config::Target& sorry = server.sorry_server->target;
    out.line("sorry server", target_text(sorry.address, sorry.port));
    out.line("sorry server forwarding method", config::text_of(server.sorry_server->forwarding));
  }
}

void add_real(const config::RealServer& real, Health health, Lines& out) {
  const auto line = [&out](std::string_view key, std::string_view value) {
    out.item(std::string(key) + " = " + std::string(value));
  };
  out.words("Real Server");
  out.item("RIP = " + net::to_string(real.address) + ", RPORT = " + std::to_string(real.port) +
           ", WEIGHT = " + std::to_string(real.weight()));
  line("forwarding method", config::text_of(real.forwarding()));
  line("Alpha", real.alpha() ? "ON" : "OFF");
  line("Inhibit on failure", real.inhibit_on_failure() ? "ON" : "OFF");
  line("Status", health_word(health));
  if (!real.notify_up.empty()) line("Notify script UP", command_text(real.notify_up));
  if (!real.notify_down.empty()) line("Notify script DOWN", command_text(real.notify_down));
  line("Using smtp notification", yes_or_no(real.smtp_alert));
}

void add_checker(const config::VirtualServer& server, const config::RealServer& real,
                 const config::Checker& checker, Lines& out) {
  const config::CheckOptions& options = config::options_of(checker);
  out.head(checker_name(checker), target_text(*options.connect_ip, *options.connect_port));
  out.line("Virtual server", target_text(server.address, server.port));
  out.line("Real server", target_text(real.address, real.port));
  out.line("Connection timeout", seconds_text(*options.connect_timeout_us));
  out.line("Delay loop", seconds_text(*options.delay_loop_us));
  out.line("Warmup", seconds_text(*options.warmup_us));
  out.line("Retry count", *options.retry);
  out.line("Retry delay", seconds_text(*options.delay_before_retry_us));
  out.line("Alpha", *options.alpha ? "ON" : "OFF");
  out.line("Log all failures", yes_or_no(options.log_all_failures));
}

}  // namespace

std::string check_data_text(const State& state) {
  Lines out;
  add_global(state, out);
  out.section("LVS Topology");
  const auto& servers = state.config->virtual_servers;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    add_server(servers[i], out);
    for (std::size_t k = 0; k < servers[i].real_servers.size(); ++k) {
      const bool is_known = i < state.health.size() && k < state.health[i].size();
      add_real(servers[i].real_servers[k], is_known ? state.health[i][k] : Health::kUnchecked, out);
    }
  }
  out.section("Health checkers");
  for (const config::VirtualServer& server : servers) {
    for (const config::RealServer& real : server.real_servers) {
      for (const config::Checker& checker : real.checkers) {
        add_checker(server, real, checker, out);
      }
    }
  }
  return out.take();
}

}  // namespace keepline::control::dump
