#include "control/instance_watch.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "control/clock.h"
#include "control/log.h"

namespace keepline::control {

namespace {

std::uint64_t since_boot_us() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * config::kSecondUs +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

std::chrono::microseconds start_delay(const config::GlobalDefs& global) {
  const std::uint64_t up_us = since_boot_us();
  const std::uint64_t boot_us = global.vrrp_delay_after_boot_us;
  const std::uint64_t left_us = boot_us > up_us ? boot_us - up_us : 0;
  return std::chrono::microseconds(std::max(global.vrrp_startup_delay_us, left_us));
}

}  // namespace

InstanceWatch::InstanceWatch(boost::asio::any_io_executor executor, const Running& running,
                             checks::Children& children, VrrpDriver& vrrp, VipAddresses& vips,
                             const BfdDriver& sessions)
    : running_(running),
      vrrp_(vrrp),
      vips_(vips),
      sessions_(sessions),
      scripts_(executor, *running.config, children, [this] { apply(); }),
      files_(executor, *running.config, [this] { apply(); }),
      processes_(executor, *running.config, [this] { apply(); }),
      delay_(executor),
      link_timer_(executor) {}

void InstanceWatch::start(std::shared_ptr<const KernelView> view) {
  view_ = std::move(view);
  scripts_.start();
  files_.start();
  processes_.start();
  const auto delay = start_delay(running_.config->global);
  may_start_ = delay.count() == 0;
  if (may_start_) return apply();
  log::info("VRRP starts in {} ms", delay.count() / 1000);
  delay_.expires_after(delay);
  delay_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    may_start_ = true;
    apply();
  });
}

void InstanceWatch::update(std::shared_ptr<const KernelView> view) {
  view_ = std::move(view);
  apply();
}

void InstanceWatch::follow() {
  scripts_.follow(*running_.config);
  files_.follow(*running_.config);
  processes_.follow(*running_.config);
  apply();
}

void InstanceWatch::stop() {
  stopped_ = true;
  delay_.cancel();
  link_timer_.cancel();
  scripts_.stop();
  files_.stop();
  processes_.stop();
}

void InstanceWatch::apply() {
  if (!stopped_) look_at_links();
  for (std::size_t i = 0; !stopped_ && i < running_.topology->instances.size(); ++i) apply_to(i);
}

// interface_up_down_delays: a change that has not lasted is not looked at yet.
void InstanceWatch::look_at_links() {
  const std::int64_t now = now_us();
  links_.links = link_delays_.settle(running_.config->link_delays, view_->links, now);
  const auto due_us = link_delays_.next_us();
  if (!due_us) return;
  link_timer_.expires_after(std::chrono::microseconds(*due_us - now));
  link_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) apply();
  });
}

// Faults come first: a 255 owner without link must not speak even once.
void InstanceWatch::apply_to(std::size_t index) {
  const Topology& topology = *running_.topology;
  const config::VrrpInstance& instance = running_.config->vrrp_instances[index];
  const std::size_t number = topology.instances[index].lease;
  const PlacedPort& port = topology.ports[topology.instances[index].port];
  const Link* link = links_.find_link(port.ifindex);
  const bool is_down = link == nullptr || !link->is_up;
  vrrp_.set_fault(number, vrrp::FaultCause::kInterfaceDown,
                  is_down && !instance.dont_track_primary);
  const Tracked tracked = track(instance, links_, scripts_.outcomes(), files_.values(),
                                processes_.outcomes(), sessions_.outcomes());
  vrrp_.set_fault(number, vrrp::FaultCause::kTracker, tracked.is_fault);
  vrrp_.set_priority(number, tracked.priority);
  vrrp_.set_source(number, source_of(instance, *view_, port.ifindex, topology));
  if (vrrp_.speaker().instance(number).state() == vrrp::State::kMaster) {
    vips_.keep(topology.instances[index].lease, *view_);
  }
  if (may_start_ && !tracked.is_unknown) vrrp_.start(number);
}

// Without weight the loss is a fault of this node, which then takes over nothing.
void InstanceWatch::neighbour_lost(const config::BfdInstance& session, std::int64_t interval_us) {
  for (std::size_t i = 0; !stopped_ && i < running_.topology->instances.size(); ++i) {
    const auto& trackers = running_.config->vrrp_instances[i].track_bfd;
    const auto tracker = std::ranges::find(trackers, session.name, &config::Tracker::name);
    if (tracker == trackers.end() || *tracker->weight == 0) continue;
    vrrp_.master_lost(running_.topology->instances[i].lease, session.neighbour, interval_us);
  }
}

}  // namespace keepline::control
