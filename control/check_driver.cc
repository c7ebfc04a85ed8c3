#include "control/check_driver.h"

#include <algorithm>

#include "control/log.h"

namespace keepline::control {

namespace {

checks::Duration duration(std::uint64_t us) {
  return checks::Duration(static_cast<std::int64_t>(us));
}

checks::DampingParams damping_of(const config::CheckOptions& options) {
  checks::DampingParams params;
  params.delay_loop = duration(*options.delay_loop_us);
  params.delay_before_retry = duration(*options.delay_before_retry_us);
  params.warmup = duration(*options.warmup_us);
  params.retry = *options.retry;
  params.alpha = *options.alpha;
  return params;
}

checks::TcpTarget connection_of(const config::CheckOptions& options) {
  checks::TcpTarget target;
  target.remote = {*options.connect_ip, *options.connect_port};
  target.bind_address = options.bindto;
  target.bind_port = options.bind_port;
  target.connect_timeout = duration(*options.connect_timeout_us);
  return target;
}

checks::HttpVersion version_of(config::HttpProtocol protocol) {
  switch (protocol) {
    case config::HttpProtocol::k10:
      return checks::HttpVersion::k10;
    case config::HttpProtocol::k10Close:
      return checks::HttpVersion::k10Close;
    case config::HttpProtocol::k11:
      return checks::HttpVersion::k11;
  }
  return checks::HttpVersion::k10;
}

checks::HttpTarget http_of(const config::HttpCheck& check) {
  checks::HttpTarget target;
  target.connection = connection_of(check.options);
  target.version = version_of(check.protocol);
  target.virtual_host = *check.virtualhost;
  for (const config::HttpUrl& url : check.urls) {
    checks::UrlCheck wanted;
    wanted.path = url.path;
    wanted.virtual_host = url.virtualhost;
    wanted.digest = url.digest;
    for (const config::StatusRange& range : url.status_codes) {
      wanted.statuses.push_back({range.first, range.last});
    }
    target.urls.push_back(std::move(wanted));
  }
  return target;
}

// nullopt: a kind that is not run yet (the parser has said so).
std::optional<checks::CheckSpec> spec_of(const config::Checker& checker) {
  checks::CheckSpec spec;
  spec.key.damping = damping_of(config::options_of(checker));
  const char* kind = "TCP_CHECK";
  if (const auto* tcp = std::get_if<config::TcpCheck>(&checker)) {
    spec.key.target = connection_of(tcp->options);
  } else if (const auto* http = std::get_if<config::HttpCheck>(&checker);
             http != nullptr && !http->is_ssl) {
    spec.key.target = http_of(*http);
    spec.key.damping.fast_recovery = http->fast_recovery;
    spec.key.damping.down_spacing = checks::DownSpacing::kLongerDelay;
    kind = "HTTP_GET";
  } else {
    return std::nullopt;
  }
  const config::CheckOptions& options = config::options_of(checker);
  spec.name = std::string(kind) + ' ' +
              checks::to_string(checks::Endpoint{*options.connect_ip, *options.connect_port});
  return spec;
}

}  // namespace

CheckDriver::CheckDriver(boost::asio::any_io_executor executor,
                         std::shared_ptr<const config::Config> config,
                         std::function<void()> on_change)
    : on_change_(std::move(on_change)),
      runner_(std::move(executor),
              {[this](const checks::VerdictReport& report) { on_verdict(report); },
               [this](const checks::FailureReport& report) { on_failure(report); }}) {
  follow(std::move(config));
}

void CheckDriver::follow(std::shared_ptr<const config::Config> config) {
  config_ = std::move(config);
  ByKey before = std::exchange(running_, {});
  places_.clear();
  checks_.clear();
  health_.clear();
  for (std::size_t service = 0; service < config_->virtual_servers.size(); ++service) {
    const auto& reals = config_->virtual_servers[service].real_servers;
    health_.emplace_back(reals.size(), Health::kUnchecked);
    checks_.emplace_back(reals.size());
    for (std::size_t real = 0; real < reals.size(); ++real) add_checks(service, real, before);
  }
  for (const auto& [key, gone] : before) runner_.remove(gone.id);
}

void CheckDriver::add_checks(std::size_t service, std::size_t real, ByKey& before) {
  const config::VirtualServer& server = config_->virtual_servers[service];
  const config::RealServer& target = server.real_servers[real];
  for (const config::Checker& checker : target.checkers) {
    const auto spec = spec_of(checker);
    if (!spec) continue;
    const Key key{
        {server.address, server.port}, server.protocol, {target.address, target.port}, spec->key};
    const auto running = take_or_add(key, *spec, before);
    if (!running) {
      log::error("{}: too many checks, this one does not run", spec->name);
      continue;
    }
    checks_[service][real].push_back(running->id);
    places_.emplace(running->id, std::pair(Place{service, real}, running_.emplace(key, *running)));
  }
  health_[service][real] = health_of(service, real);
}

std::optional<CheckDriver::Running> CheckDriver::take_or_add(const Key& key,
                                                             const checks::CheckSpec& spec,
                                                             ByKey& before) {
  if (auto known = before.extract(key); !known.empty()) return known.mapped();
  const auto id = runner_.add(spec);
  if (!id) return std::nullopt;
  return Running{*id, spec.key.damping.alpha ? checks::Health::kDown : checks::Health::kUp};
}

Health CheckDriver::health_of(std::size_t service, std::size_t real) const {
  const std::vector<checks::CheckId>& ids = checks_[service][real];
  if (ids.empty()) return Health::kUnchecked;
  const bool is_down = std::ranges::any_of(ids, [this](checks::CheckId id) {
    return places_.at(id).second->second.verdict == checks::Health::kDown;
  });
  return is_down ? Health::kDown : Health::kUp;
}

void CheckDriver::on_verdict(const checks::VerdictReport& report) {
  const auto found = places_.find(report.id);
  if (found == places_.end()) return;
  found->second.second->second.verdict = report.health;
  const auto [service, real] = found->second.first;
  const config::VirtualServer& server = config_->virtual_servers[service];
  const config::RealServer& target = server.real_servers[real];
  const Health before = health_[service][real];
  health_[service][real] = health_of(service, real);
  if (health_[service][real] == before) return;
  log::info("Real server [{}]:{} of virtual server [{}]:{} is {} ({})",
            net::to_string(target.address), target.port, net::to_string(server.address),
            server.port, report.health == checks::Health::kUp ? "UP" : "DOWN",
            checks::to_string(report.outcome));
  on_change_();
}

void CheckDriver::on_failure(const checks::FailureReport& report) {
  if (config_->global.checker_log_all_failures) {
    log::warn("{} failed ({} in a row): {}", report.spec.name, report.failures_in_row,
              checks::to_string(report.outcome));
  } else {
    log::debug("{} failed ({} in a row): {}", report.spec.name, report.failures_in_row,
               checks::to_string(report.outcome));
  }
}

}  // namespace keepline::control
