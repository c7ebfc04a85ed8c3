// Virtual server -> real server -> checker. PURE; linear in the checkers.
#include "control/config/resolve.h"

namespace keepline::config {

namespace {

void inherit_options(const InheritedOptions& parent, InheritedOptions& own) {
  own.delay_loop_us.inherit(parent.delay_loop_us);
  own.retry.inherit(parent.retry);
  own.delay_before_retry_us.inherit(parent.delay_before_retry_us);
  own.warmup_us.inherit(parent.warmup_us);
  own.warmup_us.set_default(own.delay_loop_us);
  own.connect_timeout_us.inherit(parent.connect_timeout_us);
  own.weight.inherit(parent.weight);
  own.alpha.inherit(parent.alpha);
  own.inhibit_on_failure.inherit(parent.inhibit_on_failure);
  own.virtualhost.inherit(parent.virtualhost);
  own.forwarding.inherit(parent.forwarding);
}

// What applies when neither checker, real server nor virtual server says anything.
void apply_kind_defaults(const Checker& checker, CheckOptions& options) {
  if (std::holds_alternative<HttpCheck>(checker)) {
    options.delay_before_retry_us.set_default(3 * kSecondUs);
  }
  const auto* other = std::get_if<OtherCheck>(&checker);
  if (other == nullptr) return;
  if (other->kind == OtherKind::kMisc) options.retry.set_default(0);
  if (other->kind == OtherKind::kDns) {
    options.retry.set_default(3);
    options.delay_before_retry_us.set_default(options.delay_loop_us);
  }
}

void inherit_http(const InheritedOptions& parent, HttpCheck& check) {
  check.virtualhost.inherit(parent.virtualhost);
  for (HttpUrl& url : check.urls) {
    if (url.virtualhost.empty()) url.virtualhost = check.virtualhost;
    if (url.status_codes.empty()) url.status_codes.push_back({});
  }
}

}  // namespace

void inherit_real_server(const VirtualServer& server, const GlobalDefs& global, RealServer& real) {
  inherit_options(server.options, real.options);
  real.smtp_alert.inherit(global.smtp_alert_checker);
  real.smtp_alert.inherit(global.smtp_alert);
  for (Checker& checker : real.checkers) {
    CheckOptions& options = options_of(checker);
    const InheritedOptions& parent = real.options;
    options.connect_ip.set_default(real.address);
    options.connect_port.set_default(real.port);
    options.connect_timeout_us.inherit(parent.connect_timeout_us);
    options.retry.inherit(parent.retry);
    options.delay_loop_us.inherit(parent.delay_loop_us);
    options.delay_before_retry_us.inherit(parent.delay_before_retry_us);
    options.warmup_us.inherit(parent.warmup_us);
    options.warmup_us.set_default(options.delay_loop_us);
    options.alpha.inherit(parent.alpha);
    options.log_all_failures.set_default(global.checker_log_all_failures);
    apply_kind_defaults(checker, options);
    if (auto* http = std::get_if<HttpCheck>(&checker)) inherit_http(parent, *http);
  }
}

}  // namespace keepline::config
