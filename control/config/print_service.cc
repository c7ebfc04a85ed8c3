// Virtual servers, real servers and checkers as text: see print.h. PURE.
#include <algorithm>
#include <cstdio>

#include "control/config/names.h"
#include "control/config/writer.h"

namespace keepline::config {

namespace {

std::string target_text(const net::IpAddr& address, std::uint16_t port) {
  return net::to_string(address) + ' ' + std::to_string(port);
}

void print_options(const CheckOptions& o, Writer& out) {
  out.line("connect_ip", net::to_string(o.connect_ip));
  if (o.connect_port != 0) out.number("connect_port", o.connect_port);
  if (o.bindto) out.line("bindto", net::to_string(*o.bindto));
  if (o.bind_port != 0) out.number("bind_port", o.bind_port);
  out.text("bind_if", o.bind_if);
  out.seconds("connect_timeout", o.connect_timeout_us);
  out.number("retry", o.retry);
  out.seconds("delay_before_retry", o.delay_before_retry_us);
  out.seconds("warmup", o.warmup_us);
  out.seconds("delay_loop", o.delay_loop_us);
  out.flag("alpha", o.alpha);
  out.flag("log_all_failures", o.log_all_failures);
}

void print_url(const HttpUrl& url, Writer& out) {
  out.open("url");
  out.word("path", url.path);
  if (url.digest) {
    std::string text;
    for (std::uint8_t byte : *url.digest) {
      char buffer[4];
      std::snprintf(buffer, sizeof buffer, "%02x", byte);
      text += buffer;
    }
    out.line("digest", text);
  }
  std::string codes;
  for (const StatusRange& range : url.status_codes) {
    if (!codes.empty()) codes += ' ';
    codes += std::to_string(range.first) + '-' + std::to_string(range.last);
  }
  out.line("status_code", codes);
  out.text("virtualhost", url.virtualhost);
  if (!url.regex.empty()) out.line("regex", quote_escaped(url.regex));
  if (url.regex_no_match) out.line("regex_no_match");
  std::string options;
  for (const std::string& option : url.regex_options) options += ' ' + quote_word(option);
  if (!options.empty()) out.line("regex_options" + options);
  if (url.regex_min_offset_bytes != 0) out.number("regex_min_offset", url.regex_min_offset_bytes);
  if (url.regex_max_offset_bytes != 0) out.number("regex_max_offset", url.regex_max_offset_bytes);
  out.close();
}

void print_checker(const TcpCheck& check, Writer& out) {
  out.open("TCP_CHECK");
  print_options(check.options, out);
  out.close();
}

void print_checker(const HttpCheck& check, Writer& out) {
  out.open(check.is_ssl ? "SSL_GET" : "HTTP_GET");
  print_options(check.options, out);
  out.line("http_protocol", name_of(check.protocol));
  out.text("virtualhost", check.virtualhost.value());
  if (check.enable_sni) out.line("enable_sni");
  out.text("sni_name", check.sni_name);
  if (check.fast_recovery) out.line("fast_recovery");
  if (check.tls_compliant) out.line("tls_compliant");
  for (const HttpUrl& url : check.urls) print_url(url, out);
  out.close();
}

void print_checker(const OtherCheck& check, Writer& out) {
  out.open(name_of(check.kind));
  print_options(check.options, out);
  out.command("misc_path", check.misc_path);
  if (check.misc_timeout_us != 0) out.seconds("misc_timeout", check.misc_timeout_us);
  if (check.misc_dynamic) out.line("misc_dynamic");
  out.close();
}

void print_inherited(const InheritedOptions& o, Writer& out) {
  out.seconds("delay_loop", o.delay_loop_us);
  out.number("retry", o.retry);
  out.seconds("delay_before_retry", o.delay_before_retry_us);
  out.seconds("warmup", o.warmup_us);
  out.seconds("connect_timeout", o.connect_timeout_us);
  out.number("weight", o.weight);
  out.flag("alpha", o.alpha);
  out.flag("inhibit_on_failure", o.inhibit_on_failure);
  out.text("virtualhost", o.virtualhost.value());
  out.line("lvs_method", text_of(o.forwarding.value()));
}

void print_real(const RealServer& real, Writer& out) {
  out.open("real_server", target_text(real.address, real.port));
  print_inherited(real.options, out);
  if (real.upper_threshold != 0) out.number("uthreshold", real.upper_threshold);
  if (real.lower_threshold != 0) out.number("lthreshold", real.lower_threshold);
  out.command("notify_up", real.notify_up);
  out.command("notify_down", real.notify_down);
  out.flag("smtp_alert", real.smtp_alert);
  for (const Checker& checker : real.checkers) {
    std::visit([&out](const auto& check) { print_checker(check, out); }, checker);
  }
  out.close();
}

void print_sorry(const SorryServer& sorry, Writer& out) {
  out.line("sorry_server", target_text(sorry.target.address, sorry.target.port));
  out.line("sorry_server_lvs_method", text_of(sorry.forwarding));
  if (sorry.is_inhibited) out.line("sorry_server_inhibit");
}

void print_access(const VirtualServer& server, Writer& out) {
  for (const bool allow : {true, false}) {
    if (server.access.list == nullptr) break;
    const auto is_of_it = [&](const AccessRule& rule) { return rule.allow == allow; };
    if (std::ranges::none_of(*server.access.list, is_of_it)) continue;
    out.open(allow ? "allow" : "deny");
    for (const AccessRule& rule : *server.access.list) {
      if (!is_of_it(rule)) continue;
      out.line(net::to_string(rule.network.address) + '/' + std::to_string(rule.network.length));
    }
    out.close();
  }
  const ClientRate& rate = server.client_rate;
  if (rate.per_s == 0) return;
  out.line("client_rate", std::to_string(rate.per_s) + ' ' + std::to_string(rate.burst));
}

void print_virtual(const VirtualServer& server, Writer& out) {
  out.open("virtual_server", target_text(server.address, server.port));
  out.line("protocol", name_of(server.protocol));
  out.line("lb_algo", name_of(server.scheduler));
  if (server.hash_port) out.line("flag-2");
  if (server.hash_fallback) out.line("flag-1");
  if (server.one_packet) out.line("ops");
  if (server.syn_proxy) out.line("syn_proxy");
  print_inherited(server.options, out);
  if (server.persistence) {
    out.seconds("persistence_timeout", server.persistence->timeout_us);
    out.number("persistence_granularity", server.persistence->granularity);
    out.text("persistence_engine", server.persistence->engine);
  }
  print_access(server, out);
  out.number("quorum", server.quorum);
  out.number("hysteresis", server.hysteresis);
  out.command("quorum_up", server.quorum_up);
  out.command("quorum_down", server.quorum_down);
  if (server.omega) out.line("omega");
  if (server.ha_suspend) out.line("ha_suspend");
  out.flag("smtp_alert", server.smtp_alert);
  if (server.sorry_server) print_sorry(*server.sorry_server, out);
  for (const RealServer& real : server.real_servers) print_real(real, out);
  out.close();
}

}  // namespace

void print_services(const Config& config, Writer& out) {
  for (const VirtualServer& server : config.virtual_servers) print_virtual(server, out);
}

}  // namespace keepline::config
