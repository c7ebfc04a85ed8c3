// The App at a reload. See app.h.
#include <ctime>

#include "control/app.h"
#include "control/clock.h"
#include "control/load_file.h"
#include "control/log.h"

namespace keepline::control {

// Whoever asks during a reload wants what is in the file by now: another one follows.
void App::reload(api::Backend::ReloadCallback reply) {
  if (reply) waiting_for_reload_.push_back(std::move(reply));
  if (reload_ || failover_reply_) {
    is_reload_asked_ = true;
    return;
  }
  begin_reload();
}

void App::begin_reload() {
  is_reload_asked_ = false;
  reload_.emplace();
  reload_->begun_us = now_us();
  reload_->replies = std::exchange(waiting_for_reload_, {});
  log::info("reloading {}", setup_.options.config_file);
  reloader_->load(setup_.options, setup_.running, view_,
                  [this](std::shared_ptr<Reloader::Loaded> loaded) { judge(std::move(loaded)); });
}

void App::judge(std::shared_ptr<Reloader::Loaded> loaded) {
  if (stopping_) return;
  log_diagnostics(loaded->diagnostics);
  reload_->loaded = std::move(loaded);
  if (!reload_->loaded->diagnostics.can_run()) return end_reload(Outcome::kRefused);
  const Topology& topology = *reload_->loaded->wanted.topology;
  if (const auto open = filters_.widen(topology); !open) {
    log::error("{}", open.error());
    reload_->loaded->messages.push_back("error: " + open.error());
    filters_.narrow(*setup_.running.topology);
    return end_reload(Outcome::kRefused);
  }
  leave_those_that_go([this] { apply(); });
}

// They leave as at a stop, with all that they have, before anything else changes.
void App::leave_those_that_go(std::function<void()> then) {
  const Topology& wanted = *reload_->loaded->wanted.topology;
  for (const PlacedInstance& placed : setup_.running.topology->instances) {
    if (!wanted.instance_of(placed.lease)) reload_->going.insert(placed.lease);
  }
  if (vrrp_ == nullptr || reload_->going.empty()) return then();
  vrrp_->leave({reload_->going.begin(), reload_->going.end()}, std::move(then));
}

void App::apply() {
  if (stopping_) return;
  reload_->wanted = reload_->loaded->wanted;
  if (checks_ != nullptr) checks_->follow(reload_->wanted->config);
  publisher_->request([this] { commit(); });
}

// The dataplane has it; now everybody else, at once.
void App::commit() {
  if (stopping_) return;
  const auto before = std::make_shared<Running>(
      std::exchange(setup_.running, std::move(*std::exchange(reload_->wanted, std::nullopt))));
  reload_->going.clear();
  real_time_.follow(setup_.running.config->global, *dataplane_);
  filters_.narrow(*setup_.running.topology);
  vips_->follow(*before->topology, [this](lb::LeaseSlot lease) { return has_addresses(lease); });
  vips_->announce_own(role(), *dataplane_, before->topology.get());
  bfd_->follow();
  // Who is still to be told goodbye stays known, see watch_mail().
  if (bfd_->is_quiet()) neighbours_->update(*view_, publisher_->services());
  peer_hops_.update(setup_.running, *view_);
  if (vrrp_ != nullptr) {
    notifier_->follow();
    vrrp_->follow();
    watch_->follow();
  }
  reloads_.loaded_unix_s = ::time(nullptr);
  end_reload(Outcome::kApplied);
  reloader_->discard(before);
}

bool App::is_master(lb::LeaseSlot lease) const {
  return vrrp_ != nullptr && vrrp_->speaker().has(lease) &&
         vrrp_->speaker().instance(lease).state() == vrrp::State::kMaster;
}

bool App::has_addresses(lb::LeaseSlot lease) const {
  if (lease == lb::kAlwaysOurs || is_master(lease)) return true;
  return vrrp_ != nullptr && vrrp_->speaker().has(lease) && vrrp_->speaker().lingers(lease);
}

void App::end_reload(Outcome outcome) {
  const bool refused = outcome == Outcome::kRefused;
  ++(refused ? reloads_.refused : reloads_.applied);
  reloads_.last_refused = refused;
  const Reload done = std::move(*std::exchange(reload_, std::nullopt));
  api::ReloadReport report;
  report.outcome = refused ? "refused" : "applied";
  report.took_ms = static_cast<std::uint64_t>((now_us() - done.begun_us) / 1000);
  report.messages = done.loaded->messages;
  if (refused) {
    log::error("the new configuration cannot run: everything stays as it was");
  } else {
    log::info("reloaded in {} ms: {} VRRP instances, {} virtual servers", report.took_ms,
              setup_.running.config->vrrp_instances.size(),
              setup_.running.config->virtual_servers.size());
  }
  reloader_->discard(done.loaded);
  for (const auto& reply : done.replies) reply(report);
  follow_macs();  // one may have changed since the new configuration was looked at
  if (is_reload_asked_) begin_reload();
}

}  // namespace keepline::control
